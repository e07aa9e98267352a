"""Optional dependencies: import a package of an extra, or raise one line that names the extra to install."""

import importlib
from types import ModuleType

from paracosm.foundation.errors import MissingExtraError


def require_extra(module: str, extra: str, purpose: str) -> ModuleType:
    """Import and return a module that an optional extra installs.

    Args:
        module: dotted name of the module, for example `mlflow.exceptions`.
        extra: name of the extra in pyproject.toml, for example `mlflow`.
        purpose: what needs the module, with an article, for example `an MLflow registry`. It starts the error message.

    Raises:
        MissingExtraError: the module, or a module that it imports, is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            f'{purpose} needs the extra {extra!r} ({error.name} is not installed); run: pip install "paracosm[{extra}]"'
        ) from error

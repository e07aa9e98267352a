"""Packages that only some registries need: one line that names the extra where they are absent."""

import importlib
from types import ModuleType

from paracosm.foundation.errors import RegistryError


def needed(module: str, *, extra: str, purpose: str) -> ModuleType:
    """Import `module`, which comes with the extra `extra`.

    Raises:
        RegistryError: the extra is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as fault:
        raise RegistryError(
            f'{purpose} needs the extra {extra!r} ({fault.name} is missing); run: pip install "paracosm[{extra}]"'
        ) from fault

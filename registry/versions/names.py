"""Names of models and numbers of versions, in the form that every store accepts."""

import re

from paracosm.foundation.errors import RegistryError
from paracosm.registry.versions.manifest import NAME

VERSION_TAG = re.compile(r"v([1-9][0-9]{0,8})", re.ASCII)


def checked_name(name: str) -> str:
    """Return `name` if it is allowed as the name of a model.

    Raises:
        RegistryError: it is not allowed.
    """
    if not NAME.fullmatch(name):
        raise RegistryError(
            f"{name!r}: is not a model name; lower-case letters, digits, '.', '_' and '-' are allowed"
        )
    return name


def version_number(tag: str) -> int | None:
    """Return the number of a version's tag or folder name (`v3` -> 3), or None for any other text."""
    match = VERSION_TAG.fullmatch(tag)
    return int(match[1]) if match else None

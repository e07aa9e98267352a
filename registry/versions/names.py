"""The name of a published model, as every registry accepts it."""

from paracosm.foundation.errors import RegistryError
from paracosm.registry.versions.manifest import NAME


def checked_name(name: str) -> str:
    """Return `name`, if a model may be called so.

    Raises:
        RegistryError: it may not.
    """
    if not NAME.fullmatch(name):
        raise RegistryError(
            f"{name!r}: is no name of a model; lower-case letters, digits, '.', '_' and '-' are allowed"
        )
    return name

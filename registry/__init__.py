"""Registry: writes the model card of a run, publishes versions, and lists, verifies and pulls published ones."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paracosm.registry.publishing import publish
    from paracosm.registry.verbs import diff, list_versions, promote, pull, remove, show, verify

__all__ = ["diff", "list_versions", "promote", "publish", "pull", "remove", "show", "verify"]


def __getattr__(name: str) -> Any:
    # Lazy, because every import of a module in this package runs this file. No module may have the name of a verb:
    # importing it would replace the function by the module.
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "publishing" if name == "publish" else "verbs"
    return getattr(import_module(f"{__name__}.{module}"), name)

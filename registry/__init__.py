"""Registry: writes the model card of a run, publishes versions, and lists, verifies and pulls published ones."""

from typing import TYPE_CHECKING

from paracosm.foundation.lazy import lazy_names

if TYPE_CHECKING:
    from paracosm.registry.card.stage import write_card
    from paracosm.registry.publishing import publish
    from paracosm.registry.verbs import diff, list_versions, promote, pull, remove, show, verify

__all__ = ["diff", "list_versions", "promote", "publish", "pull", "remove", "show", "verify", "write_card"]

# No module here may have the name of a verb: importing the module would replace the verb by the module.
_VERBS = ("diff", "list_versions", "promote", "pull", "remove", "show", "verify")
__getattr__, __dir__ = lazy_names(
    __name__, {"publish": "publishing", "write_card": "card.stage"} | dict.fromkeys(_VERBS, "verbs")
)

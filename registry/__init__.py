"""Registry: a run in, a model card and a published version out."""

from paracosm.registry.publish import publish
from paracosm.registry.verbs import diff, list_versions, promote, pull, remove, show, verify

__all__ = ["diff", "list_versions", "promote", "publish", "pull", "remove", "show", "verify"]

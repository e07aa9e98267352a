"""Registry: a run in, a model card and a published version out."""

from paracosm.registry.publish import list_versions, publish, pull, show, verify

__all__ = ["list_versions", "publish", "pull", "show", "verify"]

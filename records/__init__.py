"""Records: data in, schema, splits, codec and grammar."""

from typing import TYPE_CHECKING

from paracosm.foundation.lazy import lazy_names

if TYPE_CHECKING:
    from paracosm.records.stage import prepare

__all__ = ["prepare"]

__getattr__, __dir__ = lazy_names(__name__, {"prepare": "stage"})

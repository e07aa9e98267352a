"""Evaluation: records against records, metrics with anchors, gates, report."""

from typing import TYPE_CHECKING

from paracosm.foundation.lazy import lazy_names

if TYPE_CHECKING:
    from paracosm.eval.measure_tables import measure
    from paracosm.eval.stage import evaluate

__all__ = ["evaluate", "measure"]

__getattr__, __dir__ = lazy_names(__name__, {"evaluate": "stage", "measure": "measure_tables"})

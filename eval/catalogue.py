"""Every registered metric: its name, goal, range and source, and the function that measures it."""

from collections.abc import Mapping

from paracosm.eval.fidelity.measures import FIDELITY
from paracosm.eval.measuring.anchor_labels import ANCHOR_LABELS
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import Metric
from paracosm.eval.privacy.measures import PRIVACY
from paracosm.eval.utility.measures import UTILITY

MEASURES: tuple[Measure, ...] = (*FIDELITY, *UTILITY, *PRIVACY)


def metrics() -> list[Metric]:
    """Return every registered metric, in the order of the report."""
    return [metric for measure in MEASURES for metric in measure.metrics]


def anchor_labels() -> dict[str, Mapping[str, str]]:
    """Return, for every registered metric, what stands at its ceiling, its floor and its worst case."""
    return {metric.name: ANCHOR_LABELS[metric.anchor_family] for metric in metrics()}

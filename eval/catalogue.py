"""Every registered metric: its name, goal, range and source, and the function that measures it."""

from paracosm.eval.fidelity_metrics import FIDELITY
from paracosm.eval.leakage_metrics import PRIVACY
from paracosm.eval.measurement import Measure
from paracosm.eval.metric import Metric
from paracosm.eval.utility_metrics import UTILITY

MEASURES: tuple[Measure, ...] = (*FIDELITY, *UTILITY, *PRIVACY)


def metrics() -> list[Metric]:
    """Return every registered metric, in the order of the report."""
    return [metric for measure in MEASURES for metric in measure.metrics]

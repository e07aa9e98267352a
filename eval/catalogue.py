"""Every registered metric: its name, goal, range and source, and the function that measures it."""

from paracosm.eval.fidelity.measures import FIDELITY
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import Metric
from paracosm.eval.privacy.measures import PRIVACY
from paracosm.eval.utility.measures import UTILITY

MEASURES: tuple[Measure, ...] = (*FIDELITY, *UTILITY, *PRIVACY)


def metrics() -> list[Metric]:
    """Return every registered metric, in the order of the report."""
    return [metric for measure in MEASURES for metric in measure.metrics]

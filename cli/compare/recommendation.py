"""The strategies that a comparison recommends, by a rule that is stated beside them."""

from collections.abc import Sequence
from dataclasses import dataclass

from paracosm.cli.compare.compared_run import ComparedRun
from paracosm.eval.results.metric_entry import MeasuredMetric

DECIDING = "c2st_auc"
RULE = (
    "Strategies whose records FAIL on privacy are left out, and those that FAIL on fidelity where another one does not."
    f" Of the others, the best has the {DECIDING} nearest to its best value."
    " Those whose 95% interval overlaps that of the best, both as distances from the best value, are within the interval of the best."
    " The cheapest takes the fewest seconds of preparation and generation together."
    " Of those whose model, an adapter or fitted statistics, FAILs on privacy, only the records should be released."
)


@dataclass(frozen=True)
class Recommendation:
    """What the rule says.

    Attributes:
        best: the strategy with the best value; None where none can be recommended.
        within: the strategies within the interval of the best, the best first.
        cheapest: that of `within` with the fewest seconds.
        sentence: the result in words.
    """

    best: str | None
    within: tuple[str, ...]
    cheapest: str | None
    sentence: str


def recommend(runs: Sequence[ComparedRun]) -> Recommendation:
    """Apply `RULE` to finished runs."""
    safe = [run for run in runs if not run.records_fail]
    if not safe:
        return _none("the records of every strategy fail on privacy")
    faithful = [run for run in safe if not run.fidelity_fails] or safe
    measured = [run for run in faithful if DECIDING in run.metrics]
    if not measured:
        return _none(f"{DECIDING} was not measured on any strategy whose records do not fail on privacy")
    ranked = sorted(measured, key=lambda run: _distance(run.metrics[DECIDING]))
    farthest = _distances(ranked[0].metrics[DECIDING])[1]
    within = [run for run in ranked if _distances(run.metrics[DECIDING])[0] <= farthest]
    cheapest = min(within, key=lambda run: run.cost.seconds).strategy
    names = tuple(run.strategy for run in within)
    sentence = f"within the interval of the best: {', '.join(names)}; cheapest of these: {cheapest}"
    if leaking := [run.strategy for run in within if run.model_fails]:
        sentence += f"; release the records alone, not the model, of: {', '.join(leaking)}"
    return Recommendation(names[0], names, cheapest, sentence)


def _none(reason: str) -> Recommendation:
    return Recommendation(None, (), None, f"no strategy is recommended: {reason}")


def _distance(metric: MeasuredMetric) -> float:
    return metric.goal.distance(metric.value)


def _distances(metric: MeasuredMetric) -> tuple[float, float]:
    """Return the smallest and the largest distance to the best value within the 95% interval."""
    low, high = metric.interval
    ends = sorted((metric.goal.distance(low), metric.goal.distance(high)))
    target = metric.goal.target
    return (0.0 if target is not None and low <= target <= high else ends[0]), ends[1]

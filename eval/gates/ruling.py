"""Rulings: the state of every release gate, with the reason in words, and the verdict that follows from the states."""

import math
from collections.abc import Iterable, Mapping, Sequence

from paracosm.eval.gates.catalogue import GATES
from paracosm.eval.measuring.gate import GUARD, Gate, Quantity
from paracosm.eval.measuring.metric import Estimate, Obstacle, Result
from paracosm.eval.measuring.number_format import Unit, figure, interval
from paracosm.eval.results.gate_result import DECIDING_STATES, GateResult, State, Verdict
from paracosm.foundation.errors import RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.release import Release

SYNTHETIC = "synthetic records"
MAX_DATA_FACTOR = 25
"""Above this factor no number of records is advised."""
QUANTITY_WORDS: dict[Quantity, str] = {
    "value": "",
    "normalised": ", as the position from floor to ceiling,",
    "of_ceiling": ", as a share of its ceiling,",
    "departure": ", as the absolute logarithm,",
}
GUARD_DEVIATIONS = 2.576
"""Two-sided 99% of the normal distribution, so 99.5% to one side: a false alarm would void every comparison with control."""


def check_names(release: Release) -> None:
    """Refuse a limit on a gate that does not exist.

    Raises:
        RecipeError: names the gate and the nearest one that exists.
    """
    names = [gate.name for gate in GATES]
    for name in release.gates:
        if name not in names:
            raise RecipeError(
                f"release.gates: unknown gate {name!r}{did_you_mean(name, names)}; gates: {', '.join(names)}"
            )


def rule(results: Sequence[Result], missing: Mapping[str, Obstacle], release: Release) -> list[GateResult]:
    """Return the result of every gate that has a finite limit; nothing is measured.

    A metric that these data can never have (utility without a target) makes its gate not applicable. A metric that more
    records would allow leaves its gate inconclusive.

    Args:
        results: the measured metrics.
        missing: the reason why each other metric was not measured, by metric.
        release: the profile of gates, and limits other than the profile's.

    Raises:
        RecipeError: `release` limits a gate that does not exist.
    """
    check_names(release)
    measured = {result.metric.name: result for result in results}
    shifted = GUARD in measured and splits_differ(measured[GUARD].synthetic)
    limits = {gate: gate.limit(release) for gate in GATES}
    return [
        _gate_result(gate, measured.get(gate.metric), missing, limit, shifted)
        for gate, limit in limits.items()
        if math.isfinite(limit)
    ]


def splits_differ(guard: Estimate) -> bool:
    """Return whether train and control differ: the guard's AUC is above chance with 99.5% confidence."""
    return guard.value - GUARD_DEVIATIONS * guard.deviation > 0.5


def verdict(gates: Iterable[GateResult]) -> Verdict:
    """Return the worst state of the gates on which a verdict depends; INCONCLUSIVE without such a gate."""
    return verdict_of_states(gate.state for gate in gates if gate.decides)


def verdict_of_states(states: Iterable[str]) -> Verdict:
    """Return FAIL if any state is FAIL, PASS if all are PASS and there is at least one, else INCONCLUSIVE."""
    distinct = set(states)
    if "FAIL" in distinct:
        return "FAIL"
    return "PASS" if distinct == {"PASS"} else "INCONCLUSIVE"


def worst_verdict(verdicts: Iterable[str]) -> Verdict:
    """Return the worst of at least one verdict."""
    distinct = set(verdicts)
    return next(state for state in DECIDING_STATES if state in distinct)


def _gate_result(
    gate: Gate, result: Result | None, missing: Mapping[str, Obstacle], limit: float, shifted: bool
) -> GateResult:
    if result is None:
        return _unmeasured(gate, missing[gate.metric], limit)
    estimate = result.synthetic if gate.quantity == "value" else getattr(result, gate.quantity)
    if estimate is None:
        reason = f"{gate.metric}{QUANTITY_WORDS[gate.quantity]} is undefined here: floor and ceiling do not differ."
        return _result(gate, "INCONCLUSIVE", limit, None, reason)
    if gate.name == GUARD:
        return _guard(gate, estimate, limit)
    if shifted and gate.guarded:
        reason = "Void: a classifier distinguishes train from control without any attack; split the records at random."
        return _result(gate, "INCONCLUSIVE", limit, estimate, reason)
    state = _state(gate, estimate, limit)
    worst = result.estimates.get("worst")
    has_power = result.metric.zero != "worst" or (worst is not None and _state(gate, worst, limit) == "FAIL")
    if state == "PASS" and gate.section == "privacy" and not has_power:
        reason = _no_power(gate, worst, limit, result)
        return _result(gate, "INCONCLUSIVE", limit, estimate, reason, remedy=gate.settled_by)
    reason = _reason(gate, state, estimate, limit, result)
    if state != "INCONCLUSIVE":
        return _result(gate, state, limit, estimate, reason)
    remedy, factor = _remedy(gate, estimate, limit, result)
    return _result(gate, state, limit, estimate, reason, remedy=remedy, data_factor=factor)


def _unmeasured(gate: Gate, obstacle: Obstacle, limit: float) -> GateResult:
    state: State = "NOT APPLICABLE"
    if obstacle.curable:
        state = "INCONCLUSIVE" if gate.may_pass else "NO OBJECTION"
    return _result(gate, state, limit, None, f"Not measured: {obstacle.reason}.")


def _guard(gate: Gate, estimate: Estimate, limit: float) -> GateResult:
    """Return PASS unless train and control differ, and else that nothing can be concluded."""
    span = interval(estimate.low, estimate.high, "plain")
    value = f"{gate.metric} is {figure(estimate.value, 'plain')} (95% interval {span})"
    if not splits_differ(estimate):
        return _result(gate, "PASS", limit, estimate, f"{value}; this is compatible with chance, {limit:g}.")
    reason = (
        f"{value}; this is above chance, {limit:g}, so every comparison of train with control is void. "
        "A random split of the records would settle it."
    )
    return _result(gate, "INCONCLUSIVE", limit, estimate, reason)


def _no_power(gate: Gate, worst: Estimate | None, limit: float, result: Result) -> str:
    if worst is None:
        return (
            "No power: the worst case could not be measured, so keeping the limit proves nothing. "
            f"More {gate.settled_by} would settle it."
        )
    unit = _unit(gate, result)
    return (
        f"No power: the worst case itself reaches only {figure(worst.value, unit)} "
        f"(95% interval {interval(worst.low, worst.high, unit)}), which does not break the limit, "
        f"{gate.side} {figure(limit, unit)}; so keeping it proves nothing. More {gate.settled_by} would settle it."
    )


def _state(gate: Gate, estimate: Estimate, limit: float) -> State:
    at_most = gate.side == "at most"
    if estimate.low > limit if at_most else estimate.high < limit:
        return "FAIL"
    if not gate.may_pass:
        return "NO OBJECTION"
    passed = estimate.high <= limit if at_most else estimate.low >= limit
    return "PASS" if passed else "INCONCLUSIVE"


def _result(
    gate: Gate,
    state: State,
    limit: float,
    estimate: Estimate | None,
    reason: str,
    *,
    remedy: str | None = None,
    data_factor: float | None = None,
) -> GateResult:
    return GateResult(
        gate=gate.name,
        title=gate.title,
        metric=gate.metric,
        section=gate.section,
        state=state,
        threshold=limit,
        side=gate.side,
        quantity=gate.quantity,
        value=None if estimate is None else float(estimate.value),
        low=None if estimate is None else float(estimate.low),
        high=None if estimate is None else float(estimate.high),
        reason=reason,
        remedy=remedy,
        data_factor=data_factor,
    )


def _reason(gate: Gate, state: State, estimate: Estimate, limit: float, result: Result) -> str:
    unit = _unit(gate, result)
    span = interval(estimate.low, estimate.high, unit)
    value = f"{gate.metric}{QUANTITY_WORDS[gate.quantity]} is {figure(estimate.value, unit)} (95% interval {span})"
    required = f"{gate.side} {figure(limit, unit)}"
    if state == "PASS":
        bound = estimate.high if gate.side == "at most" else estimate.low
        return f"{value}; the bound {figure(bound, unit)} keeps the limit: {required}."
    if state == "FAIL":
        return f"{value}; the whole interval breaks the limit: {required}."
    if state == "NO OBJECTION":
        return (
            f"{value}; the interval is not wholly beyond the limit ({required}), so there is no objection. "
            "This gate never clears a release."
        )
    return f"{value}; the interval contains the limit: {required}. {_advice(gate, estimate, limit, result)}"


def limited_unit(quantity: Quantity, metric_unit: Unit) -> Unit:
    """Return the unit of what a gate limits: the metric's own, or that of a position or a share."""
    if quantity == "value":
        return metric_unit
    return "plain" if quantity == "departure" else "percent"


def _unit(gate: Gate, result: Result) -> Unit:
    return limited_unit(gate.quantity, result.metric.unit)


def _advice(gate: Gate, estimate: Estimate, limit: float, result: Result) -> str:
    remedy, factor = _remedy(gate, estimate, limit, result)
    if factor is not None and remedy == SYNTHETIC:
        return f"Without a single copy, {_copies_needed(limit):,} synthetic records would settle it."
    if factor is not None:
        return f"About {math.ceil(10 * factor) / 10:g} times as many {remedy} would settle it."
    if _margin(gate, estimate, limit) <= 0:
        return f"The value itself is on the wrong side; more {remedy} would show whether that is chance."
    return f"More than {MAX_DATA_FACTOR} times as many {remedy} would be needed to settle it."


def _remedy(gate: Gate, estimate: Estimate, limit: float, result: Result) -> tuple[str, float | None]:
    """Return the kind of data that would settle the gate, and how many times as much; None where that gives no advice.

    The width of the interval shrinks with the square root of the number of records.
    """
    facts, margin = result.synthetic.facts, _margin(gate, estimate, limit)
    bound = estimate.high if gate.side == "at most" else estimate.low
    if margin <= 0:
        return gate.settled_by, None
    if limit > 0 and facts.get("copies") == 0 and facts.get("rows"):
        return SYNTHETIC, max(1.0, _copies_needed(limit) / facts["rows"])
    factor = float((abs(bound - estimate.value) / margin) ** 2)
    return gate.settled_by, factor if factor <= MAX_DATA_FACTOR else None


def _margin(gate: Gate, estimate: Estimate, limit: float) -> float:
    """Return by how much the value keeps the limit; negative where it breaks it."""
    return limit - estimate.value if gate.side == "at most" else estimate.value - limit


def _copies_needed(limit: float) -> int:
    """Return the number of records without a copy at which the upper bound reaches the limit.

    The Wilson bound at zero events is z^2 / (n + z^2) with z = 1.96, about 3.85 / n.
    """
    return math.ceil(3.85 / limit)

"""Reasons: why a gate is in its state, in words, and how much more data of which kind would decide it."""

import math

from paracosm.eval.measuring.gate import Gate, Quantity
from paracosm.eval.measuring.metric import Estimate, Result
from paracosm.eval.measuring.number_format import Unit, figure, interval
from paracosm.eval.results.gate_result import State

SYNTHETIC = "synthetic records"
MAX_DATA_FACTOR = 25
"""Above this factor no number of records is advised."""
QUANTITY_WORDS: dict[Quantity, str] = {
    "value": "",
    "normalised": ", as the position from floor to ceiling,",
    "of_ceiling": ", as a share of its ceiling,",
    "departure": ", as the absolute logarithm,",
}


def no_power(gate: Gate, worst: Estimate | None, limit: float, result: Result) -> str:
    """Return why a gate without power clears nothing."""
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


def reason_of(gate: Gate, state: State, estimate: Estimate, limit: float, result: Result) -> str:
    """Return why a measured gate is in its state."""
    unit = _unit(gate, result)
    value = f"{gate.metric}{QUANTITY_WORDS[gate.quantity]} is {figure(estimate.value, unit)}"
    if estimate.low == estimate.high and state != "INCONCLUSIVE":
        return _without_interval(gate, state, value, limit, unit)
    value += f" (95% interval {interval(estimate.low, estimate.high, unit)})"
    required = f"{gate.side} {figure(limit, unit)}"
    if state == "PASS":
        bound = estimate.high if gate.side == "at most" else estimate.low
        return f"{value}; the bound {figure(bound, unit)} keeps the limit: {required}."
    if state == "FAIL":
        return f"{value}; the whole interval breaks the limit: {required}."
    if state == "NO OBJECTION":
        return (
            f"{value}; the interval is not wholly beyond the limit ({required}), so there is no objection. "
            f"This gate {'never clears a release' if gate.only_objects else 'clears nothing under this profile'}."
        )
    return f"{value}; the interval contains the limit: {required}. {_advice(gate, estimate, limit, result)}"


def _without_interval(gate: Gate, state: State, value: str, limit: float, unit: Unit) -> str:
    """Return the reason where a test decides whether there is a value at all, so that it has no interval."""
    verb = "breaks" if state == "FAIL" else "keeps"
    return f"{value}; it {verb} the limit: {gate.side} {figure(limit, unit)}."


def limited_unit(quantity: Quantity, metric_unit: Unit) -> Unit:
    """Return the unit of what a gate limits: the metric's own, or that of a position or a share."""
    if quantity == "value":
        return metric_unit
    return "plain" if quantity == "departure" else "percent"


def _unit(gate: Gate, result: Result) -> Unit:
    return limited_unit(gate.quantity, result.metric.unit)


def _advice(gate: Gate, estimate: Estimate, limit: float, result: Result) -> str:
    remedy, factor = remedy_of(gate, estimate, limit, result)
    if factor is not None and remedy == SYNTHETIC:
        return f"Without a single copy, {_copies_needed(limit):,} synthetic records would settle it."
    if factor is not None:
        return f"About {math.ceil(10 * factor) / 10:g} times as many {remedy} would settle it."
    if _margin(gate, estimate, limit) <= 0:
        return f"The value itself is on the wrong side; more {remedy} would show whether that is chance."
    return f"More than {MAX_DATA_FACTOR} times as many {remedy} would be needed to settle it."


def remedy_of(gate: Gate, estimate: Estimate, limit: float, result: Result) -> tuple[str, float | None]:
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

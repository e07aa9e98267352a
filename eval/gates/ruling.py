"""Gates: what must hold before a release, each with three states and the reason in words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Literal

from paracosm.eval.gates.catalogue import GATES
from paracosm.eval.measuring.gate import GUARD, Gate, Quantity
from paracosm.eval.measuring.metric import Estimate, Obstacle, Result, Section
from paracosm.eval.measuring.number_format import Unit, figure, interval
from paracosm.foundation.errors import RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.release import Release

State = Literal["PASS", "FAIL", "INCONCLUSIVE", "NO OBJECTION", "NOT APPLICABLE"]
Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]
SYNTHETIC = "synthetic records"
MOST_TIMES = 25
"""More records than so many times as many are no advice."""
NAMES: dict[Quantity, str] = {
    "value": "",
    "normalised": ", as the way from floor to ceiling,",
    "of_ceiling": ", as a share of its ceiling,",
    "departure": ", as the absolute logarithm,",
}


@dataclass(frozen=True)
class Ruling:
    """What a gate said, and why."""

    gate: str
    title: str
    metric: str
    section: Section
    state: State
    threshold: float
    side: str
    quantity: str
    value: float | None
    low: float | None
    high: float | None
    reason: str
    cure: str | None = None
    """Of what more would settle it, where it is inconclusive."""
    times: float | None = None
    """How many times as many of these; None where more would only show whether the value is chance."""

    @property
    def rules(self) -> bool:
        """Whether the verdict depends on it: an objection that was not raised, or a gate without its metric, does not."""
        return self.state in ("PASS", "FAIL", "INCONCLUSIVE")

    def plain(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return asdict(self)


def check_names(release: Release) -> None:
    """Refuse a limit on a gate that does not exist.

    Raises:
        RecipeError: naming it and the nearest gate.
    """
    names = [gate.name for gate in GATES]
    for name in release.gates:
        if name not in names:
            raise RecipeError(
                f"release.gates: unknown gate {name!r}{did_you_mean(name, names)}; gates: {', '.join(names)}"
            )


def rule(results: Sequence[Result], missing: Mapping[str, Obstacle], release: Release) -> list[Ruling]:
    """Return what every gate says of the measured metrics; `missing` tells why a metric was not measured.

    A metric that these data can never have (usefulness without a target) leaves its gate out of the verdict; one that
    more records would allow leaves it inconclusive.
    """
    check_names(release)
    measured = {result.metric.name: result for result in results}
    shifted = GUARD in measured and tells_apart(measured[GUARD].synthetic)
    asked = [gate for gate in GATES if math.isfinite(gate.limit(release))]
    return [_rule(gate, measured.get(gate.metric), missing, gate.limit(release), shifted) for gate in asked]


def tells_apart(guard: Estimate) -> bool:
    """Return whether the guard rules chance out, at 99.5%: a false alarm would void every comparison with control."""
    return guard.value - 2.576 * guard.deviation > 0.5


def verdict(rulings: Sequence[Ruling]) -> Verdict:
    """Return the worst state of the gates that rule; without one, nothing may be concluded."""
    states = {ruling.state for ruling in rulings if ruling.rules}
    if "FAIL" in states:
        return "FAIL"
    return "PASS" if states == {"PASS"} else "INCONCLUSIVE"


def _rule(
    gate: Gate, result: Result | None, missing: Mapping[str, Obstacle], limit: float, shifted: bool
) -> Ruling:
    if result is None:
        obstacle = missing[gate.metric]
        open_state: State = "INCONCLUSIVE" if gate.may_pass else "NO OBJECTION"
        state: State = open_state if obstacle.curable else "NOT APPLICABLE"
        return _ruling(gate, state, limit, None, f"Not measured: {obstacle.reason}.")
    estimate = result.synthetic if gate.quantity == "value" else getattr(result, gate.quantity)
    if estimate is None:
        reason = f"{gate.metric}{NAMES[gate.quantity]} is undefined here: floor and ceiling do not differ."
        return _ruling(gate, "INCONCLUSIVE", limit, None, reason)
    if gate.name == GUARD:
        return _guard(gate, estimate, limit)
    if shifted and gate.guarded:
        reason = (
            "Void: a classifier tells train from control without any attack, so divide the records at random."
        )
        return _ruling(gate, "INCONCLUSIVE", limit, estimate, reason)
    state = _state(gate, estimate, limit)
    worst = result.estimates.get("worst")
    proves = result.metric.zero != "worst" or (worst is not None and _state(gate, worst, limit) == "FAIL")
    if state == "PASS" and gate.section == "privacy" and not proves:
        reason = _no_power(gate, worst, limit, result)
        return replace(_ruling(gate, "INCONCLUSIVE", limit, estimate, reason), cure=gate.settled_by)
    found = _ruling(gate, state, limit, estimate, _reason(gate, state, estimate, limit, result))
    if state != "INCONCLUSIVE":
        return found
    cure, times = _cure(gate, estimate, limit, result)
    return replace(found, cure=cure, times=times)


def _guard(gate: Gate, estimate: Estimate, limit: float) -> Ruling:
    """Return PASS where the interval reaches down to the limit, else that nothing can be concluded."""
    span = interval(estimate.low, estimate.high, "plain")
    said = f"{gate.metric} is {figure(estimate.value, 'plain')} (95% interval {span})"
    if not tells_apart(estimate):
        return _ruling(gate, "PASS", limit, estimate, f"{said}; chance, {limit:g}, is not ruled out.")
    reason = f"{said}; chance, {limit:g}, is ruled out, so every comparison of train with control is void."
    return _ruling(
        gate, "INCONCLUSIVE", limit, estimate, f"{reason} Records that are divided at random would settle it."
    )


def _no_power(gate: Gate, worst: Estimate | None, limit: float, result: Result) -> str:
    if worst is None:
        return f"No power: the worst case could not be measured, so keeping the limit proves nothing. More {gate.settled_by} would settle it."
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


def _ruling(gate: Gate, state: State, limit: float, estimate: Estimate | None, reason: str) -> Ruling:
    figures = (None, None, None) if estimate is None else (estimate.value, estimate.low, estimate.high)
    return Ruling(
        gate.name,
        gate.title,
        gate.metric,
        gate.section,
        state,
        limit,
        gate.side,
        gate.quantity,
        *figures,
        reason,
    )


def _reason(gate: Gate, state: State, estimate: Estimate, limit: float, result: Result) -> str:
    unit = _unit(gate, result)
    value, span = figure(estimate.value, unit), interval(estimate.low, estimate.high, unit)
    said = f"{gate.metric}{NAMES[gate.quantity]} is {value} (95% interval {span})"
    wanted = f"{gate.side} {figure(limit, unit)}"
    if state == "PASS":
        bound = estimate.high if gate.side == "at most" else estimate.low
        return f"{said}; the bound {figure(bound, unit)} keeps the limit: {wanted}."
    if state == "FAIL":
        return f"{said}; all of the interval breaks the limit: {wanted}."
    if state == "NO OBJECTION":
        return f"{said}; not wholly beyond the limit ({wanted}), so no objection. It never clears a release."
    return f"{said}; the interval straddles the limit: {wanted}. {_settling(gate, estimate, limit, result)}"


def _unit(gate: Gate, result: Result) -> Unit:
    if gate.quantity == "value":
        return result.metric.unit
    return "plain" if gate.quantity == "departure" else "percent"


def _settling(gate: Gate, estimate: Estimate, limit: float, result: Result) -> str:
    what, times = _cure(gate, estimate, limit, result)
    if times is not None and what == SYNTHETIC:
        return f"Without a single copy, {_copies_needed(limit):,} synthetic records would settle it."
    if times is not None:
        return f"About {math.ceil(10 * times) / 10:g} times as many {what} would settle it."
    if _room(gate, estimate, limit) <= 0:
        return f"The value itself is on the wrong side; more {what} would show whether that is chance."
    return f"The value lies on the limit: more {what} would hardly settle it."


def _cure(gate: Gate, estimate: Estimate, limit: float, result: Result) -> tuple[str, float | None]:
    """Return of what more would settle the gate, and how many times as many; None where that is no matter of number."""
    facts, room = result.synthetic.facts, _room(gate, estimate, limit)
    bound = estimate.high if gate.side == "at most" else estimate.low
    if room <= 0:
        return gate.settled_by, None
    if limit > 0 and facts.get("copies") == 0 and facts.get("rows"):
        return SYNTHETIC, max(1.0, _copies_needed(limit) / facts["rows"])
    times = (abs(bound - estimate.value) / room) ** 2
    return gate.settled_by, times if times <= MOST_TIMES else None


def _room(gate: Gate, estimate: Estimate, limit: float) -> float:
    return limit - estimate.value if gate.side == "at most" else estimate.value - limit


def _copies_needed(limit: float) -> int:
    return math.ceil(3.85 / limit)

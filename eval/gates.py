"""Gates: what must hold before a release, each with three states and the reason in words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from paracosm.eval.metric import Estimate, Result, Section
from paracosm.recipes.errors import RecipeError
from paracosm.recipes.nearest import did_you_mean
from paracosm.recipes.recipe import Release

State = Literal["PASS", "FAIL", "INCONCLUSIVE", "NO OBJECTION", "NOT MEASURED"]
Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]
Quantity = Literal["value", "normalised", "of_ceiling"]
NAMES: dict[Quantity, str] = {
    "value": "",
    "normalised": " between floor and ceiling",
    "of_ceiling": " as a share of the ceiling",
}


@dataclass(frozen=True)
class Gate:
    """A limit on one quantity of one metric."""

    name: str
    metric: str
    section: Section
    quantity: Quantity
    side: Literal["at most", "at least"]
    internal: float
    partner: float
    public: float
    settled_by: str
    """Of what more would narrow the interval."""
    may_pass: bool = True
    """False: the gate may object to a release and never clears one."""

    def limit(self, release: Release) -> float:
        """Return the recipe's own limit, else the profile's."""
        return release.gates.get(self.name, getattr(self, release.profile))


HELD_OUT = "control and test records"
COPIES = "synthetic and control records"

# Thresholds are this project's judgement; partner and public are stricter where it is about people.
GATES: tuple[Gate, ...] = (
    Gate("marginals", "marginals", "fidelity", "of_ceiling", "at least", 0.95, 0.95, 0.95, HELD_OUT),
    Gate("pairs", "pairs", "fidelity", "normalised", "at least", 0.8, 0.8, 0.8, HELD_OUT),
    Gate("c2st_auc", "c2st_auc", "fidelity", "value", "at most", 0.75, 0.75, 0.75, HELD_OUT),
    Gate("utility_skill", "utility_skill", "utility", "value", "at least", 0.8, 0.8, 0.8, "test records"),
    Gate("exact_copies", "exact_copies", "leakage", "value", "at most", 0.01, 0.005, 0.001, COPIES),
    Gate("near_copies", "near_copies", "leakage", "value", "at most", 0.01, 0.005, 0.001, COPIES),
    Gate("dcr_share", "dcr_share", "leakage", "value", "at most", 0.55, 0.55, 0.55, "control records", False),
    Gate("twins", "c2st_auc", "leakage", "value", "at least", 0.4, 0.4, 0.4, HELD_OUT, False),
)


@dataclass(frozen=True)
class Ruling:
    """What a gate said, and why."""

    gate: str
    metric: str
    section: Section
    state: State
    limit: float
    side: str
    quantity: str
    value: float | None
    low: float | None
    high: float | None
    reason: str

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


def rule(results: Sequence[Result], missing: Mapping[str, str], release: Release) -> list[Ruling]:
    """Return what every gate says of the measured metrics; `missing` gives the reason where one was not measured."""
    check_names(release)
    measured = {result.metric.name: result for result in results}
    return [_rule(gate, measured.get(gate.metric), missing, gate.limit(release)) for gate in GATES]


def verdict(rulings: Sequence[Ruling]) -> Verdict:
    """Return the worst state; without a measured leakage gate the verdict cannot be better than INCONCLUSIVE."""
    states = {ruling.state for ruling in rulings}
    if "FAIL" in states:
        return "FAIL"
    leakage = [ruling for ruling in rulings if ruling.section == "leakage"]
    cleared = any(ruling.state == "PASS" for ruling in leakage)
    if "INCONCLUSIVE" in states or (leakage and not cleared):
        return "INCONCLUSIVE"
    return "PASS"


def _rule(gate: Gate, result: Result | None, missing: Mapping[str, str], limit: float) -> Ruling:
    if result is None:
        reason = missing.get(gate.metric, "the metric was not measured")
        return _ruling(gate, "NOT MEASURED", limit, None, f"Not measured: {reason}.")
    estimate = result.synthetic if gate.quantity == "value" else getattr(result, gate.quantity)
    if estimate is None:
        reason = f"{gate.metric}{NAMES[gate.quantity]} is undefined here: floor and ceiling do not differ."
        return _ruling(gate, "INCONCLUSIVE", limit, None, reason)
    state = _state(gate, estimate, limit)
    return _ruling(gate, state, limit, estimate, _reason(gate, state, estimate, limit, result))


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
        gate.name, gate.metric, gate.section, state, limit, gate.side, gate.quantity, *figures, reason
    )


def _reason(gate: Gate, state: State, estimate: Estimate, limit: float, result: Result) -> str:
    figure = f"{gate.metric}{NAMES[gate.quantity]} is {estimate.value:.4g}, 95% interval {estimate.low:.4g} to {estimate.high:.4g}"
    if state == "PASS":
        bound = estimate.high if gate.side == "at most" else estimate.low
        return f"{figure}: the bound {bound:.4g} keeps the limit ({gate.side} {limit:g})."
    if state == "FAIL":
        return f"{figure}: all of it breaks the limit ({gate.side} {limit:g})."
    if state == "NO OBJECTION":
        return f"{figure}: no objection ({gate.side} {limit:g}); this metric can fail a release and never clears one."
    return f"{figure}: it straddles the limit ({gate.side} {limit:g}). {_settling(gate, estimate, limit, result)}"


def _settling(gate: Gate, estimate: Estimate, limit: float, result: Result) -> str:
    facts = result.synthetic.facts
    bound = estimate.high if gate.side == "at most" else estimate.low
    room = (limit - estimate.value) if gate.side == "at most" else (estimate.value - limit)
    if room <= 0:
        return f"The value itself is on the wrong side; more {gate.settled_by} would show whether that is chance."
    if facts.get("copies") == 0:
        return f"Without a single copy, {math.ceil(3.85 / limit):,} synthetic records would settle it."
    times = (abs(bound - estimate.value) / room) ** 2
    if times > 100:
        return f"The value lies on the limit: more {gate.settled_by} would hardly settle it."
    return f"About {math.ceil(10 * times) / 10:g} times as many {gate.settled_by} would settle it."

"""Gates: what must hold before a release, each with three states and the reason in words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from paracosm.eval.figures import figure, interval
from paracosm.eval.metric import Estimate, Obstacle, Result, Section
from paracosm.recipes.errors import RecipeError
from paracosm.recipes.nearest import did_you_mean
from paracosm.recipes.recipe import Release

State = Literal["PASS", "FAIL", "INCONCLUSIVE", "NO OBJECTION", "NOT APPLICABLE"]
Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]
Quantity = Literal["value", "normalised", "of_ceiling"]
NAMES: dict[Quantity, str] = {
    "value": "",
    "normalised": ", as the way from floor to ceiling,",
    "of_ceiling": ", as a share of its ceiling,",
}


@dataclass(frozen=True)
class Gate:
    """A limit on one quantity of one metric."""

    name: str
    title: str
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
        by_profile = {"internal": self.internal, "partner": self.partner, "public": self.public}
        return release.gates.get(self.name, by_profile[release.profile])


HELD_OUT = "control and test records"
COPIES = "synthetic and control records"

# Thresholds are this project's judgement; partner and public are stricter where it is about people.
GATES: tuple[Gate, ...] = (
    Gate(
        "marginals",
        "Columns, one by one",
        "marginals",
        "fidelity",
        "of_ceiling",
        "at least",
        0.95,
        0.95,
        0.95,
        HELD_OUT,
    ),
    Gate(
        "pairs", "Columns, two by two", "pairs", "fidelity", "normalised", "at least", 0.8, 0.8, 0.8, HELD_OUT
    ),
    Gate(
        "c2st_auc",
        "Telling synthetic from real",
        "c2st_auc",
        "fidelity",
        "value",
        "at most",
        0.75,
        0.75,
        0.75,
        HELD_OUT,
    ),
    Gate(
        "utility_skill",
        "Usefulness for learning",
        "utility_skill",
        "utility",
        "value",
        "at least",
        0.8,
        0.8,
        0.8,
        "test records",
    ),
    Gate(
        "exact_copies",
        "Exact copies of training records",
        "exact_copies",
        "privacy",
        "value",
        "at most",
        0.01,
        0.005,
        0.001,
        COPIES,
    ),
    Gate(
        "near_copies",
        "Near copies of training records",
        "near_copies",
        "privacy",
        "value",
        "at most",
        0.01,
        0.005,
        0.001,
        COPIES,
    ),
    Gate(
        "dcr_share",
        "Nearer to train than to unseen records",
        "dcr_share",
        "privacy",
        "value",
        "at most",
        0.55,
        0.55,
        0.55,
        "control records",
        False,
    ),
    Gate(
        "twins",
        "Twins of training records",
        "c2st_auc",
        "privacy",
        "value",
        "at least",
        0.4,
        0.4,
        0.4,
        HELD_OUT,
        False,
    ),
)


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
    return [_rule(gate, measured.get(gate.metric), missing, gate.limit(release)) for gate in GATES]


def verdict(rulings: Sequence[Ruling]) -> Verdict:
    """Return the worst state of the gates that rule; without one, nothing may be concluded."""
    states = {ruling.state for ruling in rulings if ruling.rules}
    if "FAIL" in states:
        return "FAIL"
    return "PASS" if states == {"PASS"} else "INCONCLUSIVE"


def _rule(gate: Gate, result: Result | None, missing: Mapping[str, Obstacle], limit: float) -> Ruling:
    if result is None:
        obstacle = missing[gate.metric]
        open_state: State = "INCONCLUSIVE" if gate.may_pass else "NO OBJECTION"
        state: State = open_state if obstacle.curable else "NOT APPLICABLE"
        return _ruling(gate, state, limit, None, f"Not measured: {obstacle.reason}.")
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
    unit = result.metric.unit if gate.quantity == "value" else "percent"
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


def _settling(gate: Gate, estimate: Estimate, limit: float, result: Result) -> str:
    facts = result.synthetic.facts
    bound = estimate.high if gate.side == "at most" else estimate.low
    room = (limit - estimate.value) if gate.side == "at most" else (estimate.value - limit)
    if room <= 0:
        return f"The value itself is on the wrong side; more {gate.settled_by} would show whether that is chance."
    if facts.get("copies") == 0:
        return f"Without a single copy, {math.ceil(3.85 / limit):,} synthetic records would settle it."
    times = (abs(bound - estimate.value) / room) ** 2
    if times > 25:
        return f"The value lies on the limit: more {gate.settled_by} would hardly settle it."
    return f"About {math.ceil(10 * times) / 10:g} times as many {gate.settled_by} would settle it."

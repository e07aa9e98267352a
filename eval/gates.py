"""Gates: what must hold before a release, each with three states and the reason in words."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from paracosm.eval.figures import Unit, figure, interval
from paracosm.eval.metric import Estimate, Obstacle, Result, Section
from paracosm.recipes.errors import RecipeError
from paracosm.recipes.nearest import did_you_mean
from paracosm.recipes.recipe import Release

State = Literal["PASS", "FAIL", "INCONCLUSIVE", "NO OBJECTION", "NOT APPLICABLE"]
Verdict = Literal["PASS", "FAIL", "INCONCLUSIVE"]
Quantity = Literal["value", "normalised", "of_ceiling", "departure"]
NAMES: dict[Quantity, str] = {
    "value": "",
    "normalised": ", as the way from floor to ceiling,",
    "of_ceiling": ", as a share of its ceiling,",
    "departure": ", as the absolute logarithm,",
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
    guarded: bool = False
    """Whether it compares train with control, so that it says nothing where the two differ by themselves."""

    def limit(self, release: Release) -> float:
        """Return the recipe's own limit, else the profile's."""
        by_profile = {"internal": self.internal, "partner": self.partner, "public": self.public}
        return release.gates.get(self.name, by_profile[release.profile])


HELD_OUT = "control and test records"
COPIES = "synthetic and control records"
CONTROL = "control records"
GUARD = "split_guard"


def _gate(
    name: str,
    title: str,
    section: Section,
    side: Literal["at most", "at least"],
    limits: tuple[float, float, float],
    settled_by: str,
    **rest: Any,
) -> Gate:
    """Return a gate whose metric is its own name and whose limits are those of internal, partner, public."""
    chosen: dict[str, Any] = {"metric": name, "quantity": "value"} | rest
    return Gate(
        name=name,
        title=title,
        section=section,
        side=side,
        internal=limits[0],
        partner=limits[1],
        public=limits[2],
        settled_by=settled_by,
        **chosen,
    )


# Thresholds are this project's judgement; partner and public are stricter where it is about people.
GATES: tuple[Gate, ...] = (
    _gate(
        "marginals",
        "Columns, one by one",
        "fidelity",
        "at least",
        (0.95, 0.95, 0.95),
        HELD_OUT,
        quantity="of_ceiling",
    ),
    _gate(
        "pairs",
        "Columns, two by two",
        "fidelity",
        "at least",
        (0.8, 0.8, 0.8),
        HELD_OUT,
        quantity="normalised",
    ),
    _gate("c2st_auc", "Telling synthetic from real", "fidelity", "at most", (0.75, 0.75, 0.75), HELD_OUT),
    _gate(
        "triples",
        "Columns, three by three",
        "fidelity",
        "at least",
        (0.8, 0.8, 0.8),
        HELD_OUT,
        quantity="normalised",
    ),
    _gate(
        "text_auc", "Telling texts apart by their words", "fidelity", "at most", (0.75, 0.75, 0.75), HELD_OUT
    ),
    _gate("mauve", "MAUVE", "fidelity", "at least", (0.8, 0.8, 0.8), HELD_OUT, quantity="normalised"),
    _gate(
        "frechet",
        "Fréchet distance of meanings",
        "fidelity",
        "at least",
        (0.8, 0.8, 0.8),
        HELD_OUT,
        quantity="normalised",
    ),
    _gate(
        "perplexity_ratio",
        "Wording as surprising as real",
        "fidelity",
        "at most",
        (0.223, 0.223, 0.223),
        HELD_OUT,
        quantity="departure",
    ),
    _gate("distinct_ratio", "Variety of words", "fidelity", "at least", (0.8, 0.8, 0.8), HELD_OUT),
    _gate("vendi_ratio", "Variety of meanings", "fidelity", "at least", (0.8, 0.8, 0.8), HELD_OUT),
    _gate(
        "column_from_text",
        "Columns told from the text",
        "fidelity",
        "at least",
        (0.8, 0.8, 0.8),
        HELD_OUT,
        quantity="normalised",
    ),
    _gate(
        "text_information", "What texts say about columns", "fidelity", "at least", (0.8, 0.8, 0.8), HELD_OUT
    ),
    _gate("utility_skill", "Usefulness for learning", "utility", "at least", (0.8, 0.8, 0.8), "test records"),
    _gate(
        "exact_copies", "Exact copies of training records", "privacy", "at most", (0.01, 0.005, 0.001), COPIES
    ),
    _gate(
        "near_copies", "Near copies of training records", "privacy", "at most", (0.01, 0.005, 0.001), COPIES
    ),
    _gate("run_13", "Texts with 13 words of train", "privacy", "at most", (0.02, 0.01, 0.005), COPIES),
    _gate("run_50", "Texts with 50 words of train", "privacy", "at most", (0.01, 0.005, 0.001), COPIES),
    _gate(
        "pii_replay", "Identifiers of one person", "privacy", "at most", (0.01, 0.005, 0.001), "control texts"
    ),
    _gate(GUARD, "Guard: train and control look alike", "privacy", "at most", (0.5, 0.5, 0.5), CONTROL),
    _gate(
        "data_mia_auc",
        "Membership from the synthetic records",
        "privacy",
        "at most",
        (0.6, 0.575, 0.55),
        CONTROL,
        guarded=True,
    ),
    _gate(
        "data_mia_tpr",
        "Members named from the synthetic records",
        "privacy",
        "at most",
        (0.05, 0.03, 0.02),
        CONTROL,
        guarded=True,
    ),
    _gate("singling_out", "Singling out", "privacy", "at most", (0.15, 0.1, 0.05), CONTROL, guarded=True),
    _gate("linkability", "Linkability", "privacy", "at most", (0.15, 0.1, 0.05), CONTROL, guarded=True),
    _gate("inference", "Inference", "privacy", "at most", (0.15, 0.1, 0.05), CONTROL, guarded=True),
    _gate(
        "adapter_mia_auc",
        "Membership from the adapter",
        "privacy",
        "at most",
        (0.6, 0.575, 0.55),
        HELD_OUT,
        guarded=True,
    ),
    _gate(
        "adapter_mia_tpr",
        "Members named from the adapter",
        "privacy",
        "at most",
        (0.05, 0.03, 0.02),
        HELD_OUT,
        guarded=True,
    ),
    _gate(
        "extraction",
        "Texts that the adapter gives away",
        "privacy",
        "at most",
        (0.01, 0.005, 0.001),
        HELD_OUT,
    ),
    _gate(
        "canary_exposure", "Exposure of planted records", "privacy", "at most", (10.0, 10.0, 10.0), "canaries"
    ),
    _gate(
        "dcr_share",
        "Nearer to train than to unseen records",
        "privacy",
        "at most",
        (0.55, 0.55, 0.55),
        CONTROL,
        may_pass=False,
    ),
    _gate(
        "twins",
        "Twins of training records",
        "privacy",
        "at least",
        (0.4, 0.4, 0.4),
        HELD_OUT,
        metric="c2st_auc",
        may_pass=False,
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
    shifted = GUARD in measured and tells_apart(measured[GUARD].synthetic)
    return [_rule(gate, measured.get(gate.metric), missing, gate.limit(release), shifted) for gate in GATES]


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
    if (
        state == "PASS"
        and gate.section == "privacy"
        and worst is not None
        and _state(gate, worst, limit) != "FAIL"
    ):
        return _ruling(gate, "INCONCLUSIVE", limit, estimate, _no_power(gate, worst, limit, result))
    return _ruling(gate, state, limit, estimate, _reason(gate, state, estimate, limit, result))


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


def _no_power(gate: Gate, worst: Estimate, limit: float, result: Result) -> str:
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

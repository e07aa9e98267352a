"""Rulings: the state of every release gate, with the reason in words, and the verdict that follows from the states."""

import math
from collections.abc import Iterable, Mapping, Sequence

from paracosm.eval.gates.catalogue import GATES
from paracosm.eval.gates.reasons import QUANTITY_WORDS, no_power, reason_of, remedy_of
from paracosm.eval.measuring.gate import GUARD, KNOWN_CELLS, Gate, Question
from paracosm.eval.measuring.metric import Estimate, Obstacle, Result
from paracosm.eval.measuring.number_format import bound_forms, figure, interval
from paracosm.eval.results.gate_result import DECIDING_STATES, GateResult, State, Verdict
from paracosm.foundation.errors import RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.release import Release, What

GUARD_DEVIATIONS = 2.576
"""Two-sided 99% of the normal distribution, so 99.5% to one side: a false alarm would void every comparison with control."""

GUESSING = 0.5
"""AUC of a classifier that guesses."""


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


def rule(
    results: Sequence[Result],
    missing: Mapping[str, Obstacle],
    release: Release,
    absent_columns: Sequence[str] = (),
) -> list[GateResult]:
    """Return the result of every gate that has a finite limit; nothing is measured.

    A metric that these data can never have (utility without a target) makes its gate not applicable. A metric that more
    records would allow leaves its gate inconclusive.

    Args:
        results: the measured metrics.
        missing: the reason why each other metric was not measured, by metric.
        release: the profile of gates, and limits other than the profile's.
        absent_columns: columns that the synthetic records lack; without them no fidelity gate passes.

    Raises:
        RecipeError: `release` limits a gate that does not exist.
    """
    check_names(release)
    measured = {result.metric.name: result for result in results}
    limits = {gate: gate.limit(release) for gate in GATES}
    by_name = {gate.name: limit for gate, limit in limits.items()}
    shifted = GUARD in measured and splits_differ(measured[GUARD].synthetic, by_name[GUARD])
    known = measured[KNOWN_CELLS].synthetic.value if KNOWN_CELLS in measured else 1.0
    unknown = 1 - known if known < by_name[KNOWN_CELLS] else 0.0
    return [
        _with_unknown_cells(
            _with_absent_columns(
                _gate_result(
                    gate,
                    measured.get(gate.metric),
                    missing,
                    limit,
                    shifted,
                    gate.demands_proof(release) and gate.proven_by not in measured,
                ),
                absent_columns,
            ),
            gate.question,
            unknown,
        )
        for gate, limit in limits.items()
        if math.isfinite(limit)
    ]


def _with_absent_columns(gate: GateResult, absent: Sequence[str]) -> GateResult:
    """Return INCONCLUSIVE in place of a PASS of fidelity where the synthetic records lack columns."""
    if not absent or gate.section != "fidelity" or gate.state != "PASS":
        return gate
    columns = ", ".join(map(repr, absent))
    reason = f"Keeps its limit on the columns that there are, but the synthetic records lack {columns}."
    return gate.model_copy(update={"state": "INCONCLUSIVE", "reason": reason})


def _with_unknown_cells(gate: GateResult, question: Question, unknown: float) -> GateResult:
    """Return INCONCLUSIVE in place of a gate on records that is kept because most cells could not be compared.

    Args:
        gate: its result.
        question: what it is about.
        unknown: share of cells with a value that real records do not have; 0 where it is below the limit.
    """
    if not unknown or question != "records" or gate.state not in ("PASS", "NO OBJECTION", "FAIL"):
        return gate
    if gate.state == "FAIL" and gate.gate != KNOWN_CELLS:
        return gate
    reason = (
        f"Not comparable: {figure(unknown, 'percent')} of cells have a value that real records do not have, so that the limit is kept "
        "whatever leaks. Write the labels as the real records do."
    )
    return gate.model_copy(update={"state": "INCONCLUSIVE", "reason": reason, "excluded": None})


def splits_differ(guard: Estimate, limit: float) -> bool:
    """Return whether train and control differ: the guard's AUC is above its limit with 99.5% confidence."""
    return guard.value - GUARD_DEVIATIONS * guard.deviation > limit


def verdict(gates: Iterable[GateResult], what: What = "both") -> Verdict:
    """Return the worst state of the gates on which the release of `what` depends; INCONCLUSIVE without such a gate."""
    return verdict_of_states(gate.state for gate in gates if gate.decides and concerns(gate, what))


def concerns(gate: GateResult, what: What) -> bool:
    """Return whether the release of `what` depends on a gate: records alone do not depend on gates of the adapter."""
    return what != "records" or question_of(gate) != "adapter"


def question_of(gate: GateResult) -> Question:
    """Return what a gate is about; a gate that this version of Paracosm does not have is judged by its section."""
    for known in GATES:
        if known.name == gate.gate:
            return known.question
    section = gate.section
    return "records" if section == "privacy" else section


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
    gate: Gate,
    result: Result | None,
    missing: Mapping[str, Obstacle],
    limit: float,
    shifted: bool,
    proof: bool,
) -> GateResult:
    """Return the result of one gate.

    Args:
        gate: the gate.
        result: its metric, where it was measured.
        missing: the reason why each other metric was not measured, by metric.
        limit: of this release.
        shifted: whether train and control differ by themselves.
        proof: whether the profile demands proof; otherwise the gate only objects.
    """
    if result is None:
        return _unmeasured(gate, missing[gate.metric], limit, proof)
    estimate = result.synthetic if gate.quantity == "value" else getattr(result, gate.quantity)
    if estimate is None:
        reason = f"{gate.metric}{QUANTITY_WORDS[gate.quantity]} is undefined here: floor and ceiling do not differ."
        return _result(gate, "INCONCLUSIVE", limit, None, reason)
    if gate.name == GUARD:
        return _guard(gate, estimate, limit)
    if shifted and gate.guarded:
        reason = "Void: a classifier distinguishes train from control without any attack; split the records at random."
        return _result(gate, "INCONCLUSIVE", limit, estimate, reason)
    state = _state(gate, estimate, limit, proof)
    worst = result.estimates.get("worst")
    has_power = result.metric.zero != "worst" or (
        worst is not None and _state(gate, worst, limit, proof) == "FAIL"
    )
    clears = state == "PASS" or (state == "NO OBJECTION" and not gate.only_objects)
    if clears and gate.section == "privacy" and not has_power:
        reason = no_power(gate, worst, limit, result)
        return _result(gate, "INCONCLUSIVE", limit, estimate, reason, remedy=gate.settled_by)
    reason = reason_of(gate, state, estimate, limit, result)
    excluded = _excluded(gate, estimate) if state != "FAIL" and has_power else None
    if state != "INCONCLUSIVE":
        return _result(gate, state, limit, estimate, reason, excluded=excluded)
    remedy, factor = remedy_of(gate, estimate, limit, result)
    return _result(gate, state, limit, estimate, reason, remedy=remedy, data_factor=factor, excluded=excluded)


def _excluded(gate: Gate, estimate: Estimate) -> str | None:
    """Return what the bound of the interval excludes, in words; None where the gate has no words for it."""
    bound = estimate.high if gate.side == "at most" else estimate.low
    return gate.excludes.format(**bound_forms(bound)) if gate.excludes and bound > 0 else None


def _unmeasured(gate: Gate, obstacle: Obstacle, limit: float, proof: bool) -> GateResult:
    state: State = "NOT APPLICABLE"
    if obstacle.curable:
        state = "INCONCLUSIVE" if proof else "NO OBJECTION"
    return _result(gate, state, limit, None, f"Not measured: {obstacle.reason}.")


def _guard(gate: Gate, estimate: Estimate, limit: float) -> GateResult:
    """Return PASS unless train and control differ, and else that nothing can be concluded."""
    span = interval(estimate.low, estimate.high, "plain")
    value = f"{gate.metric} is {figure(estimate.value, 'plain')} (95% interval {span})"
    if not splits_differ(estimate, limit):
        name = "chance" if limit == GUESSING else "the limit"
        return _result(gate, "PASS", limit, estimate, f"{value}; this is compatible with {name}, {limit:g}.")
    reason = (
        f"{value}; this is above {'chance' if limit == GUESSING else 'the limit'}, {limit:g}, so every comparison of train with control is void. "
        "A random split of the records would settle it."
    )
    return _result(gate, "INCONCLUSIVE", limit, estimate, reason)


def _state(gate: Gate, estimate: Estimate, limit: float, proof: bool) -> State:
    at_most = gate.side == "at most"
    if estimate.low > limit if at_most else estimate.high < limit:
        return "FAIL"
    if not proof:
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
    excluded: str | None = None,
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
        excluded=excluded,
    )

"""Verdicts by question: fidelity, usefulness, privacy of the records and of the adapter, each with a sentence and advice."""

from collections.abc import Mapping, Sequence

from paracosm.eval.gates.catalogue import GATES
from paracosm.eval.gates.making import ELSEWHERE, Making, advice_after_fail
from paracosm.eval.gates.remedies import remedies_of
from paracosm.eval.gates.ruling import question_of, verdict, verdict_of_states
from paracosm.eval.measuring.gate import GUARD, Question
from paracosm.eval.results.gate_result import GateResult, Verdict
from paracosm.eval.results.question_verdict import QuestionState, QuestionVerdict
from paracosm.recipes.sections.release import What

QUESTIONS: dict[Question, str] = {
    "fidelity": "Fidelity",
    "utility": "Usefulness",
    "records": "Privacy of the records",
    "adapter": "Privacy of the model",
}
"""Question -> its title."""
THINGS: dict[What, str] = {"records": "records", "adapter": "adapter", "both": "records and adapter"}
ABSENT: dict[Question, str] = {
    "fidelity": "Not measured.",
    "utility": "Not measured: no target column is named (data.target, or --target for tables).",
    "records": "Not measured.",
    "adapter": "Not measured: there is no adapter, or no attack on it was asked for.",
}
"""Sentence where no gate applies."""
FOUND: dict[Question, str] = {
    "fidelity": "The records resemble fresh real ones",
    "utility": "Models that are trained on the records predict real ones",
    "records": "No leak found",
    "adapter": "No leak found",
}
"""What is said where no gate fails; a sentence on what is excluded follows."""


def verdicts(
    gates: Sequence[GateResult],
    *,
    readings: Mapping[str, str],
    sizes: Mapping[str, int],
    what: What,
    counts: Sequence[str] = (),
    making: Making = ELSEWHERE,
) -> list[QuestionVerdict]:
    """Return the verdict on each question.

    Args:
        gates: the result of every gate.
        readings: metric -> its result in one sentence.
        sizes: records in each split and among the synthetic ones.
        what: what is released.
        counts: what was counted in the release, one sentence each; they belong to the privacy of the records.
        making: how the records were made, on which the advice after a FAIL depends.
    """
    return [
        QuestionVerdict(
            question=question,
            title=QUESTIONS[question],
            state=question_state(own),
            counts=question != "adapter" or what != "records",
            sentence=_sentence(question, own, readings),
            found=list(counts) if question == "records" else [],
            advice=_advice(question, own, sizes, making),
            gates=[gate.gate for gate in own if gate.decides],
        )
        for question, own in by_question(gates).items()
    ]


def by_question(gates: Sequence[GateResult]) -> dict[Question, list[GateResult]]:
    """Return the gates of each question."""
    grouped: dict[Question, list[GateResult]] = {question: [] for question in QUESTIONS}
    for gate in gates:
        grouped[question_of(gate)].append(gate)
    return grouped


def question_state(gates: Sequence[GateResult]) -> QuestionState:
    """Return the worst state of the gates of one question; NOT MEASURED where none of those that decide has a value."""
    deciding = [gate for gate in gates if gate.decides]
    if all(gate.value is None for gate in deciding):
        return "NOT MEASURED"
    return verdict_of_states(gate.state for gate in deciding)


def summary(questions: Sequence[QuestionVerdict], gates: Sequence[GateResult], what: What) -> str:
    """Return the verdict of the release in one sentence or two: what holds it up, and what to do about that."""
    counting = [each for each in questions if each.counts]
    overall: Verdict = verdict(gates, what)
    adapter = any(each.question == "adapter" and each.state != "NOT MEASURED" for each in questions)
    things = THINGS[what] if adapter else "records"
    if overall == "PASS":
        return f"The {things} may be released under this profile: every question that was measured passes."
    holding = [each for each in counting if each.state == overall]
    if overall == "FAIL":
        first = holding[0]
        return f"Do not release the {things}: {_listed(holding)} {_verb(holding, 'fails', 'fail')}. {first.advice[0]}"
    holding = [each for each in counting if each.state in ("INCONCLUSIVE", "NOT MEASURED") and each.advice]
    advice = next((each.advice[0] for each in holding), "No gate was evaluated.")
    alone = verdict(gates, "records") == "PASS" and what != "records"
    tail = " The records alone would pass: set release.what to records." if alone else ""
    if not holding:
        return f"Nothing was measured, so nothing is known about the {things}. {advice}{tail}"
    return f"Nothing fails, but {_listed(holding)} {_verb(holding, 'is', 'are')} not decided. {advice}{tail}"


def _listed(questions: Sequence[QuestionVerdict]) -> str:
    titles = [each.title[0].lower() + each.title[1:] for each in questions]
    return " and ".join([", ".join(titles[:-1]), titles[-1]] if len(titles) > 1 else titles)


def _verb(questions: Sequence[QuestionVerdict], one: str, several: str) -> str:
    return one if len(questions) == 1 else several


def _sentence(question: Question, gates: Sequence[GateResult], readings: Mapping[str, str]) -> str:
    state = question_state(gates)
    if state == "NOT MEASURED":
        reasons = dict.fromkeys(gate.reason for gate in gates if gate.decides)
        return next(iter(reasons), ABSENT[question])
    failed = [gate for gate in gates if gate.state == "FAIL"]
    if failed:
        first = failed[0]
        count = len(failed) - 1
        others = f" {count} more {'gate fails' if count == 1 else 'gates fail'}." if count else ""
        return f"{readings.get(first.metric, first.reason)}{others}"
    if any(gate.gate == GUARD and gate.state == "INCONCLUSIVE" and gate.value is not None for gate in gates):
        return "Nothing can be said: a classifier tells train from control without any attack, so their comparison is void."
    excluded = _excluded(question, gates)
    if state == "PASS":
        return f"{FOUND[question]}{excluded}."
    open_gates = [gate for gate in gates if gate.state == "INCONCLUSIVE"]
    deciding = sum(gate.decides for gate in gates)
    undecided = (
        "its only gate is undecided"
        if deciding == 1
        else f"{len(open_gates)} of {deciding} gates {'is' if len(open_gates) == 1 else 'are'} undecided"
    )
    if question in ("fidelity", "utility"):
        return f"Not decided{excluded}; {undecided}."
    return f"{FOUND[question]}{excluded}; {undecided}."


def _excluded(question: Question, gates: Sequence[GateResult]) -> str:
    """Return what all gates together exclude: of gates with the same words, the one with the weakest bound."""
    templates = {gate.name: gate.excludes for gate in GATES}
    weakest: dict[str, GateResult] = {}
    for gate in gates:
        if gate.excluded is None:
            continue
        words = templates.get(gate.gate, gate.excluded)
        if words not in weakest or _bound(gate) > _bound(weakest[words]):
            weakest[words] = gate
    phrases = [str(gate.excluded) for gate in weakest.values()]
    if not phrases:
        return ""
    if question in ("records", "adapter"):
        return f"; a leak of more than {' or '.join(phrases)} is excluded at 95%"
    verb = "is" if len(phrases) == 1 and phrases[0].startswith("a ") else "are"
    listed = " and ".join([", ".join(phrases[:-1]), phrases[-1]] if len(phrases) > 1 else phrases)
    return f"; {listed} {verb} excluded at 95%"


def _bound(gate: GateResult) -> float:
    """Return a number that is larger for a weaker bound."""
    bound = gate.high if gate.side == "at most" else gate.low
    assert bound is not None
    return bound if gate.side == "at most" else -bound


def _advice(
    question: Question, gates: Sequence[GateResult], sizes: Mapping[str, int], making: Making
) -> list[str]:
    advice = [advice_after_fail(question, making)] if any(gate.state == "FAIL" for gate in gates) else []
    measured = [gate for gate in gates if gate.value is not None or question_state(gates) != "NOT MEASURED"]
    for remedy in remedies_of(measured, sizes):
        sentence = remedy.sentence if remedy.sentence.endswith(".") else f"{remedy.sentence}."
        advice.append(f"{sentence[:-1]}: {', '.join(remedy.gates)}." if len(remedy.gates) < 4 else sentence)
    return advice

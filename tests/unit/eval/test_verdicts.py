"""Verdicts by question: what is found, what is excluded, and what a release of records alone depends on."""

from dataclasses import dataclass

import pytest

from paracosm.eval.catalogue import metrics
from paracosm.eval.gates.ruling import rule, verdict
from paracosm.eval.gates.verdicts import summary, verdicts
from paracosm.eval.measuring.found_counts import FoundCount
from paracosm.eval.measuring.gate import Question
from paracosm.eval.measuring.metric import Estimate, Obstacle, Result
from paracosm.eval.privacy.copies.repeated_records import EXACT
from paracosm.eval.results.gate_result import GateResult
from paracosm.eval.results.question_verdict import QuestionVerdict
from paracosm.recipes.sections.release import Release, What

METRICS = {metric.name: metric for metric in metrics()}
COPY = Estimate(1.0, 0.95, 1.0)
COUNTS = {"copies": 0, "rows": 400} | FoundCount(0, 400, 0.0, EXACT).fact
GOOD = {
    "marginals": Estimate(0.96, 0.955, 0.965),
    "c2st_auc": Estimate(0.53, 0.49, 0.57),
    "utility_skill": Estimate(0.95, 0.88, 1.0),
    "exact_copies": Estimate(0.0, -0.01, 0.0025, facts=COUNTS),
    "near_copies": Estimate(0.0, -0.01, 0.004, facts=COUNTS),
    "data_mia_auc": Estimate(0.5, 0.46, 0.54, facts={"attack": "x"}),
    "data_mia_tpr": Estimate(0.0, -0.02, 0.021, facts={"attack": "x", "false_positive_rate": 0.05}),
}
LEAKY_ADAPTER = {"adapter_mia_auc": Estimate(0.82, 0.79, 0.85, facts={"attack": "LiRA"})}


@dataclass(frozen=True)
class Ruled:
    """Gates with the verdicts that follow from them."""

    gates: list[GateResult]
    questions: list[QuestionVerdict]
    what: What

    @property
    def verdict(self) -> str:
        return verdict(self.gates, self.what)

    @property
    def summary(self) -> str:
        return summary(self.questions, self.gates, self.what)


def ruled(
    estimates: dict[str, Estimate], what: What = "both", absent: tuple[str, ...] = (), worst: Estimate = COPY
) -> Ruled:
    """Return the rulings on these metrics alone; fresh real records reach 96%, and a copy of train is found."""
    anchors = {"worst": worst, "ceiling": Estimate(0.96, 0.955, 0.965)}
    results = [
        Result(METRICS[name], {"synthetic": estimate} | anchors)  # type: ignore[dict-item]
        for name, estimate in estimates.items()
    ]
    missing = {name: Obstacle("this test leaves it out", curable=False) for name in METRICS}
    gates = rule(results, missing, Release(what=what), absent)
    readings = {each.metric.name: each.reading for each in results if each.metric.name == "exact_copies"}
    sizes = {"train": 800, "control": 100, "synthetic": 400}
    return Ruled(gates, verdicts(gates, readings=readings, sizes=sizes, what=what), what)


def of(evaluation: Ruled, question: Question) -> QuestionVerdict:
    return next(each for each in evaluation.questions if each.question == question)


def test_the_sentence_says_what_the_intervals_exclude() -> None:
    evaluation = ruled(GOOD)
    records = of(evaluation, "records")
    assert records.state == "PASS"
    assert records.sentence == (
        "No leak found; a leak of more than 1 in 250 released records or 2.1% of the training records is excluded at 95%."
    )
    assert "more than 57 of 100 pairs" in of(evaluation, "fidelity").sentence
    assert "a loss of more than 12.0% of the predictive skill" in of(evaluation, "utility").sentence
    assert evaluation.verdict == "PASS"


def test_without_adapter_or_target_a_question_is_not_measured_and_holds_nothing_up() -> None:
    evaluation = ruled({name: each for name, each in GOOD.items() if name != "utility_skill"})
    assert of(evaluation, "adapter").state == "NOT MEASURED"
    assert of(evaluation, "utility").state == "NOT MEASURED"
    assert evaluation.verdict == "PASS"


@pytest.mark.parametrize(("what", "verdict"), [("records", "PASS"), ("adapter", "FAIL"), ("both", "FAIL")])
def test_records_alone_are_not_held_up_by_the_adapter(what: What, verdict: str) -> None:
    evaluation = ruled(GOOD | LEAKY_ADAPTER, what)
    adapter = of(evaluation, "adapter")
    assert (evaluation.verdict, adapter.state, adapter.counts) == (verdict, "FAIL", what != "records")
    assert "release.what=records" in adapter.advice[0]


def test_a_question_that_only_objects_is_not_measured() -> None:
    evaluation = ruled({"dcr_share": Estimate(0.5, 0.4, 0.6)})
    assert of(evaluation, "records").state == "NOT MEASURED"
    assert evaluation.verdict == "INCONCLUSIVE"


def test_an_attack_without_power_excludes_nothing() -> None:
    evaluation = ruled({"exact_copies": GOOD["exact_copies"]})
    assert of(evaluation, "records").state == "PASS"
    weak = ruled({"exact_copies": GOOD["exact_copies"]}, worst=Estimate(0.01, 0.0, 0.02))
    records = of(weak, "records")
    assert (records.state, "excluded" in records.sentence) == ("INCONCLUSIVE", False)


def test_what_fails_comes_first_with_what_to_do() -> None:
    leak = Estimate(0.2, 0.15, 0.25, facts=COUNTS | FoundCount(80, 400, 0.0, EXACT).fact)
    evaluation = ruled(GOOD | {"exact_copies": leak})
    records = of(evaluation, "records")
    assert records.sentence.startswith(
        "80 of 400 released records repeat a training record; 0 would by chance"
    )
    assert evaluation.summary.startswith("Do not release the records: privacy of the records fails.")


def test_a_column_that_the_synthetic_records_lack_keeps_fidelity_open() -> None:
    evaluation = ruled(GOOD, absent=("age",))
    assert of(evaluation, "fidelity").state == "INCONCLUSIVE"
    assert of(evaluation, "records").state == "PASS"
    assert evaluation.verdict == "INCONCLUSIVE"
    reasons = [gate.reason for gate in evaluation.gates if gate.gate == "c2st_auc"]
    assert "lack 'age'" in reasons[0]

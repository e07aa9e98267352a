"""`paracosm eval --against`: what counts as worse, and the exit codes."""

from pathlib import Path

import pytest
from finished_run import evaluation_of

from paracosm.cli.change import evaluation_at, print_changes
from paracosm.eval.results.change import changes_between
from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.eval.results.metric_entry import MeasuredMetric, UnmeasuredMetric
from paracosm.foundation.errors import RegistryError, RunError


def moved(file: EvaluationFile, name: str, value: float, margin: float = 0.01) -> EvaluationFile:
    """Return an evaluation in which one metric has another value and interval."""
    metrics = [
        each.model_copy(update={"value": value, "interval": (value - margin, value + margin)})
        if isinstance(each, MeasuredMetric) and each.name == name
        else each
        for each in file.metrics
    ]
    return file.model_copy(update={"metrics": metrics})


def without(file: EvaluationFile, name: str) -> EvaluationFile:
    """Return an evaluation in which one metric was not measured."""
    metrics = [
        UnmeasuredMetric(
            **{
                key: getattr(each, key)
                for key in ("name", "title", "section", "goal", "range", "unit", "source", "what")
            },
            value=None,
            reason_not_measured="too few records",
        )
        if each.name == name
        else each
        for each in file.metrics
    ]
    return file.model_copy(update={"metrics": metrics})


def test_the_same_evaluation_passes() -> None:
    file = evaluation_of()
    changes = changes_between(file, file)
    assert changes.verdict == "PASS"
    assert {change.state for change in changes.metrics} == {"same"}
    assert len(changes.metrics) == len(file.measured)


@pytest.mark.parametrize(
    ("after", "state"), [(0.75, "worse"), (0.25, "worse"), (0.51, "same"), (0.5, "better")]
)
def test_a_target_is_left_in_either_direction(after: float, state: str) -> None:
    before = moved(evaluation_of(), "c2st_auc", 0.52)
    changes = changes_between(before, moved(before, "c2st_auc", after))
    assert {change.after.name: change.state for change in changes.metrics}["c2st_auc"] == state
    assert changes.verdict == ("FAIL" if state == "worse" else "PASS")


def test_what_is_better_passes_and_chance_is_no_change(capsys: pytest.CaptureFixture[str]) -> None:
    before = moved(evaluation_of(), "c2st_auc", 0.75)
    better = changes_between(before, moved(before, "c2st_auc", 0.52))
    assert better.verdict == "PASS"
    print_changes(better, "runs/may", every=False)
    shown = capsys.readouterr().out
    assert "c2st_auc" in shown
    assert "better" in shown
    assert "against runs/may  PASS" in shown
    wide = changes_between(before, moved(before, "c2st_auc", 0.85, margin=0.2))
    assert wide.verdict == "PASS"


def test_a_metric_that_is_not_measured_any_more_is_inconclusive() -> None:
    file = evaluation_of()
    changes = changes_between(file, without(file, "c2st_auc"))
    assert (changes.verdict, list(changes.lost)) == ("INCONCLUSIVE", ["c2st_auc"])
    assert changes_between(without(file, "c2st_auc"), file).verdict == "PASS"


def test_a_wrong_reference_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RunError, match="is not a run directory"):
        evaluation_at("runs/none")
    with pytest.raises(RegistryError):
        evaluation_at("registry:none@v1")

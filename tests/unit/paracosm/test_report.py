"""`paracosm.Report`: values by name, tables, and what a notebook shows."""

import math
from pathlib import Path

import pytest
from finished_run import evaluation_of

from paracosm.eval.results.question_verdict import QuestionVerdict
from paracosm.report import Report


@pytest.fixture
def report() -> Report:
    return Report(evaluation_of("FAIL"), "<html>page</html>")


def test_a_value_is_a_number_with_its_interval_and_anchors(report: Report) -> None:
    value = report["c2st_auc"]
    assert value == 0.5321
    assert value.interval == (0.49, 0.571)
    assert value.anchors["ceiling"] == 0.501
    assert repr(value).startswith("0.5321 [0.49, 0.571], ")


def test_a_metric_that_was_not_measured_is_nan_with_the_reason(report: Report) -> None:
    value = report["rows_alike"]
    assert math.isnan(value)
    assert "too few records" in repr(value)


def test_an_unknown_metric_names_the_nearest(report: Report) -> None:
    with pytest.raises(KeyError, match="did you mean 'c2st_auc'"):
        _ = report["c2st"]


def test_names_complete_and_iterate(report: Report) -> None:
    assert list(report) == report._ipython_key_completions_()
    assert len(report) == len(report.to_frame())


def test_tables_hold_metrics_and_gates(report: Report) -> None:
    frame, gates = report.to_frame(), report.gates()
    assert frame.loc["c2st_auc", "value"] == 0.5321
    assert frame.loc["exact_copies", "gate"] == "FAIL"
    assert gates.loc["exact_copies", "state"] == "FAIL"


def test_it_shows_itself(report: Report) -> None:
    assert repr(report).startswith("verdict FAIL, profile internal")
    assert "FAIL" in str(report)
    html = report._repr_html_()
    assert "FAIL" in html
    assert "<script" not in html


def test_a_notebook_shows_questions_and_advice_first(report: Report) -> None:
    question = QuestionVerdict(
        question="fidelity",
        title="Fidelity",
        state="PASS",
        counts=True,
        sentence="The records resemble <fresh> real ones.",
        advice=[],
        gates=["c2st_auc"],
    )
    file = report.file.model_copy(update={"verdicts": [question], "summary": "Take more rows."})
    html = Report(file, "")._repr_html_()
    assert (
        html.index("resemble &lt;fresh&gt; real ones")
        < html.index("Take more rows.")
        < html.index("<details>")
    )


def test_it_is_written(report: Report, tmp_path: Path) -> None:
    page = report.save(tmp_path / "out")
    assert page.read_text(encoding="utf-8") == "<html>page</html>"
    assert (tmp_path / "out" / "metrics.json").is_file()

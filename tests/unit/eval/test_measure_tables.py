"""`measure`: every metric between its anchors, the same bytes every time, and reasons for what is not measured."""

import json
from pathlib import Path
from typing import Any

import example_tables
import numpy as np
import pandas as pd
import pytest
from jsonschema import Draft202012Validator

from paracosm.eval.catalogue import metrics
from paracosm.eval.evaluation import Evaluation, compare, rule_on
from paracosm.eval.measure_tables import measure
from paracosm.eval.measurements import read_measurements
from paracosm.eval.measuring.anchors import independent_marginals
from paracosm.eval.measuring.context import Context
from paracosm.eval.report.aggregates.histograms import distributions
from paracosm.eval.results.evaluation_file import EvaluationFile, evaluation_schema, read_evaluation
from paracosm.eval.utility.task import make_task
from paracosm.eval.utility.tstr import SyntheticSets, utility, utility_obstacle
from paracosm.foundation.errors import DataError, RunError
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.release import Release
from paracosm.records.schema.schema import Field, Schema

example, PATIENTS = example_tables.example, example_tables.PATIENTS
QUICK = Evaluate(bootstrap=100, repeats=1)


def _parts(kind: str = "structured") -> dict[str, pd.DataFrame]:
    table, _ = example(kind, 440, 0)
    ends = {"train": (0, 180), "control": (180, 240), "test": (240, 300), "synthetic": (300, 440)}
    return {name: table.iloc[a:b].reset_index(drop=True) for name, (a, b) in ends.items()}


@pytest.fixture(scope="module")
def fresh() -> Evaluation:
    """Fresh real records in the place of synthetic ones."""
    return rule_on(measure(**_parts(), schema=PATIENTS, target="ill", settings=QUICK))


def test_every_metric_has_its_anchors(fresh: Evaluation) -> None:
    everything = {metric.name for metric in metrics()}
    assert {each.metric.name for each in fresh.results} | set(fresh.missing) == everything
    assert {
        name: fresh.missing[name].reason for name in ("text_auc", "adapter_mia_auc", "canary_exposure")
    } == {
        "text_auc": "there is no text column",
        "adapter_mia_auc": "no model is available",
        "canary_exposure": "train holds no canaries",
    }
    for result in fresh.results:
        assert result.synthetic.low <= result.synthetic.value <= result.synthetic.high
        if result.metric.name != "split_guard":
            assert {"ceiling", "floor"} <= set(result.estimates)
    value = {
        result.metric.name: {name: each.value for name, each in result.estimates.items()}
        for result in fresh.results
    }
    assert value["c2st_auc"]["worst"] < value["c2st_auc"]["ceiling"] < value["c2st_auc"]["floor"]
    assert value["pairs"]["floor"] < value["pairs"]["ceiling"] < value["pairs"]["worst"]
    assert value["utility_score"]["floor"] < value["utility_score"]["ceiling"]
    assert value["utility_ratio"]["ceiling"] == 1.0
    assert value["exact_copies"]["worst"] > 0.9
    assert value["dcr_share"]["worst"] > value["dcr_share"]["ceiling"]
    assert value["data_mia_auc"]["worst"] > 0.9
    assert value["linkability"]["worst"] > 0.2 > value["linkability"]["ceiling"]
    assert value["triples"]["floor"] < value["triples"]["ceiling"] < value["triples"]["worst"]


def test_held_out_records_reach_the_fidelity_and_utility_ceiling(fresh: Evaluation) -> None:
    assert "FAIL" not in {gate.state for gate in fresh.gates}
    found = fresh.measurements.result("c2st_auc")
    assert found is not None
    assert 0.35 < found.synthetic.value < 0.65
    assert "The classifier tells synthetic from real in" in found.reading


def test_the_same_measurement_gives_the_same_bytes(fresh: Evaluation) -> None:
    again = rule_on(measure(**_parts(), schema=PATIENTS, target="ill", settings=QUICK))
    assert again.to_json() == fresh.to_json()


def test_metrics_json_holds_what_the_card_reads(fresh: Evaluation) -> None:
    plain = json.loads(fresh.to_json())
    assert plain["schema_version"] == 1
    assert {metric["group"] for metric in plain["metrics"]} == {"fidelity", "utility", "privacy"}
    measured = [metric for metric in plain["metrics"] if metric["value"] is not None and metric["zero"]]
    assert len(measured) >= 15
    for metric in measured:
        assert metric.keys() >= {
            "name",
            "title",
            "goal",
            "range",
            "value",
            "interval",
            "ceiling",
            "normalised",
            "source",
        }
    assert {gate["state"] for gate in plain["gates"]} <= {"PASS", "FAIL", "INCONCLUSIVE"}


def test_metrics_json_keeps_its_published_schema(fresh: Evaluation) -> None:
    schema = evaluation_schema()
    Draft202012Validator.check_schema(schema)
    validator, plain = Draft202012Validator(schema), json.loads(fresh.to_json())
    assert [error.message for error in validator.iter_errors(plain)] == []
    several = json.loads(compare({"one": fresh, "other": fresh}).to_json())
    assert validator.is_valid(several)
    assert several["sets"]["one"] == plain
    assert not validator.is_valid(plain | {"verdict": "MAYBE"})
    assert not validator.is_valid(plain | {"times": 3})
    lost = plain["metrics"][0] | {"interval": None}
    assert not validator.is_valid(plain | {"metrics": [lost]})


def test_without_target_or_test_utility_has_a_reason_for_not_being_measured() -> None:
    parts = _parts()
    found = rule_on(measure(**parts, schema=PATIENTS, settings=QUICK))
    assert "no target column was named" in found.missing["utility_skill"].reason
    assert next(gate for gate in found.gates if gate.gate == "utility_skill").state == "NOT APPLICABLE"
    parts.pop("test")
    found = measure(**parts, schema=PATIENTS, target="ill", settings=QUICK)
    assert "test split" in found.missing["utility_skill"].reason
    assert any("one half of control" in note for note in found.notes)
    dcr = found.result("dcr_share")
    assert dcr is not None
    assert dcr.ceiling is not None


def test_with_too_few_control_records_leakage_is_inconclusive() -> None:
    parts = _parts()
    few = parts | {"control": parts["control"].head(4)}
    found = rule_on(measure(**few, schema=PATIENTS, settings=QUICK))
    assert "only 4 control records" in found.missing["near_copies"].reason
    assert found.verdict == "INCONCLUSIVE"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda p: {"synthetic": p["synthetic"].drop(columns="stage")},
            "synthetic: column 'stage' is missing",
        ),
        (lambda p: {"control": p["control"].rename(columns={"stage": "stages"})}, "did you mean 'stages'"),
        (lambda p: {"synthetic": p["synthetic"].head(0)}, "synthetic: has no rows"),
        (lambda p: {"target": "il"}, "target 'il' is not a measured column; did you mean 'ill'"),
    ],
)
def test_unusable_tables_are_refused_in_one_line(change, message) -> None:
    parts = _parts()
    with pytest.raises(DataError, match=message) as refused:
        measure(**(parts | change(parts)), schema=PATIENTS, settings=QUICK)
    assert "\n" not in str(refused.value)


def test_unusual_columns_are_measured() -> None:
    """Constant, empty, all-distinct and one-sided columns: no warning, no NaN."""
    parts = _parts()
    fields = (
        *PATIENTS,
        Field(name="one", type="category", categories=("x",)),
        Field(name="none", type="number", nullable=True),
        Field(name="seen", type="datetime"),
        Field(name="blank", type="text"),
    )
    for name, table in parts.items():
        table["one"] = pd.Series(["x"] * len(table), dtype="string")
        table["none"] = pd.Series([None] * len(table), dtype="Float64")
        days = pd.to_timedelta(np.arange(len(table)) + 1000 * (name == "synthetic"), unit="D")
        table["seen"] = pd.Series(pd.Timestamp("2020-01-01") + days).astype("datetime64[us]")
        table["blank"] = pd.Series(["", None] * (len(table) // 2) + [""] * (len(table) % 2), dtype="string")
    found = rule_on(measure(**parts, schema=Schema(fields), target="ill", settings=QUICK))
    plain = json.loads(found.to_json())
    assert plain["metrics"][0]["breakdown"]["one"] == 1.0
    assert plain["metrics"][0]["breakdown"]["none"] == 1.0
    assert plain["metrics"][0]["breakdown"]["seen"] < 0.3


def _context(target: str, parts: dict[str, pd.DataFrame], schema: Schema = PATIENTS) -> Context:
    return Context(schema, parts["train"], parts["control"], parts["test"], target, QUICK, 120)


def test_numbers_are_predicted_and_scored_by_explained_variance() -> None:
    parts = _parts()
    context = _context("pressure", parts)
    assert make_task(context).classes == ()
    found = utility(context, parts["synthetic"])
    assert found["utility_score"].facts["score"] == "R²"
    assert found["utility_score"].value > 0.4
    shuffled = utility(context, independent_marginals(parts["train"], PATIENTS.modelled, 180, 0))
    assert shuffled["utility_score"].value < 0.1


def test_classes_absent_from_synthetic_records_count_as_wrong() -> None:
    parts = _parts()
    context = _context("stage", parts)
    whole = utility(context, parts["synthetic"])["utility_score"].value
    lacking = parts["synthetic"][parts["synthetic"]["stage"] == "none"].reset_index(drop=True)
    assert utility(context, lacking)["utility_score"].value == pytest.approx(0.5)
    assert whole > 0.6


def test_many_or_rare_classes_are_merged() -> None:
    parts = _parts()
    for table in parts.values():
        table["stage"] = pd.Series([f"c{number % 40:02d}" for number in range(len(table))], dtype="string")
    parts["test"]["stage"] = parts["test"]["stage"].replace("c01", "never seen")
    task = make_task(_context("stage", parts))
    assert len(task.classes) == 10
    assert utility_obstacle(_context("stage", parts)) is None
    assert utility(_context("stage", parts), parts["synthetic"])["utility_score"].value > 0


def test_text_columns_are_features_of_the_learners() -> None:
    parts, (_, schema) = _parts("hybrid"), example("hybrid", 1, 0)
    for table in parts.values():
        table["note"] = table["note"] + table["ill"].map({True: " Admitted.", False: " Sent home."}).astype(
            "string"
        )
    found = utility(_context("ill", parts, schema), parts["synthetic"])
    assert found["utility_score"].value > 0.95


def test_distributions_pool_rare_categories_and_open_the_outer_bins() -> None:
    train = pd.DataFrame(
        {
            "job": pd.Series(["clerk"] * 50 + ["astronaut"] * 4, dtype="string"),
            "income": pd.Series([*range(1000, 1053), 987654], dtype="Int64"),
        }
    )
    fields = (Field(name="job", type="category"), Field(name="income", type="integer"))
    jobs, incomes = distributions(fields, train, train.head(40))
    assert jobs.labels == ["clerk", "(other)"]
    assert jobs.train[1] == pytest.approx(4 / 54)
    assert "987654" not in " ".join(incomes.labels).replace(",", "")
    assert incomes.labels[0].startswith("below ")
    assert incomes.labels[-1].endswith(" and above")
    assert sum(incomes.train) == pytest.approx(1)


def test_nearest_pairs_are_shown_only_on_demand(fresh: Evaluation) -> None:
    assert fresh.measurements.nearest == []
    parts = _parts()
    parts["synthetic"] = parts["train"].head(60)
    found = measure(**parts, schema=PATIENTS, settings=Evaluate(bootstrap=100, repeats=1, show_nearest=True))
    assert found.nearest[0].distance == 0
    assert found.nearest[0].fields[0].synthetic == found.nearest[0].fields[0].train
    assert '"distance"' not in rule_on(found).to_json()


def test_further_sets_of_a_generator_widen_the_utility_intervals() -> None:
    parts = _parts()
    context = Context(
        PATIENTS, parts["train"], parts["control"], parts["test"], "ill", QUICK, 100, further=[]
    )
    lucky, other = parts["synthetic"], parts["synthetic"].copy()
    other["ill"] = other["ill"].sample(frac=1, random_state=0).array
    alone = utility(context, SyntheticSets(lucky, []))["utility_skill"]
    among = utility(context, SyntheticSets(lucky, [other, other]))["utility_skill"]
    assert among.value == alone.value, "the set that is released is the one that is judged"
    assert among.low < alone.low - 0.3
    assert len(among.facts["scores_of_sets"]) == 3
    alike = utility(context, SyntheticSets(lucky, [lucky, lucky]))["utility_skill"]
    assert alike.high - alike.low == pytest.approx(alone.high - alone.low, rel=0.3)


def test_measurements_from_a_file_give_the_same_metrics_as_those_in_memory(
    fresh: Evaluation, tmp_path: Path
) -> None:
    path = tmp_path / "measurements.json"
    path.write_text(fresh.measurements.to_json(), encoding="utf-8")
    kept = read_measurements(path)
    assert kept.to_json() == fresh.measurements.to_json()
    assert rule_on(kept).to_json() == fresh.to_json()
    public = Release(profile="public")
    assert rule_on(kept, public).to_json() == rule_on(fresh.measurements, public).to_json()
    assert "gates" not in json.loads(path.read_text())
    path.write_text(path.read_text().replace('"marginals"', '"margins"', 1), encoding="utf-8")
    with pytest.raises(RunError, match=r"another version of Paracosm \(metric 'marginals'\)") as refused:
        read_measurements(path)
    assert "\n" not in str(refused.value)


def test_metrics_json_survives_reading(fresh: Evaluation, tmp_path: Path) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(fresh.to_json(), encoding="utf-8")
    found = read_evaluation(path)
    assert found == EvaluationFile.model_validate_json(fresh.to_json())
    assert found.to_json() == fresh.to_json()
    assert found.measured.keys() == {each.metric.name for each in fresh.results}
    assert found.measured["c2st_auc"].goal.target == 0.5


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda plain: plain | {"schema_version": 7}, "has schema_version 7"),
        (lambda plain: plain | {"verdict": "MAYBE"}, "verdict: Input should be"),
        (lambda plain: plain | {"more": 1}, "more: Extra inputs are not permitted"),
        (lambda plain: {**plain, "gates": [{"gate": "x"}]}, r"gates\.0\.title: Field required"),
        (
            lambda plain: {**plain, "metrics": [plain["metrics"][0] | {"value": "good"}]},
            r"metrics\.0\.value",
        ),
        (
            lambda plain: {**plain, "metrics": [plain["metrics"][0] | {"goal": "sideways"}]},
            "'sideways' is not 'up', 'down' or 'target NUMBER'",
        ),
        (
            lambda plain: {**plain, "metrics": [plain["metrics"][0] | {"ceiling": 2.0}]},
            "ceiling, floor and worst differ from the values in anchors",
        ),
        (lambda _: [1], "has schema_version None"),
    ],
)
def test_a_damaged_metrics_json_is_refused_in_one_line(
    fresh: Evaluation, tmp_path: Path, change: Any, message: str
) -> None:
    path = tmp_path / "metrics.json"
    path.write_text(json.dumps(change(json.loads(fresh.to_json()))), encoding="utf-8")
    with pytest.raises(RunError, match=message) as refused:
        read_evaluation(path)
    assert "\n" not in str(refused.value)
    path.write_text("{", encoding="utf-8")
    with pytest.raises(RunError, match="cannot be read as JSON"):
        read_evaluation(path)


@pytest.mark.parametrize("absent", [["control"], ["control", "test"]])
def test_what_needs_control_records_is_not_measured_without_them(absent: list[str]) -> None:
    parts = _parts()
    parts |= {name: parts[name].iloc[:0] for name in absent}
    evaluation = rule_on(measure(**parts, schema=PATIENTS, target="ill", settings=QUICK))
    assert {metric.name for metric in metrics() if metric.section == "privacy"} <= set(evaluation.missing)
    assert evaluation.missing["exact_copies"].reason == "there are no control records"
    measured = {each.metric.name for each in evaluation.results}
    if absent == ["control"]:
        assert {"marginals", "utility_skill"} <= measured
    else:
        assert not measured
        assert evaluation.missing["marginals"].reason == "there are no control and no test records"

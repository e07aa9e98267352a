"""Evaluation of files of any origin: read, put under one schema, measured, written."""

import json
from dataclasses import replace
from pathlib import Path

import example_tables
import pandas as pd
import pytest
from rich.console import Console

from paracosm.eval.evaluate_files import evaluate_files, evaluate_sets, named_sets, write_comparison
from paracosm.eval.report.terminal import details, summary
from paracosm.eval.shared_schema import read_synthetic
from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Field, Schema

patients, PATIENTS = example_tables.patients, example_tables.PATIENTS
QUICK = Evaluate(bootstrap=100, repeats=1)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Four tables as CSV and JSONL, as different tools would write them."""
    table = patients(400, 0)
    parts = {"train": (0, 200), "control": (200, 260), "test": (260, 320), "synthetic": (320, 400)}
    frames = {name: table.iloc[a:b].reset_index(drop=True) for name, (a, b) in parts.items()}
    frames["train"].to_csv(tmp_path / "train.csv", index=False)
    frames["control"].to_json(tmp_path / "control.jsonl", orient="records", lines=True)
    frames["test"].to_csv(tmp_path / "test.csv.gz", index=False)
    # Another generator writes whole numbers as floats and adds another column.
    frames["synthetic"].astype({"age": "Float64"}).assign(made=1).to_csv(
        tmp_path / "synthetic.csv", index=False
    )
    names = {
        "train": "train.csv",
        "control": "control.jsonl",
        "test": "test.csv.gz",
        "synthetic": "synthetic.csv",
    }
    return {name: tmp_path / file for name, file in names.items()}


def test_files_are_measured_and_written(files: dict[str, Path], tmp_path: Path) -> None:
    found = evaluate_files(**files, target="ill", out=tmp_path / "out", settings=QUICK)
    plain = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert plain == json.loads(found.to_json())
    assert plain["sizes"] == {"train": 200, "control": 60, "test": 60, "synthetic": 80}
    assert "<html" in (tmp_path / "out" / "report.html").read_text()
    console = Console(width=80, record=True, file=(tmp_path / "terminal").open("w"))
    console.print(summary(found.file))
    first = console.export_text()
    assert found.verdict in first
    assert [each["title"] in first for each in plain["verdicts"]] == [True] * 4
    console.print(details(found.file))
    shown = console.export_text()
    assert all(metric["name"] in shown for metric in plain["metrics"])
    assert "…" not in first + shown


def test_without_an_output_folder_nothing_is_written(files: dict[str, Path], tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    found = evaluate_files(
        train=files["train"], control=files["control"], synthetic=files["synthetic"], settings=QUICK
    )
    assert sorted(tmp_path.iterdir()) == before
    assert found.missing["utility_skill"].reason.startswith("no target")


def test_a_missing_column_is_reported_with_file_and_suggestion(files: dict[str, Path]) -> None:
    pd.read_csv(files["synthetic"]).rename(columns={"stage": "Stage"}).to_csv(files["synthetic"], index=False)
    with pytest.raises(
        DataError, match=r"synthetic.csv: lacks the column 'stage' of .*train.csv; did you mean 'Stage'"
    ):
        evaluate_files(**files, target="ill", settings=QUICK)
    with pytest.raises(DataError, match=r"train.csv: has no column 'il' \(--target\); did you mean 'ill'"):
        evaluate_files(**files, target="il", settings=QUICK)


def test_a_column_without_any_counterpart_is_noted_and_the_others_are_measured(
    files: dict[str, Path],
) -> None:
    pd.read_csv(files["synthetic"]).drop(columns=["stage", "made"]).to_csv(files["synthetic"], index=False)
    found = evaluate_files(**files, target="ill", settings=QUICK).file
    assert found.notes[0].startswith("synthetic.csv: lacks 'stage'.")
    assert {gate.state for gate in found.gates if gate.section == "fidelity"} <= {"INCONCLUSIVE", "FAIL"}
    assert "exact_copies" in found.measured
    without_target = pd.read_csv(files["synthetic"]).drop(columns=["ill"])
    without_target.to_csv(files["synthetic"], index=False)
    assert "utility_skill" not in evaluate_files(**files, target="ill", settings=QUICK).file.measured


def test_two_tables_are_enough_for_fidelity_and_usefulness(files: dict[str, Path]) -> None:
    sets = evaluate_sets(
        real={"real": files["train"]}, synthetic={"it": files["synthetic"]}, target="ill", settings=QUICK
    )
    found = sets["it"].file
    states = {each.question: each.state for each in found.verdicts}
    assert states["records"] == states["adapter"] == "NOT MEASURED"
    assert not {"NOT MEASURED"} & {states["fidelity"], states["utility"]}
    assert sum(found.sizes[name] for name in ("train", "control", "test")) == 200
    assert found.verdict != "PASS"
    assert not [metric for metric in found.measured.values() if metric.section == "privacy"]


def test_whole_numbers_of_either_side_may_be_written_as_floats(files: dict[str, Path]) -> None:
    for name in ("train", "test"):
        pd.read_csv(files[name]).astype({"age": "Float64"}).to_csv(files[name], index=False)
    pd.read_json(files["control"], lines=True).astype({"age": float}).to_json(
        files["control"], orient="records", lines=True
    )
    pd.read_csv(files["synthetic"]).astype({"age": "Int64"}).to_csv(files["synthetic"], index=False)
    notes = evaluate_files(**files, target="ill", settings=QUICK).file.notes
    assert not [note for note in notes if "'age'" in note]


def test_several_sets_are_compared_in_one_report(files: dict[str, Path], tmp_path: Path) -> None:
    copied = tmp_path / "copied.csv"
    copied.write_bytes(files["train"].read_bytes())
    sets = named_sets([files["synthetic"], copied, copied])
    assert list(sets) == ["synthetic", "copied", "copied-2"]
    del sets["copied-2"]
    real = {name: files[name] for name in ("train", "control", "test")}
    found = evaluate_sets(real=real, synthetic=sets, settings=QUICK)
    assert found["copied"].verdict == "FAIL"
    states = {name: {gate.gate: gate.state for gate in each.gates} for name, each in found.items()}
    assert states["copied"]["exact_copies"] == "FAIL" != states["synthetic"]["exact_copies"]
    plain = write_comparison(found, tmp_path / "out")
    assert plain.to_json() == (tmp_path / "out" / "metrics.json").read_text()
    assert plain.verdict == "FAIL"
    page = (tmp_path / "out" / "report.html").read_text()
    for name, each in found.items():
        assert f'href="{name}/report.html"' in page
        own = json.loads((tmp_path / "out" / name / "metrics.json").read_text())
        assert own["verdict"] == each.verdict
    assert page.count('<th scope="col">copied</th>') == 2
    assert "https://" not in page


def test_a_given_schema_is_used_and_an_invalid_one_refused(files: dict[str, Path], tmp_path: Path) -> None:
    fields = [replace(each, true="True", false="False") for each in PATIENTS if each.name != "stage"]
    Schema(tuple(fields)).save(tmp_path / "schema.json")
    real = {"train": files["train"], "control": files["test"]}
    given = {"real": real, "synthetic": {"one": files["synthetic"]}, "settings": QUICK}
    found = evaluate_sets(**given, schema=tmp_path / "schema.json")["one"]
    assert [each.field for each in found.measurements.distributions] == ["age", "pressure", "sex", "ill"]
    (tmp_path / "wrong.json").write_text('{"columns": []}')
    with pytest.raises(
        DataError, match=r"wrong\.json: is not a schema as a run's splits/schema\.json holds it"
    ):
        evaluate_sets(**given, schema=tmp_path / "wrong.json")
    with pytest.raises(DataError, match=r"absent/codec\.json: cannot be read"):
        evaluate_sets(**given, adapter=tmp_path / "absent")


def _states(found) -> dict[str, str]:
    return {each.gate: each.state for each in found.gates}


def test_invalid_synthetic_cells_cannot_change_the_type_of_a_column(files: dict[str, Path]) -> None:
    """A column of invalid cells keeps its real type, number, and fails its gate."""
    table = pd.read_csv(files["synthetic"])
    invalid = [f"{number * 7919 % 65521:04x}z" for number in range(len(table))]
    files["synthetic"].write_text(table.assign(pressure=invalid).to_csv(index=False))
    found = evaluate_files(**files, settings=QUICK)
    assert _states(found)["c2st_auc"] == "FAIL"
    assert _states(evaluate_files(**files, target="pressure", settings=QUICK))["utility_skill"] == "FAIL"
    assert any(
        "80 of 80 cells of column 'pressure' are not valid for the type number" in each
        for each in found.measurements.notes
    )
    assert (
        "pressure"
        in next(each for each in found.results if each.metric.name == "marginals").synthetic.breakdown
    )


def test_the_result_of_a_set_does_not_depend_on_other_sets(files: dict[str, Path], tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    pd.read_csv(files["synthetic"]).assign(stage="what nobody has").to_csv(other, index=False)
    real = {name: files[name] for name in ("train", "control", "test")}
    alone = evaluate_sets(real=real, synthetic={"a": files["synthetic"]}, settings=QUICK)["a"]
    beside = evaluate_sets(real=real, synthetic={"a": files["synthetic"], "b": other}, settings=QUICK)["a"]
    assert alone.to_json() == beside.to_json()


def test_replayed_identifiers_of_training_records_fail(files: dict[str, Path]) -> None:
    for number, (name, path) in enumerate(files.items()):
        table = pd.read_json(path, lines=True) if path.suffix == ".jsonl" else pd.read_csv(path)
        mails = [f"p{1000 * number + row:05d}@{name}.example" for row in range(len(table))]
        table = table.assign(mail=mails)
        path = path.with_name(f"{name}-mail.csv")
        table.to_csv(path, index=False)
        files[name] = path
    clean = evaluate_files(**files, settings=QUICK)
    assert _states(clean)["pii_replay"] != "FAIL"
    assert "column 'mail': looks like an identifier; only its replay is measured" in clean.measurements.notes
    train, synthetic = pd.read_csv(files["train"]), pd.read_csv(files["synthetic"])
    synthetic.assign(mail=train["mail"][: len(synthetic)]).to_csv(files["synthetic"], index=False)
    assert _states(evaluate_files(**files, settings=QUICK))["pii_replay"] == "FAIL"
    synthetic.drop(columns="mail").to_csv(files["synthetic"], index=False)
    assert _states(evaluate_files(**files, settings=QUICK))["pii_replay"] == "NOT APPLICABLE"


def test_too_few_training_records_are_refused_in_one_line(files: dict[str, Path]) -> None:
    pd.read_csv(files["train"]).head(2).to_csv(files["train"], index=False)
    with pytest.raises(DataError, match="train: has 2 records; at least 10 are needed"):
        evaluate_files(**files, settings=QUICK)


def test_a_copy_in_capitals_is_read_as_a_copy() -> None:
    words = ["yes", "no", "not known"]
    real = pd.DataFrame({"smoker": words * 20, "text": ["a b c"] * 60})
    schema = Schema((Field(name="smoker", type="category"), Field(name="text", type="text", max_length=9)))
    raw = pd.DataFrame({"smoker": ["YES ", "No", "not  known", "maybe"], "text": ["A B C"] * 4})
    read, notes = read_synthetic(raw, schema, "theirs.csv", real)
    assert read["smoker"].tolist() == ["yes", "no", "not known", "maybe"]
    assert read["text"].tolist() == ["A B C"] * 4
    assert notes == [
        "theirs.csv: 3 of 4 cells of column 'smoker' differ from a category of the real records in case or blanks alone and are "
        "read as that one"
    ]

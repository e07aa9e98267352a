import json

import pandas as pd
import pytest

from paracosm.foundation.errors import DataError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import SPLITS, Run
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table, to_records
from paracosm.records.stage import prepare, preview


@pytest.fixture
def clinic(tmp_path):
    rows = [
        {
            "patient_id": f"P{1000 + 37 * row}",
            "age": "" if row % 11 == 0 else f"{20 + row * 7 % 60}.0",
            "weight": f"{50 + row * 13 % 50}.{row % 10} kg",
            "sex": "fm"[row % 2],
            "smoker": ["yes", "no"][row % 3 == 0],
            "seen": f"{1 + row % 12}/{1 + row % 28}/2023",
            "note": f"Patient {row} came in with a cough and left the ward after {row % 9} days, feeling better.",
            "empty": "",
        }
        for row in range(120)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "clinic.csv", index=False)
    return tmp_path


def recipe(**data):
    return Recipe.model_validate(
        {"name": "clinic", "data": {"source": "clinic.csv", "target": "smoker", **data}}
    )


def test_the_stage_leaves_splits_schema_and_facts(clinic):
    run = Run.create(clinic / "run")
    assert prepare(recipe=recipe(), run=run, root=clinic)
    schema = Schema.load(run.schema)
    assert [(field.name, field.type) for field in schema] == [
        ("patient_id", "identifier"),
        ("age", "integer"),
        ("weight", "number"),
        ("sex", "category"),
        ("smoker", "boolean"),
        ("seen", "datetime"),
        ("note", "text"),
    ]
    tables = {name: read_table(run.split(name), schema) for name in SPLITS}
    assert [len(tables[name]) for name in SPLITS] == [96, 12, 12]
    assert all(schema.allows(record) for record in to_records(tables["train"], schema))
    facts = run.journal.stage("records")["facts"]
    assert facts["rows"] == {"all": 120, "train": 96, "control": 12, "test": 12}
    assert facts["identifiers"] == ["patient_id"]
    assert facts["left_out"] == ["empty"]
    assert set(facts["sha256"]) == set(SPLITS)
    assert any("'patient_id'" in warning for warning in facts["warnings"])
    json.dumps(facts)


def test_a_finished_stage_is_skipped_until_an_input_changes(clinic):
    run = Run.create(clinic / "run")
    assert prepare(recipe=recipe(), run=run, root=clinic)
    before = {path.name: path.read_bytes() for path in run.splits.iterdir()}
    assert not prepare(recipe=recipe(), run=run, root=clinic)
    assert prepare(recipe=recipe(split={"seed": 1}), run=run, root=clinic)
    assert prepare(recipe=recipe(), run=run, root=clinic)
    assert {path.name: path.read_bytes() for path in run.splits.iterdir()} == before
    with (clinic / "clinic.csv").open("a") as file:
        file.write("P9,33.0,70.0 kg,f,no,1/1/2023,A note of more than a few words was left here.,\n")
    assert prepare(recipe=recipe(), run=run, root=clinic)
    assert run.journal.stage("records")["facts"]["rows"]["all"] == 121


def test_a_killed_stage_ends_with_the_same_bytes(clinic, monkeypatch):
    whole, killed = Run.create(clinic / "whole"), Run.create(clinic / "killed")
    prepare(recipe=recipe(), run=whole, root=clinic)

    def die(*_, **__):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Schema, "save", die)
        with pytest.raises(KeyboardInterrupt):
            prepare(recipe=recipe(), run=killed, root=clinic)
    assert prepare(recipe=recipe(), run=killed, root=clinic)
    for path in whole.splits.iterdir():
        assert (killed.splits / path.name).read_bytes() == path.read_bytes()


def test_a_table_in_memory_replaces_the_source(clinic):
    run = Run.create(clinic / "run")
    frame = pd.DataFrame({"age": range(40, 80), "smoker": [True, False] * 20, "nested": [[1]] * 40})
    settings = recipe(drop=["nested"])
    assert prepare(recipe=settings, run=run, root=clinic, table=frame)
    assert not prepare(recipe=settings, run=run, root=clinic, table=frame.copy())
    assert Schema.load(run.schema).names == ["age", "smoker"]
    assert prepare(recipe=settings, run=run, root=clinic, table=frame.assign(age=frame["age"] + 1))


def test_domains_come_from_the_training_records_alone(clinic):
    schema, splits = preview(recipe(), root=clinic)
    run = Run.create(clinic / "run")
    prepare(recipe=recipe(), run=run, root=clinic)
    assert Schema.load(run.schema) == schema
    assert schema["seen"].maximum <= max(splits["train"]["seen"]).replace(month=12, day=31)
    assert schema["note"].max_length == splits["train"]["note"].str.len().max()
    assert schema["age"].missing == splits["train"]["age"].isna().mean()


def test_bad_data_leaves_no_files(clinic):
    run = Run.create(clinic / "run")
    with pytest.raises(DataError, match="did you mean 'smoker'"):
        prepare(recipe=recipe(target="smokr"), run=run, root=clinic)
    assert not run.splits.exists()
    assert run.journal.stage("records").get("status") != "done"


def test_a_limit_leaves_that_many_rows(clinic):
    schema, splits = preview(recipe(limit=50), root=clinic)
    assert sum(map(len, splits.values())) == 50
    assert schema["patient_id"].type == "identifier"


def test_a_column_without_training_cells_is_left_out(clinic):
    frame = pd.DataFrame({"age": [str(age) for age in range(100, 140)], "sex": ["f", "m"] * 20})
    for row in range(40):
        table = frame.assign(rare=["7.5" if each == row else None for each in range(40)])
        run = Run.create(clinic / f"run{row}")
        prepare(recipe=recipe(target="sex"), run=run, root=clinic, table=table)
        warnings = run.journal.stage("records")["facts"]["warnings"]
        if Schema.load(run.schema).names == ["age", "sex"]:
            assert "column 'rare': has no cells in the training records; left out of the model" in warnings
            return
    raise AssertionError("the cell was in train for every row")

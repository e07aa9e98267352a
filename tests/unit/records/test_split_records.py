"""Records by which training stops where no control records are kept out."""

from pathlib import Path

import pandas as pd
import pytest

from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Schema
from paracosm.records.splitting.split_records import read_split_records
from paracosm.records.stage import prepare


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    table = pd.DataFrame({"person": [f"p{row // 2:03}" for row in range(200)], "size": range(1000, 1200)})
    table.assign(kind=["a", "b"] * 100).to_csv(tmp_path / "table.csv", index=False)
    return tmp_path


def split_records(folder: Path, control: float, subject: str | None) -> tuple[list, list]:
    data = {"source": "table.csv", "rare": "keep", "split": {"control": control, "test": 0}}
    recipe = Recipe.model_validate({"name": "r", "data": {**data, "subject": subject}})
    run = Run(folder / "run")
    prepare(recipe=recipe, run=run, root=folder)
    return read_split_records(recipe, run, Schema.load(run.schema))


def test_control_records_are_held_out_where_there_are_some(folder: Path) -> None:
    train, held_out = split_records(folder, 0.25, None)
    assert (len(train), len(held_out)) == (150, 50)


@pytest.mark.parametrize("subject", [None, "person"])
def test_a_tenth_of_the_subjects_is_held_out_without_control_records(
    folder: Path, subject: str | None
) -> None:
    train, held_out = split_records(folder, 0, subject)
    assert (len(train), len(held_out)) == (180, 20)
    assert not {record["size"] for record in train} & {record["size"] for record in held_out}
    if subject:
        people = [{(record["size"] - 1000) // 2 for record in records} for records in (train, held_out)]
        assert not people[0] & people[1]

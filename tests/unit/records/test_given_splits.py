"""Ready-made splits: files of their own for control and test."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from paracosm.foundation.errors import DataError
from paracosm.recipes.recipe import Recipe
from paracosm.records.stage import preview


def people(rows: int, seed: int) -> pd.DataFrame:
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "patient": [f"p{seed}-{row // 2}" for row in range(rows)],
            "weight": draw.normal(70, 9, rows).round(2),
            "ill": draw.choice(["yes", "no"], rows),
        }
    )


def splits_of(folder: Path, **data: object) -> dict[str, pd.DataFrame]:
    recipe = Recipe.model_validate({"name": "given", "data": {"source": "train.csv", **data}})
    return preview(recipe, root=folder)[1]


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for seed, (name, rows) in enumerate([("train", 100), ("control", 30), ("test", 20)]):
        people(rows, seed).to_csv(tmp_path / f"{name}.csv", index=False)
    return tmp_path


def test_both_files_leave_all_rows_of_the_source_in_train(place: Path) -> None:
    parts = splits_of(place, control="control.csv", test="test.csv", rare="keep")
    assert {name: len(part) for name, part in parts.items()} == {"train": 100, "control": 30, "test": 20}
    assert parts["control"]["weight"].tolist() == people(30, 1)["weight"].tolist()


def test_one_file_leaves_the_other_share(place: Path) -> None:
    parts = splits_of(place, test="test.csv")
    assert {name: len(part) for name, part in parts.items()} == {"train": 90, "control": 10, "test": 20}


def test_a_test_share_of_zero_keeps_no_rows_out(place: Path) -> None:
    parts = splits_of(place, split={"test": 0})
    assert {name: len(part) for name, part in parts.items()} == {"train": 90, "control": 10, "test": 0}


def test_shares_of_zero_leave_all_rows_in_train(place: Path) -> None:
    parts = splits_of(place, split={"control": 0, "test": 0})
    assert {name: len(part) for name, part in parts.items()} == {"train": 100, "control": 0, "test": 0}
    parts = splits_of(place, split={"control": 0, "test": 0}, test="test.csv")
    assert {name: len(part) for name, part in parts.items()} == {"train": 100, "control": 0, "test": 20}


def test_private_training_needs_control_records() -> None:
    with pytest.raises(ValidationError, match=r"data\.split\.control: 0 is not allowed with privacy"):
        Recipe.model_validate(
            {
                "name": "given",
                "data": {"source": "train.csv", "split": {"control": 0}},
                "privacy": {"epsilon": 8},
            }
        )


def test_shared_subjects_are_counted(place: Path) -> None:
    from paracosm.records.assembly import assemble
    from paracosm.records.sources.read_source import read_source
    from paracosm.records.splitting.given_splits import read_given

    overlapping = people(100, 0).head(6).assign(weight=1.5)
    pd.concat([people(30, 1), overlapping]).to_csv(place / "control.csv", index=False)
    recipe = Recipe.model_validate(
        {"name": "given", "data": {"source": "train.csv", "control": "control.csv", "subject": "patient"}}
    )
    raw, given = read_source(recipe.data, root=place), read_given(recipe.data, root=place)
    lines = [line for line in assemble(recipe, raw, given=given).warnings if "data.control" in line]
    assert len(lines) == 1
    assert "6 of 36 records belong to a subject of data.source" in lines[0]


def test_other_columns_are_refused(place: Path) -> None:
    people(30, 1).rename(columns={"weight": "wieght"}).to_csv(place / "control.csv", index=False)
    with pytest.raises(
        DataError, match=r"data\.control: lacks the column 'weight' of data\.source; did you mean 'wieght'"
    ):
        splits_of(place, control="control.csv")
    people(30, 1).assign(more=1).to_csv(place / "control.csv", index=False)
    with pytest.raises(DataError, match=r"data\.control: has the column 'more'"):
        splits_of(place, control="control.csv")

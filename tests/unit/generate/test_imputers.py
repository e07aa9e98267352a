"""Imputation by fitted methods: what each fills in, what it leaves, and its score on cells that were taken out."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paracosm.foundation.errors import DataError, RunError
from paracosm.generate.imputation import impute
from paracosm.generate.imputation_score import score_methods
from paracosm.generate.imputers.encoding import Encoding, numbers
from paracosm.generate.imputers.methods import METHODS, Method, filled
from paracosm.recipes.loading.load import recipe_of
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Field, Record
from paracosm.records.stage import prepare

FIELDS = (
    Field(name="dose", type="integer", minimum=0, maximum=100, nullable=True),
    Field(name="arm", type="category", categories=("a", "b"), nullable=True),
    Field(name="weight", type="number", minimum=0, maximum=200, decimals=1, nullable=True),
)


def patients(count: int, seed: int = 0) -> list[Record]:
    """Return records in which dose follows from arm, and weight from dose."""
    random = np.random.default_rng(seed)
    records: list[Record] = []
    for _ in range(count):
        arm = "a" if random.random() < 0.6 else "b"
        dose = int(random.integers(10, 20) if arm == "a" else random.integers(60, 80))
        records.append({"dose": dose, "arm": arm, "weight": round(dose * 1.5 + random.normal(0, 8) + 10, 1)})
    return records


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Recipe:
    path = tmp_path_factory.mktemp("source") / "patients.csv"
    pd.DataFrame(patients(240)).assign(note="seen at the ward, no complaint was noted").to_csv(
        path, index=False
    )
    fields = {"note": {"type": "text"}}
    return recipe_of({"name": "patients", "data": {"source": str(path), "fields": fields}})


@pytest.fixture(scope="module")
def run(recipe: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = Run(tmp_path_factory.mktemp("run") / "run")
    prepare(recipe=recipe, run=run)
    return run


def test_averages_are_those_of_the_training_records() -> None:
    train: list[Record] = [
        {"dose": 1, "arm": "b", "weight": 1.0},
        {"dose": 2, "arm": "b", "weight": None},
        {"dose": 9, "arm": "a", "weight": 3.0},
        {"dose": None, "arm": None, "weight": 3.0},
    ]
    encoding, holes = Encoding.of(FIELDS, train), np.full((1, 3), np.nan)
    found = {
        method: [encoding.value(at, filled(method, encoding, holes, 0)[0, at]) for at in range(3)]
        for method in ("mean", "median", "mode")
    }
    assert found == {"mean": [4, "b", 2.3], "median": [2, "b", 3.0], "mode": [1, "b", 3.0]}


@pytest.mark.parametrize("method", ["knn", "iterative", "forest"])
def test_known_cells_tell_the_others_and_are_kept(method: Method) -> None:
    encoding = Encoding.of(FIELDS, patients(300))
    given: list[Record] = [{"dose": 15}, {"dose": 70}, {"arm": "b"}, {"dose": 15, "arm": "b", "weight": 20.0}]
    cells = filled(method, encoding, numbers(FIELDS, given), 0)
    rows = [[encoding.value(at, cells[row, at]) for at in range(3)] for row in range(4)]
    assert [row[1] for row in rows] == ["a", "b", "b", "b"]
    assert rows[0][2] == pytest.approx(32.5, abs=15)
    assert rows[1][2] == pytest.approx(115, abs=15)
    assert 55 <= float(rows[2][0]) <= 85  # type: ignore[arg-type]
    assert rows[3] == [15, "b", 20.0]


@pytest.mark.parametrize("method", METHODS)
def test_a_field_without_any_training_value_stays_empty(method: Method) -> None:
    train = [record | {"weight": None} for record in patients(60)]
    encoding = Encoding.of(FIELDS, train)
    cells = filled(method, encoding, numbers(FIELDS, [{"arm": "a"}, {}]), 0)
    assert not np.isnan(cells[:, :2]).any()
    assert encoding.value(2, encoding.averages("mean")[2]) is None


@pytest.mark.parametrize("method", METHODS)
def test_a_table_is_completed_and_its_texts_are_left(
    method: str, recipe: Recipe, run: Run, tmp_path: Path
) -> None:
    holes = tmp_path / "holes.csv"
    holes.write_text("weight,arm,dose,note,ward\n,a,,,7\n22.5,,15,,8\n30.0,b,,old,9\n")
    lines: list[str] = []
    (path,) = impute(
        recipe=recipe,
        run=run,
        table=holes,
        out=tmp_path / "full.csv",
        method=method,
        progress=lambda line: lines.append(str(line)),
    )
    full = pd.read_csv(path, dtype=str, keep_default_na=False)
    assert list(full.columns) == ["weight", "arm", "dose", "note", "ward"]
    assert (full[["weight", "arm", "dose", "ward"]] != "").all(axis=None)
    assert full["note"].tolist() == ["", "", "old"]
    assert full.loc[2, "weight"] == "30.0"
    assert full["ward"].tolist() == ["7", "8", "9"]
    assert any("texts are filled by method model alone" in line for line in lines)


def test_methods_that_see_other_cells_score_better(recipe: Recipe, run: Run) -> None:
    scores, left_out = score_methods(recipe=recipe, run=run, methods=[*METHODS, "model"], share=0.3)
    by_name = {each.method: each for each in scores}
    assert list(left_out) == ["model"]
    assert len({each.cells for each in scores}) == 1
    for method in ("knn", "forest"):
        assert by_name[method].right > by_name["mode"].right  # type: ignore[operator]
        assert by_name[method].error < by_name["mean"].error / 2  # type: ignore[operator]
    low, high = by_name["mode"].right_interval  # type: ignore[misc]
    assert low < by_name["mode"].right < high  # type: ignore[operator]


def test_what_a_method_cannot_do_is_refused(recipe: Recipe, run: Run, tmp_path: Path) -> None:
    holes = tmp_path / "holes.csv"
    holes.write_text("arm\na\n")
    with pytest.raises(RunError, match=r"'kn' is not a method .*did you mean 'knn'"):
        impute(recipe=recipe, run=run, table=holes, out=tmp_path / "x.csv", method="kn")
    with pytest.raises(RunError, match="gives one completed table"):
        impute(recipe=recipe, run=run, table=holes, out=tmp_path / "x.csv", method="knn", times=2)
    with pytest.raises(DataError, match="which this run does not have"):
        impute(recipe=recipe, run=Run(tmp_path), table=holes, out=tmp_path / "x.csv", method="knn")
    assert not (tmp_path / "x.csv").exists()

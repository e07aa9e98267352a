"""`paracosm.fit`, `Model.sample`, `impute`, `save` and `load`, with a tiny model."""

import gc
import stat
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tiny_models import save_tiny_llama

import paracosm
from paracosm.foundation.errors import DataError, RecipeError, RunError
from paracosm.foundation.progress import silent
from paracosm.model import Model

ROWS = 80


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_tiny_llama(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    draw = np.random.default_rng(0)
    days = pd.to_timedelta(draw.integers(0, 300, ROWS), unit="D")
    table = pd.DataFrame(
        {
            "number": np.arange(1000, 1000 + ROWS),
            "weight": np.round(draw.normal(70, 9, ROWS), 1),
            "sex": pd.Categorical(draw.choice(["F", "M"], ROWS)),
            "seen": pd.Timestamp("2024-01-01") + days,
            "smoker": draw.random(ROWS) < 0.3,
            "children": pd.array(draw.integers(0, 4, ROWS), dtype="Int64"),
            "outcome": draw.choice(["alive", "dead"], ROWS),
        }
    )
    table.loc[3, "children"] = pd.NA
    table.loc[5, "weight"] = np.nan
    return table


def fitted(table: pd.DataFrame, base: str, **more: object) -> Model:
    return paracosm.fit(
        table,
        target="outcome",
        overrides={"model.base": base, "model.layers": None, "finetune.epochs": 1},
        progress=silent,
        **more,
    )


@pytest.fixture(scope="module")
def model(table: pd.DataFrame, base: str) -> Model:
    return fitted(table, base)


def test_samples_have_the_columns_and_the_types_of_the_table(model: Model, table: pd.DataFrame) -> None:
    synthetic = model.sample(30, progress=silent)
    assert len(synthetic) == 30
    pd.testing.assert_series_equal(synthetic.dtypes, table.dtypes)
    assert set(synthetic["number"]).isdisjoint(table["number"])


def test_conditions_hold_and_seeds_decide(model: Model) -> None:
    dead = model.sample(12, where={"outcome": np.str_("dead")}, progress=silent)
    assert set(dead["outcome"]) == {"dead"}
    pd.testing.assert_frame_equal(dead, model.sample(12, where={"outcome": "dead"}, progress=silent))
    assert not dead.equals(model.sample(12, where={"outcome": "dead"}, seed=1, progress=silent))


def test_quotas_are_kept(model: Model) -> None:
    counts = model.sample(20, quotas={"outcome": "balanced"}, progress=silent)["outcome"].value_counts()
    assert dict(counts) == {"alive": 10, "dead": 10}


def test_the_recipe_has_the_decisions_of_init(model: Model) -> None:
    recipe = model.recipe
    assert recipe.finetune.order == "target_first"
    assert recipe.finetune.epochs == 1
    assert recipe.data.fields["number"].fresh
    assert "number" in repr(model)
    assert "temporary" in repr(model)
    assert "<table>" in model._repr_html_()


def test_a_temporary_run_is_private_and_goes_away_with_the_model(table: pd.DataFrame, base: str) -> None:
    model = fitted(table, base)
    root = model.run.root
    assert stat.S_IMODE(root.stat().st_mode) == 0o700
    del model
    gc.collect()
    assert not root.exists()


def test_a_saved_model_samples_the_same(model: Model, tmp_path: Path) -> None:
    saved = model.save(tmp_path / "kept")
    assert stat.S_IMODE(saved.run.root.stat().st_mode) == 0o700
    loaded = paracosm.load(tmp_path / "kept")
    expected = model.sample(5, progress=silent)
    pd.testing.assert_frame_equal(loaded.sample(5, progress=silent), expected)
    with pytest.raises(RunError, match="exists already"):
        model.save(tmp_path / "kept")


def test_missing_cells_are_filled_in_their_types(table: pd.DataFrame, base: str) -> None:
    model = fitted(table, base, finetune={"order": "shuffled"})
    holes = table.set_index(pd.Index(range(100, 100 + ROWS)))
    for column in ("weight", "sex", "seen", "children", "outcome"):
        holes.loc[holes.index[:6], column] = None
    filled = model.impute(holes, progress=silent)
    assert isinstance(filled, pd.DataFrame)
    pd.testing.assert_series_equal(filled.dtypes, table.dtypes)
    pd.testing.assert_frame_equal(filled.iloc[6:], holes.iloc[6:].fillna({"weight": filled["weight"]}))
    assert filled[["sex", "seen", "outcome"]].notna().all(axis=None)
    assert len(model.impute(holes, times=2, progress=silent)) == 2


def test_partial_records_are_completed(table: pd.DataFrame, base: str, model: Model) -> None:
    given = pd.DataFrame({"outcome": ["dead", "alive", "dead"]})
    completed = model.sample(given=given, progress=silent)
    assert list(completed["outcome"]) == ["dead", "alive", "dead"]


@pytest.mark.parametrize(
    ("keywords", "message"),
    [
        ({"epochs": 3}, "fit: 'epochs' is a key of a section; write finetune={'epochs': ...}"),
        ({"targt": "outcome"}, "fit: unknown keyword 'targt'; did you mean 'target'?"),
        ({"finetune": {"epoch": 3}}, "unknown key 'finetune.epoch'; did you mean 'epochs'?"),
        ({"finetune": 3}, "finetune must be a mapping of keys; got 3"),
        ({"target": "outcom"}, "there is no column 'outcom'; did you mean 'outcome'?"),
    ],
)
def test_a_wrong_keyword_gets_one_line(table: pd.DataFrame, keywords: dict, message: str) -> None:
    with pytest.raises((RecipeError, DataError)) as refusal:
        paracosm.fit(table, progress=silent, **keywords)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_a_table_in_place_of_a_recipe_names_fit(table: pd.DataFrame) -> None:
    with pytest.raises(RecipeError, match=r"a DataFrame is not a recipe.*paracosm\.fit\(table"):
        paracosm.run(table)
    with pytest.raises(RecipeError, match="needs a table"):
        paracosm.fit()


def test_an_unknown_value_is_refused(model: Model) -> None:
    with pytest.raises(RecipeError, match="unknown field 'sx'; did you mean 'sex'"):
        model.sample(5, where={"sx": "F"}, progress=silent)


def test_a_run_that_is_not_trained_is_not_loaded(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="neither a run directory nor"):
        paracosm.load(tmp_path)

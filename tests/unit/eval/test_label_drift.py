"""Label drift and novelty of texts: real records have little, swapped texts much; a copy has nothing new."""

import numpy as np
import pandas as pd

from paracosm.eval.augmentation.label_drift import MEASURE, drift_metrics, label_obstacle
from paracosm.eval.measuring.context import Context
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Field, Schema

SCHEMA = Schema(
    (
        Field(name="part", type="category", categories=("arm", "leg")),
        Field(name="note", type="text", max_length=200),
    )
)


def records(rows: int, seed: int) -> pd.DataFrame:
    random = np.random.default_rng(seed)
    part = random.choice(["arm", "leg"], rows)
    where = {"arm": "elbow and the wrist", "leg": "knee and the ankle"}
    notes = [f"Pain in the {where[each]} on day {random.integers(1000)} of the stay." for each in part]
    return pd.DataFrame({"part": part, "note": notes}).astype("string")


def context(target: str | None = "part") -> Context:
    return Context(SCHEMA, records(200, 0), records(60, 1), records(60, 2), target, Evaluate(repeats=2), 100)


def test_swapped_texts_drift_and_copies_hold_nothing_new() -> None:
    of = context()
    found = {name: drift_metrics(*pair) for name, pair in MEASURE.candidates(of, records(100, 3)).items()}
    assert found["synthetic"]["label_drift"].value < 0.05
    assert found["ceiling"]["label_drift"].value < 0.05
    assert found["worst"]["label_drift"].value < 0.05
    assert found["floor"]["label_drift"].low > 0.3
    assert found["worst"]["text_novelty"].value == 0
    assert 0 < found["ceiling"]["text_novelty"].value < 1


def test_the_label_that_a_text_contradicts_is_counted() -> None:
    of = context()
    wrong = records(100, 4)
    wrong.loc[:24, "part"] = wrong.loc[:24, "part"].map({"arm": "leg", "leg": "arm"})
    assert abs(drift_metrics(of, wrong)["label_drift"].value - 0.25) < 0.02


def test_a_label_that_one_record_alone_has_is_in_one_fold() -> None:
    rare = records(200, 0)
    rare["part"] = pd.Series(["arm"] * 199 + ["leg"], dtype="string")
    of = Context(SCHEMA, rare, records(60, 1), records(60, 2), "part", Evaluate(repeats=2), 200)
    # The only leg is never predicted by folds without it.
    assert drift_metrics(of, of.train)["label_drift"].value == 1 / 200


def test_synthetic_records_that_all_lack_the_target_are_not_measured() -> None:
    lacking = records(60, 5)
    lacking["part"] = pd.Series([pd.NA] * 60, dtype="string")
    assert drift_metrics(context(), lacking) == {}


def test_records_without_a_target_have_no_drift() -> None:
    assert label_obstacle(context(None)) is not None
    assert label_obstacle(context()) is None

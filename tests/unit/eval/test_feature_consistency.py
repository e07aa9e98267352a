"""Self-consistency of derived columns: real records agree with their texts, swapped texts do not."""

import numpy as np
import pandas as pd

from paracosm.eval.features.consistency import MEASURE, feature_metrics, feature_obstacle
from paracosm.eval.measuring.context import Context
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.assembly import assemble

WORDS = {
    -2: "a terrible disaster",
    -1: "a bad loss",
    0: "a plain day",
    1: "a good gain",
    2: "a great success",
}


def context(rows: int = 400) -> Context:
    random = np.random.default_rng(0)
    mood = random.integers(-2, 3, rows)
    raw = pd.DataFrame(
        {
            "return": [f"{2 * each + random.normal():.2f}" for each in mood],
            "note": [f"Traders saw {WORDS[each]} on floor {random.integers(1000)}." for each in mood],
        }
    ).astype("string")
    recipe = Recipe.model_validate(
        {"name": "x", "data": {"source": "x", "features": {"note": ["sentiment", "phrases"]}}}
    )
    prepared = assemble(recipe, raw)
    parts = prepared.splits
    return Context(
        prepared.schema, parts["train"], parts["control"], parts["test"], None, Evaluate(repeats=2), 80
    )


def test_real_records_agree_and_swapped_texts_do_not() -> None:
    of = context()
    assert feature_obstacle(of) is None
    candidates = MEASURE.candidates(of, of.train)
    found = {name: feature_metrics(*candidates[name]) for name in ("synthetic", "ceiling", "floor")}
    assert found["synthetic"]["self_consistency"].value > 0.99
    assert found["ceiling"]["self_consistency"].value > 0.95
    assert found["floor"]["self_consistency"].high < found["ceiling"]["self_consistency"].low
    assert set(found["synthetic"]["self_consistency"].breakdown) == {"note.sentiment", "note.phrases"}
    # Sentiment goes with the return in real records, and with nothing where texts are swapped.
    facts = found["floor"]["feature_correlation"].facts
    assert facts["correlation_in_train"]["note.sentiment and return"] > 0.7
    assert abs(facts["correlation"]["note.sentiment and return"]) < 0.3
    assert found["ceiling"]["feature_correlation"].high < found["floor"]["feature_correlation"].low


def test_a_column_that_only_has_the_name_is_left_out() -> None:
    of = context()
    random = np.random.default_rng(1)
    order = random.permutation(len(of.train))
    shuffled = of.train.assign(
        **{name: of.train[name].to_numpy()[order] for name in ("note.phrases", "note.sentiment")}
    )
    of = Context(of.schema, shuffled, of.control, of.test, None, of.settings, of.size)
    assert feature_metrics(of, of.control) == {}

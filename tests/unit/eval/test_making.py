"""Advice after a FAIL fits how the records were made and why training ended."""

import pytest

from paracosm.eval.gates.making import ELSEWHERE, Making, advice_after_fail
from paracosm.recipes.recipe import Recipe

SOURCE = {"name": "loans", "data": {"source": "loans.csv"}}


def advice(strategy: str, stopped: dict[str, object] | None = None) -> dict[str, str]:
    recipe = Recipe.model_validate(SOURCE | {"strategy": strategy})
    making = Making.of(recipe, {} if stopped is None else {"stopped": stopped})
    return {question: advice_after_fail(question, making) for question in ("fidelity", "utility", "records")}


def test_more_epochs_are_not_advised_after_memorisation() -> None:
    turned = advice("finetuned", {"turned": True, "minutes": None})
    assert "more epochs do not help" in turned["fidelity"]
    assert "paracosm compare" in turned["fidelity"]
    assert "finetune.epochs" not in turned["utility"]
    learning = advice("finetuned", {"turned": False, "minutes": None})
    assert "raise finetune.epochs" in learning["fidelity"]
    assert "finetune.max_minutes" in advice("finetuned", {"turned": False, "minutes": 2.0})["fidelity"]


@pytest.mark.parametrize("strategy", ["statistical", "prompt", "chain", "augment"])
def test_nobody_is_told_to_train_what_is_not_trained(strategy: str) -> None:
    for sentence in advice(strategy).values():
        assert "epoch" not in sentence
        assert "privacy.epsilon" not in sentence


def test_a_forest_is_sent_to_its_leaves_and_foreign_records_to_their_maker() -> None:
    assert "statistical.leaf" in advice("statistical")["records"]
    assert "by construction" in advice("augment")["records"]
    assert "maker" in advice_after_fail("fidelity", ELSEWHERE)
    assert "release.what=records" in advice_after_fail("adapter", Making("statistical", "forest"))

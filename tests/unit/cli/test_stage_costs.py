"""The expected costs follow the recipe: every stage is there, and a long one names keys that shorten it."""

import pandas as pd
import pytest

from paracosm.finetune.cost_estimate import CostEstimate
from paracosm.recipes.recipe import Recipe
from paracosm.records.schema.schema import Field, Schema
from paracosm.stage_costs import stage_costs

SCHEMA = Schema((Field(name="age", type="integer"), Field(name="note", type="text")))
SPLITS = {
    name: pd.DataFrame({"age": [1] * rows})
    for name, rows in (("train", 800), ("control", 100), ("test", 100))
}
COST = CostEstimate(20.0, 15.0, 40, 10**8, 10**6, 2000.0, 10**9)


def costs(**sections: object):
    recipe = Recipe.model_validate({"name": "x", "data": {"source": "x"}, **sections})
    return stage_costs(recipe, SCHEMA, SPLITS, COST)


def test_every_stage_has_time_and_memory() -> None:
    found = costs()
    assert list(found) == ["training", "generation", "evaluation"]
    assert all(cost.seconds > 0 and cost.bytes > 0 and not cost.is_long for cost in found.values())


@pytest.mark.parametrize(
    ("section", "stage"),
    [
        ({"generate": {"records": 10**6}}, "generation"),
        ({"eval": {"attacks": ["adapter", "lira"]}}, "evaluation"),
    ],
)
def test_more_work_is_more_time_and_names_its_cure(section: dict[str, object], stage: str) -> None:
    more = costs(**section)[stage]
    assert more.seconds > costs()[stage].seconds
    assert more.is_long
    assert more.cures.split(".")[0] in section

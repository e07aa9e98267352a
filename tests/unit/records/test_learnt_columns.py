"""A recipe without `data.pii` says which columns of persons the model learns."""

from typing import Any

import numpy as np
import pandas as pd

from paracosm.recipes.recipe import Recipe
from paracosm.records.assembly import assemble

SURNAMES = ("Miller", "Okafor", "Garcia", "Nguyen", "Schmidt", "Rossi", "Novak", "Tanaka")


def warnings_of(**data: Any) -> list[str]:
    draw = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "surname": draw.choice(SURNAMES, 200),
            "home address": [f"{row % 40 + 1} Oak Street" for row in range(200)],
            "age": draw.integers(20, 90, 200).astype(str),
            "ward": draw.choice(["a", "b"], 200),
        }
    )
    recipe = Recipe.model_validate({"name": "x", "data": {"source": "x", **data}})
    return [line for line in assemble(recipe, table).warnings if "the model learns" in line]


KINDS = {name: {"type": "category"} for name in ("surname", "home address")}


def test_columns_of_persons_that_are_learnt_are_named() -> None:
    lines = warnings_of(fields=KINDS)
    assert len(lines) == 2
    assert "'surname': looks like names of persons" in lines[0]
    assert "'home address': looks like addresses" in lines[1]
    assert all("data.pii: replace" in line for line in lines)


def test_columns_that_are_left_out_are_not() -> None:
    assert warnings_of(drop=["surname", "home address"]) == []

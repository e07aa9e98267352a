"""The outlook of a table says which questions its sizes can settle, and what would change it."""

import numpy as np
import pandas as pd
import pytest

from paracosm.eval.outlook.questions import Outlook, outlook
from paracosm.eval.outlook.rehearsal import rehearse
from paracosm.recipes.recipe import Recipe
from paracosm.records.assembly import Prepared, assemble
from paracosm.records.sources.read_source import from_object


def prepared(rows: int, **sections: object) -> tuple[Recipe, Prepared]:
    """Return a table whose outcome depends on two of its four columns."""
    random = np.random.default_rng(5)
    age, dose = random.integers(20, 90, rows), random.normal(10, 2, rows).round(1)
    risk = (age - 55) / 12 + (dose - 10) / 2 + random.logistic(size=rows)
    table = pd.DataFrame(
        {"age": age, "dose": dose, "ward": random.choice(["a", "b", "c"], rows), "outcome": risk > 0}
    )
    recipe = Recipe.model_validate(
        {"name": "ward", "data": {"source": "ward.csv", "target": "outcome", "rare": "keep"}} | sections
    )
    return recipe, assemble(recipe, from_object(table))


def by_title(recipe: Recipe, records: Prepared) -> dict[str, Outlook]:
    return {line.title: line for line in outlook(recipe, records.schema, records.splits)}


def test_a_small_table_settles_nothing_and_says_what_is_missing() -> None:
    lines = by_title(*prepared(150))
    assert not any(line.can_pass for line in lines.values())
    assert (
        "near_copies needs 390 synthetic records, and 120 are made"
        in lines["Privacy of the records"].sentence
    )
    assert "this table leaves 15" in lines["Privacy of the model"].sentence
    assert "release.what=records" in lines["Privacy of the model"].sentence


def test_a_large_table_settles_every_question() -> None:
    lines = by_title(*prepared(6000))
    assert all(line.can_pass for line in lines.values()), lines
    assert list(lines) == ["Fidelity", "Usefulness", "Privacy of the records", "Privacy of the model"]


def test_what_is_not_released_or_named_is_not_promised() -> None:
    recipe, records = prepared(600, release={"what": "records"})
    assert "Privacy of the model" not in by_title(recipe, records)
    without = recipe.model_copy(update={"data": recipe.data.model_copy(update={"target": None})})
    assert by_title(without, records)["Usefulness"].sentence == "not measured without data.target"


@pytest.mark.parametrize(("rows", "more"), [(1500, 6000)])
def test_more_records_narrow_what_is_rehearsed(rows: int, more: int) -> None:
    few, many = (
        {margin.gate.name: margin for margin in rehearse(recipe, records.schema, records.splits)}
        for recipe, records in (prepared(rows), prepared(more))
    )
    assert few.keys() == many.keys() == {"marginals", "pairs", "triples", "utility_skill"}
    assert few["utility_skill"].half_width > 1.4 * many["utility_skill"].half_width
    assert few["utility_skill"].data == "test records"

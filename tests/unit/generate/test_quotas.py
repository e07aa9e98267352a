"""Values in quotas are written as in `generate.where`: with the unit of the field, or as a bare number."""

import numpy as np
import pytest

from paracosm.foundation.errors import RecipeError
from paracosm.generate.constraints.quotas import quota_classes, recipe_value
from paracosm.records.schema.schema import Field

WEIGHT = Field(name="weight", type="integer", minimum=1, maximum=9, suffix=" kg")


@pytest.mark.parametrize("key", ["5", "5 kg"])
def test_a_quota_takes_a_number_with_or_without_its_unit(key: str) -> None:
    quota = quota_classes(WEIGHT, {key: 0.5}, count=10, seed=0)
    assert quota.classes[0] == frozenset({5})


@pytest.mark.parametrize("key", ["5 lb", "five", "12"])
def test_a_quota_refuses_other_units_and_values_outside_the_domain(key: str) -> None:
    with pytest.raises(RecipeError, match=r"^generate\.quotas\.weight: "):
        quota_classes(WEIGHT, {key: 0.5}, count=10, seed=0)


def test_the_key_null_is_the_missing_cell() -> None:
    small = Field(name="size", type="category", categories=("s", "m"), nullable=True)
    quota = quota_classes(small, {"null": 0.2, "s": 0.5}, count=10, seed=0)
    assert quota.classes == (frozenset({None}), frozenset({"s"}), frozenset({"m"}))
    assert [int(count) for count in np.bincount(quota.class_of)] == [2, 5, 3]
    # A field with any number of values is divided into missing and present.
    wide = Field(name="dose", type="number", decimals=3, minimum=0.0, maximum=9e6, nullable=True)
    assert quota_classes(wide, {"null": 0.2}, count=10, seed=0).classes == (frozenset({None}), None)


def test_null_is_the_category_of_this_name_where_there_is_one() -> None:
    field = Field(name="size", type="category", categories=("null", "m"), nullable=True)
    assert quota_classes(field, {"null": 0.2}, count=10, seed=0).classes[0] == frozenset({"null"})


def test_null_is_refused_where_no_cell_is_missing() -> None:
    with pytest.raises(RecipeError, match=r"null is a missing cell, and no training record lacks 'weight'"):
        quota_classes(WEIGHT, {"null": 0.5}, count=10, seed=0)
    with pytest.raises(RecipeError, match=r"^generate\.where\.weight: null is a missing cell"):
        recipe_value(WEIGHT, None, "generate.where.weight")

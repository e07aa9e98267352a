"""Values in quotas are written as in `generate.where`: with the unit of the field, or as a bare number."""

import pytest

from paracosm.foundation.errors import RecipeError
from paracosm.generate.constraints.quotas import quota_classes
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

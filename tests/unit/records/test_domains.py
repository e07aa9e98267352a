import math
from datetime import datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.inference.domains import fit_domains
from paracosm.records.inference.infer_schema import infer_types
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import to_records, to_typed


def fitted(cells, override=None):
    raw = pd.DataFrame({"c": cells})
    data = Data(source="a.csv", fields={"c": override} if override else {})
    schema = infer_types(raw, data)
    return fit_domains(schema, to_typed(raw, schema), data)["c"]


RANGES = [
    (["28", "77", "50"], (20, 80)),
    (["1", "4", "9"], (1, 9)),
    (["3", "4999", "120"], (0, 5000)),
    (["-17", "81", "0"], (-20, 90)),
    (["99950", "602", "3"], (0, 99999)),
    (["105", "950", "777"], (100, 999)),
    (["-2.6", "6.2", "0.0"], (-3.0, 7.0)),
    (["0.013", "0.987", "0.5"], (0.0, 1.0)),
    (["36.5", "36.9", "37.1"], (36.5, 37.1)),
    (["1e-09", "3.7e+20", "5.0"], (1e-09, 4e20)),
    (["-1.7e+308", "1.7e+308"], (-1.7976931348623157e308, 1.7976931348623157e308)),
    (["00501", "99950"], (0, 99999)),
    (["-9223372036854775807", "9223372036854775806"], (-(2**63), 2**63 - 1)),
    (["9100000000000000000", "5"], (0, 2**63 - 1)),
]


@pytest.mark.parametrize(("cells", "expected"), RANGES)
def test_extremes_are_rounded_outward(cells, expected):
    field = fitted(cells)
    assert (field.minimum, field.maximum) == expected
    assert not field.declared


def test_an_extreme_that_many_records_share_is_not_rounded():
    field = fitted(["17"] * 10 + ["90"] * 9 + ["40"])
    assert (field.minimum, field.maximum) == (17, 90)
    assert fitted(["17"] * 10 + ["83"] * 9 + ["40"]).maximum == 90


MOMENTS = [
    (["2019-03-05", "2021-07-09"], "2019-01-01", "2021-12-31"),
    (["2021-03-05", "2021-07-09"], "2021-03-01", "2021-07-31"),
    (["2021-03-05", "2021-03-09"], "2021-03-05", "2021-03-09"),
    (["2021-03-05 10:20", "2021-03-05 11:00"], "2021-03-05 00:00", "2021-03-05 23:59"),
    (["2021-03-05 10:20:30", "2024-03-05 11:00:00"], "2021-01-01 00:00:00", "2024-12-31 23:59:59"),
]


@pytest.mark.parametrize(("cells", "first", "last"), MOMENTS)
def test_moments_are_rounded_to_whole_days_months_or_years(cells, first, last):
    field = fitted(cells)
    assert (field.minimum, field.maximum) == (datetime.fromisoformat(first), datetime.fromisoformat(last))


def test_categories_lengths_and_missing_shares_come_from_the_training_records():
    field = fitted(["b", "a", None, "b"])
    assert (field.categories, field.nullable, field.missing) == (("a", "b"), True, 0.25)
    notes = [f"this is the note with number {number}" for number in range(12)]
    field = fitted(notes)
    assert (field.type, field.min_length, field.max_length, field.nullable) == (
        "text",
        1,
        max(map(len, notes)),
        False,
    )


DECLARED = [
    (["28", "77"], {"minimum": 0, "maximum": 120}, (0, 120)),
    (["28", "77"], {"minimum": "1e1", "maximum": 2**63 - 1}, (10, 2**63 - 1)),
    (["2.5", "7.5"], {"minimum": 0, "maximum": 10}, (0.0, 10.0)),
    (
        ["2021-03-05", "2021-07-09"],
        {"minimum": "2020-01-01", "maximum": "2022-01-01"},
        (datetime(2020, 1, 1), datetime(2022, 1, 1)),
    ),
    (
        ["5/3/2021", "17/7/2021"],
        {"minimum": "1/1/2021", "maximum": "2022-01-01"},
        (datetime(2021, 1, 1), datetime(2022, 1, 1)),
    ),
]


@pytest.mark.parametrize(("cells", "override", "expected"), DECLARED)
def test_the_recipe_declares_a_range(cells, override, expected):
    field = fitted(cells, override)
    assert (field.minimum, field.maximum) == expected
    assert type(field.minimum) is type(expected[0])
    assert field.declared


def test_one_declared_bound_is_not_a_declared_domain():
    field = fitted(["28", "77"], {"minimum": 0})
    assert (field.minimum, field.maximum, field.declared) == (0, 80, False)


def test_the_recipe_declares_categories_in_its_own_order_and_a_length():
    assert fitted(["a", "b"], {"categories": ["c", "b", "a"]}).categories == ("c", "b", "a")
    assert fitted(["a", "b"], {"type": "text", "max_length": 9}).max_length == 9


OUTSIDE = [
    (["28", "77"], {"minimum": 30}, "minimum: 30 is above the smallest value"),
    (["28", "77"], {"maximum": 70}, "maximum: 70 is below the largest value"),
    (["28", "77"], {"maximum": "many"}, "maximum: 'many' is not a number"),
    (["28", "77"], {"maximum": 99.5}, "maximum: 99.5 is not an integer"),
    (["28", "77"], {"maximum": "inf"}, "maximum: Infinity is not an integer"),
    (["28", "77"], {"minimum": -(2**63) - 1}, "minimum: -9223372036854775809 needs more than 64 bits"),
    (["28", "77"], {"maximum": 2**63}, "to 9223372036854775807"),
    (["2.5", "7.5"], {"maximum": 10**400}, "is not a finite number"),
    (["2021-03-05"], {"maximum": "soon"}, "maximum: 'soon' is not a date or time such as"),
    (["a", "b"], {"categories": ["a"]}, "categories: 1 values of training records are not among them"),
    (["abc", "b"], {"type": "text", "max_length": 2}, "a training record has 3 characters, more than 2"),
]


@pytest.mark.parametrize(("cells", "override", "expected"), OUTSIDE)
def test_a_training_value_outside_a_declared_domain(cells, override, expected):
    with pytest.raises(DataError) as error:
        fitted(cells, override)
    assert expected in str(error.value)
    assert "data.fields.c." in str(error.value)


finite = st.floats(allow_nan=False, allow_infinity=False)
cell_lists = st.one_of(
    st.lists(st.integers(-(2**63), 2**63 - 1).map(str), min_size=1, max_size=15),
    st.lists(finite.map(repr), min_size=1, max_size=15),
    st.lists(st.decimals(-(10**6), 10**6, places=3).map(str), min_size=1, max_size=15),
    st.lists(st.datetimes(datetime(1900, 1, 1)).map(str), min_size=1, max_size=15),
    st.lists(
        st.dates(datetime(1900, 1, 1).date()).map(lambda day: f"{day.month}/{day.day}/{day.year}"),
        min_size=1,
        max_size=15,
    ),
    st.lists(st.text(max_size=12), min_size=1, max_size=15),
    st.lists(st.sampled_from(["yes", "no"]), min_size=1, max_size=15),
)


@settings(max_examples=150, deadline=None)
@given(cells=cell_lists, gaps=st.lists(st.booleans(), min_size=15, max_size=15))
def test_every_training_record_lies_in_the_fitted_domain(cells, gaps):
    cells = [
        None if gone and row else cell for row, (cell, gone) in enumerate(zip(cells, gaps, strict=False))
    ]
    raw = pd.DataFrame({"c": pd.Series(cells, dtype="string"), "d": ["x"] * len(cells)})
    data = Data(source="a.csv", fields={"d": {"type": "text"}})
    schema = infer_types(raw, data)
    table = to_typed(raw, schema)
    schema = fit_domains(schema, table, data)
    assert Schema.from_json(schema.to_json()) == schema
    assert all(schema.allows(record) for record in to_records(table, schema))
    field = schema["c"]
    for bound in (field.minimum, field.maximum):
        assert bound is None or field.allows(bound)
    assert not isinstance(field.maximum, float) or math.isfinite(field.maximum)


def test_a_number_whose_shortest_decimal_is_a_tie_reads_back() -> None:
    cells = ["5.960464477539063e-08", "1e-09"]
    raw = pd.DataFrame({"c": pd.Series(cells, dtype="string"), "d": ["x", "y"]})
    data = Data(source="a.csv", fields={"d": {"type": "text"}})
    schema = infer_types(raw, data)
    table = to_typed(raw, schema)
    schema = fit_domains(schema, table, data)
    assert all(schema.allows(record) for record in to_records(table, schema))

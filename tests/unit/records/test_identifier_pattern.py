import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracosm.records.formats.identifier_pattern import (
    infer_pattern,
    mint,
    read_pattern,
    shape,
    write_pattern,
)
from paracosm.records.schema.schema import Field

PATTERNS = [
    ([f"VA{number:05d}" for number in range(3, 90_000, 907)], r"V\A99999"),
    ([f"ACI-{number:03d}-x" for number in range(12)], r"\ACI-099-x"),
    ([f"{number:03d}-45-{number * 7 % 10000:04d}" for number in range(100, 999, 9)], "999-45-9999"),
    ([f"P{number}" for number in range(100, 120)] + ["Q5"], "P199"),
    (["ab1", "cd2", "ef3"], "aa9"),
    (["Ünal1", "Ödön2"], "Aaaa9"),
    (["9\\A", "8\\B"], "9\\\\A"),
]


@pytest.mark.parametrize(("values", "expected"), PATTERNS)
def test_the_most_common_shape_with_its_shared_characters(values, expected):
    assert infer_pattern(values) == expected


def test_a_pattern_with_too_few_values_is_widened():
    pattern = infer_pattern([str(number) for number in range(1, 921)])
    field = Field(name="id", type="identifier", pattern=pattern)
    taken = {str(number) for number in range(1, 921)}
    minted = mint(field.pattern, 5000, seed=0, taken=taken)
    assert len(set(minted) | taken) == 5920
    assert all(re.fullmatch("[1-9][0-9]+", value) for value in minted)


@given(st.lists(st.text(max_size=8), min_size=1, max_size=20), st.integers(0, 50), st.integers(0, 99))
def test_minted_identifiers_are_new_distinct_and_reproducible(values, count, seed):
    field = Field(name="id", type="identifier", pattern=infer_pattern(values))
    minted = mint(field.pattern, count, seed=seed, taken=set(values))
    assert len(minted) == len(set(minted)) == count
    assert not set(minted) & set(values)
    assert minted == mint(field.pattern, count, seed=seed, taken=set(values))


def test_minted_identifiers_keep_the_shape():
    field = Field(name="id", type="identifier", pattern=r"V\A-99a")
    minted = mint(field.pattern, 200, seed=1, taken=set())
    assert all(re.fullmatch("VA-[0-9]{2}[a-z]", value) for value in minted)
    assert minted != mint(field.pattern, 200, seed=2, taken=set())


@given(st.text(max_size=12))
def test_patterns_round_trip(text):
    places = [("", letter) for letter in text]
    assert read_pattern(write_pattern(places)) == places


def test_shapes():
    assert shape("Ab-09 é") == "Aa-99 a"

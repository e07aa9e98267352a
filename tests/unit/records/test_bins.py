"""Bins of numbers: a partition of the domain, smooth distributions inside, and no edge that is one person's value."""

import json
import math
from datetime import datetime, time, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import byte_tokenizer

from paracosm.recipes.recipe import Recipe
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.bins.binned_code import BinnedCode
from paracosm.records.codec.bins.binned_fields import bins_of, fit_bins
from paracosm.records.codec.bins.fit_bins import MOST_BINS, Occurrence, fit_histogram, roundest
from paracosm.records.codec.bins.histogram import FLOOR, Bin, Histogram, Part
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.restriction import restrict_to_range, restrict_to_values
from paracosm.records.codec.stored_codec import codec_from_json, codec_to_json
from paracosm.records.schema.schema import Field, Record, Schema

TOKENIZER = byte_tokenizer()
FEWEST = 5
counts = st.dictionaries(st.integers(-40, 400), st.integers(1, 30), min_size=1, max_size=80)


def occurrences(found: dict[int, int]) -> list[Occurrence]:
    return [Occurrence(number, count, count) for number, count in sorted(found.items())]


def fitted(found: dict[int, int]) -> Histogram:
    return fit_histogram(occurrences(found), -50, 420, FEWEST)


@settings(max_examples=150, deadline=None)
@given(counts)
def test_bins_are_a_partition_of_the_domain_with_a_distribution_in_each(found: dict[int, int]) -> None:
    bins = fitted(found).bins
    assert (bins[0].low, bins[-1].high) == (-50, 420)
    assert all(before.high + 1 == after.low for before, after in pairwise(bins))
    for each in bins:
        probabilities = [each.probability(number) for number in range(each.low, each.high + 1)]
        assert min(probabilities) > 0
        assert math.fsum(probabilities) == pytest.approx(1)
        assert all(each.low <= part.low <= part.high <= each.high for part in each.parts)


@settings(max_examples=150, deadline=None)
@given(counts)
def test_each_bin_holds_enough_subjects_and_a_frequent_number_keeps_its_share(found: dict[int, int]) -> None:
    histogram, total = fitted(found), sum(found.values())
    held = [0] * len(histogram.bins)
    for number, count in found.items():
        held[histogram.index(number)] += count
    assert len(histogram.bins) == 1 or min(held) >= min(FEWEST, total)
    assert len(histogram.bins) <= 2 * MOST_BINS + 1
    for number, count in found.items():
        if count >= max(FEWEST, total / MOST_BINS, 2 * FEWEST):
            index = histogram.index(number)
            share = histogram.bins[index].probability(number) * held[index]
            assert share >= 0.99 * count * (1 - FLOOR)


@settings(max_examples=150, deadline=None)
@given(counts)
def test_what_is_drawn_stays_in_the_range_of_the_training_values(found: dict[int, int]) -> None:
    beyond = [
        part
        for each in fitted(found).bins
        for part in each.parts
        if part.low < min(found) or part.high > max(found)
    ]
    assert beyond == []


def test_an_extreme_value_that_one_person_has_is_not_an_edge() -> None:
    numbers = np.random.default_rng(0).normal(50_000, 9000, 800).astype(int)
    found = {int(number): 1 for number in {*numbers, 123_457, 1213}}
    histogram = fit_histogram(occurrences(found), 0, 200_000, FEWEST)
    stored = json.dumps(histogram.to_plain())
    edges = {
        edge for each in histogram.bins for part in each.parts for edge in (part.low, part.high, each.low)
    }
    assert "123457" not in stored
    assert "1213" not in stored
    # Where values are far apart, a limit between two of them is seldom one of them.
    assert len(edges & set(found)) < 0.1 * len(edges)


def test_the_values_of_one_person_are_not_a_frequent_value() -> None:
    values = [*range(100, 900), *[500] * 30]
    persons = [*map(str, range(800)), *["one"] * 30]
    field = Field(name="cost", type="integer", minimum=0, maximum=1000)
    records: list[Record] = [{"cost": v, "person": p} for v, p in zip(values, persons, strict=True)]
    alone = fit_bins(Schema((field,)), records, TOKENIZER, subject="person", fewest=FEWEST)["cost"]
    shared = fit_bins(Schema((field,)), records, TOKENIZER, subject=None, fewest=FEWEST)["cost"]
    assert shared.bins[shared.index(500)].probability(500) > 0.9
    assert alone.bins[alone.index(500)].probability(500) < 0.2


@given(st.integers(-(10**6), 10**6), st.integers(0, 10**5))
def test_the_roundest_number_lies_inside(low: int, span: int) -> None:
    assert low <= roundest(low, low + span) <= low + span


def test_the_roundest_number_is_round() -> None:
    assert roundest(123_457, 131_000) == 130_000
    assert roundest(41, 49) in range(41, 50)
    assert roundest(97, 104) == 100


FIELDS = (
    Field(name="weight", type="number", decimals=1, minimum=30.0, maximum=150.0, nullable=True),
    Field(name="dose", type="integer", minimum=-20, maximum=5000),
    Field(name="born", type="datetime", format="%Y-%m-%d", minimum=datetime(1930, 1, 1), maximum=datetime(2010, 1, 1)),
    Field(name="came", type="time", format="%H:%M", minimum=time(0), maximum=time(23, 59)),
    Field(name="stay", type="duration", format="%H:%M", minimum=timedelta(0), maximum=timedelta(hours=90)),
    Field(name="level", type="number", scientific=3, minimum=1e-6, maximum=1e6),
)  # fmt: skip


def made(count: int) -> list[Record]:
    random = np.random.default_rng(4)
    records: list[Record] = []
    for number in range(count):
        record: Record = {field.name: field.kind.draw(field, random) for field in FIELDS}
        record["weight"] = None if number % 7 == 0 else round(30 + 120 * random.beta(4, 6), 1)
        records.append(record)
    return records


RECORDS = made(300)
SCHEMA = Schema(FIELDS)
CODEC = Codec(SCHEMA, TOKENIZER, bins=fit_bins(SCHEMA, RECORDS, TOKENIZER, subject=None, fewest=FEWEST))


def test_every_kind_of_number_and_date_is_one_token_and_is_stored() -> None:
    assert set(CODEC.bins) == set(SCHEMA.names)
    assert all(len(CODEC.encode(record)) == len(FIELDS) for record in RECORDS)
    assert codec_from_json(codec_to_json(CODEC), TOKENIZER) == CODEC


def test_a_value_that_is_drawn_from_tokens_lies_in_the_same_bins() -> None:
    random = np.random.default_rng(0)
    for record in RECORDS:
        ids = CODEC.encode(record)
        assert SCHEMA.allows(CODEC.decode(ids))
        assert CODEC.encode(CODEC.decode(ids)) == ids
        drawn = CODEC.decode(ids, random)
        assert SCHEMA.allows(drawn)
        assert CODEC.encode(drawn) == ids
        assert (drawn["weight"] is None) == (record["weight"] is None)


@pytest.mark.parametrize("name", ["weight", "dose"])
def test_the_probabilities_of_all_values_sum_to_one_in_each_bin(name: str) -> None:
    index = SCHEMA.names.index(name)
    field, code = CODEC.fields[index], CODEC.codes[index]
    assert isinstance(code, FieldCode)
    number, value = field.kind.numbering(field)
    sums: dict[tuple[int, ...], float] = {}
    for at in range(number(field.minimum), number(field.maximum) + 1):
        path = tuple(code.spell(value(at)))
        sums[path] = sums.get(path, 0.0) + math.exp(CODEC.value_log_probability(index, value(at)))
    assert list(sums.values()) == pytest.approx([1.0] * len(sums))


def code_of(name: str) -> tuple[Field, BinnedCode]:
    index = SCHEMA.names.index(name)
    code = CODEC.codes[index]
    assert isinstance(code, BinnedCode)
    return CODEC.fields[index], code


def test_a_restriction_leaves_the_bins_that_hold_an_allowed_value_with_its_share() -> None:
    field, code = code_of("weight")
    for node in (
        restrict_to_range(field, code, 70.05, 80.0, CODEC.alphabet, missing=True),
        restrict_to_values(code, [*(round(70.1 + step / 10, 1) for step in range(100)), None]),
    ):
        assert node is not None
        assert code.missing in node.edges
        for token, weight in (node.weights or {}).items():
            if token == code.missing:
                assert weight == 0
                continue
            each = code.histogram.bins[code.tokens.index(token)]
            inside = [number for number in range(each.low, each.high + 1) if 701 <= number <= 800]
            share = math.fsum(each.probability(number) for number in inside)
            assert math.exp(weight) == pytest.approx(share)
    assert restrict_to_range(field, code, 200.0, None, CODEC.alphabet, missing=False) is None


def test_a_draw_inside_intervals_follows_the_distribution() -> None:
    each = Bin(0, 99, (Part(3, 3, 0.5), Part(0, 49, 0.3), Part(50, 95, 0.2, 5)))
    intervals = [(2, 3), (40, 59)]
    random = np.random.default_rng(1)
    drawn = np.array([each.draw(random, intervals) for _ in range(20_000)])
    allowed = [number for low, high in intervals for number in range(low, high + 1)]
    assert set(drawn) <= set(allowed)
    shares = np.array([each.probability(number) for number in allowed]) / each.mass(intervals)
    observed = np.array([(drawn == number).mean() for number in allowed])
    assert shares.sum() == pytest.approx(1)
    assert np.abs(observed - shares).max() < 0.015


def test_the_moments_are_those_of_the_log_probability() -> None:
    each = Bin(0, 30, (Part(3, 3, 0.5), Part(0, 8, 0.3, 2), Part(5, 20, 0.2)))
    probabilities = np.array([each.probability(number) for number in range(31)])
    logs = np.log(probabilities)
    mean = (probabilities * logs).sum()
    deviation = math.sqrt((probabilities * (logs - mean) ** 2).sum())
    assert each.moments == pytest.approx((mean, deviation, logs.max()))


@pytest.mark.parametrize(
    "damaged",
    [
        {"last": 9, "bins": []},
        {"last": 9, "bins": [[0, [[0, 9, 0.5, 1]]]]},
        {"last": 9, "bins": [[0, [[0, 20, 1.0, 1]]]]},
        {"last": 9, "bins": [[5, [[5, 5, 1.0, 1]]], [2, [[2, 9, 1.0, 1]]]]},
        {"last": 9, "bins": [[0, [[0, 9, 1.0, 2]]]]},
        {"last": 9, "bins": [[0, [[0, 9, 1.0, 0]]]]},
        {"last": 9.5, "bins": [[0, [[0, 9, 1.0, 1]]]]},
    ],
)
def test_damaged_bins_are_refused(damaged: dict) -> None:
    with pytest.raises(ValueError, match="not the bins"):
        Histogram.from_plain(damaged)


def recipe(**sections: object) -> Recipe:
    return Recipe.model_validate({"name": "a", "data": {"source": "a.csv"}} | sections)


def test_a_recipe_asks_for_bins() -> None:
    assert bins_of(recipe(), SCHEMA, RECORDS, TOKENIZER) == {}
    asked = bins_of(recipe(finetune={"numbers": "bins"}), SCHEMA, RECORDS, TOKENIZER)
    assert set(asked) == set(SCHEMA.names)


@pytest.mark.parametrize(
    "sections",
    [{"privacy": {"epsilon": 8}}, {"data": {"source": "a.csv", "subject": "a", "sequence": "b"}}],
)
def test_bins_are_refused_where_records_may_not_decide_on_them(sections: dict) -> None:
    with pytest.raises(ValueError, match=r"finetune\.numbers: bins cannot be used"):
        recipe(finetune={"numbers": "bins"}, **sections)


def test_fields_whose_differences_matter_and_codes_keep_their_digits() -> None:
    fields = (
        Field(name="size", type="integer", minimum=0, maximum=9),
        Field(name="zip", type="integer", minimum=0, maximum=99_999, width=5),
        Field(name="age", type="integer", minimum=0, maximum=99),
    )
    records: list[Record] = [{"size": n % 10, "zip": n * 97, "age": n % 90} for n in range(300)]
    assert set(fit_bins(Schema(fields), records, TOKENIZER, subject=None, fewest=FEWEST)) == {"age"}


def test_numbers_are_as_round_as_in_the_training_records() -> None:
    random = np.random.default_rng(5)
    incomes = [int(round(number, -2)) for number in random.normal(40_000, 9000, 600)]
    incomes += [int(number) for number in random.normal(40_000, 9000, 200)]
    found: dict[int, int] = {}
    for income in incomes:
        found[income] = found.get(income, 0) + 1
    histogram = fit_histogram(occurrences(found), 0, 100_000, FEWEST)
    drawn = [histogram.bins[histogram.index(income)].draw(random) for income in incomes for _ in range(3)]
    for step in (100, 1000):
        of_train = np.mean([income % step == 0 for income in incomes])
        assert np.mean([number % step == 0 for number in drawn]) == pytest.approx(of_train, abs=0.06)

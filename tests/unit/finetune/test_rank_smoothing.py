"""Smoothing preserves distributions and relations between columns, and changes single values."""

from datetime import datetime, timedelta

import numpy as np
from scipy.stats import ks_2samp, spearmanr

from paracosm.finetune.objectives.rank_smoothing import Smoothing, default_ranks
from paracosm.records.schema.schema import Field, Schema

ROWS = 400
SCHEMA = Schema(
    (
        Field(name="cost", type="number", decimals=2, minimum=0.0, maximum=1e6),
        Field(name="billed", type="number", decimals=2, minimum=0.0, maximum=1e6),
        Field(name="pressure", type="integer", minimum=80, maximum=220, nullable=True),
        Field(name="zip", type="integer", minimum=0, maximum=99999, width=5),
        Field(name="stage", type="integer", minimum=0, maximum=4),
        Field(name="seen", type="datetime", minimum=datetime(2020, 1, 1), maximum=datetime(2030, 1, 1)),
        Field(name="sex", type="category", categories=("f", "m")),
    )
)


def records() -> list[dict]:
    rng = np.random.default_rng(0)
    rows = []
    for number in range(ROWS):
        cost = round(float(rng.lognormal(7, 1)), 2)
        rows.append(
            {
                "cost": cost,
                "billed": cost,
                "pressure": None if number % 10 == 0 else int(rng.integers(8, 21)) * 10,
                "zip": int(rng.integers(0, 99999)),
                "stage": int(rng.integers(0, 5)),
                "seen": datetime(2020, 1, 1) + timedelta(days=int(rng.integers(0, 3000))),
                "sex": str(rng.choice(["f", "m"])),
            }
        )
    return rows


def moved(ranks: int, epoch: int = 0) -> tuple[list[dict], list[dict]]:
    before = records()
    smoothing = Smoothing.of(before, SCHEMA, ranks=ranks, seed=3)
    return before, [smoothing(index, epoch) for index in range(len(before))]


def test_numbers_move_within_their_domain_and_other_fields_stay() -> None:
    before, after = moved(7)
    assert all(SCHEMA.allows(record) for record in after)
    for name in ("zip", "stage", "sex"):
        assert [record[name] for record in after] == [record[name] for record in before]
    assert np.mean([new["cost"] != old["cost"] for old, new in zip(before, after, strict=True)]) > 0.95
    assert all(
        (new["pressure"] is None) == (old["pressure"] is None) for old, new in zip(before, after, strict=True)
    )


def test_a_column_keeps_its_distribution_and_its_relations() -> None:
    before, after = moved(7)
    old, new = ([record["cost"] for record in records] for records in (before, after))
    assert ks_2samp(old, new).pvalue > 0.5
    assert spearmanr(old, new).statistic > 0.999
    assert all(record["billed"] == record["cost"] for record in after)
    # Extreme values are not more frequent than before.
    assert sum(value == max(old) for value in new) <= 3


def test_frequent_values_and_dates_are_replaced_by_existing_ones() -> None:
    before, after = moved(7)
    for name in ("pressure", "seen"):
        assert {record[name] for record in after} <= {record[name] for record in before}


def test_values_move_by_at_most_the_given_ranks() -> None:
    before, after = moved(5)
    column = sorted(record["cost"] for record in before)
    for old, new in zip(before, after, strict=True):
        assert abs(np.searchsorted(column, new["cost"]) - column.index(old["cost"])) <= 6


def test_epochs_differ_and_are_reproducible() -> None:
    assert moved(7, epoch=1)[1] == moved(7, epoch=1)[1]
    assert moved(7, epoch=1)[1] != moved(7, epoch=2)[1]
    assert default_ranks(736) == 9

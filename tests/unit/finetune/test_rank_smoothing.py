"""Smoothing preserves distributions and relations between columns, and changes single values."""

from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pandas as pd
from scipy.stats import ks_2samp, spearmanr

from paracosm.finetune.objectives.rank_smoothing import Smoothing, default_ranks
from paracosm.recipes.sections.data import Data
from paracosm.records.inference.domains import fit_domains
from paracosm.records.inference.infer_schema import infer
from paracosm.records.relations.narrowing import Relations
from paracosm.records.relations.search import find_relations, from_plain, to_plain
from paracosm.records.schema.schema import Field, Record, Schema
from paracosm.records.schema.table import to_records, to_typed

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


def tied_records(rows: int = 400) -> list[dict]:
    rng = np.random.default_rng(2)
    records = []
    zips = rng.integers(10115, 99999, 30).tolist()
    for _ in range(rows):
        net, price, count = (
            round(float(rng.lognormal(5, 1)), 2),
            round(float(rng.lognormal(2, 1)), 2),
            int(rng.integers(1, 9)),
        )
        came = datetime(2021, 1, 1) + timedelta(days=int(rng.integers(0, 900)))
        days, low, shop = int(rng.integers(0, 15)), int(rng.integers(0, 500)), int(rng.integers(0, 30))
        tax = round(net * 0.19, 2)
        records.append(
            {
                "shop": f"the {chr(97 + shop // 6)}{chr(97 + shop % 6)} shop",
                "zip": zips[shop],
                "net": net,
                "tax": tax,
                "total": round(net + tax, 2),
                "price": price,
                "count": count,
                "amount": round(price * count, 2),
                "came": came,
                "left": came + timedelta(days=days),
                "days": days,
                "low": low,
                "high": low + int(rng.choice([0, 5, 60])),
                "born": (born := int(rng.integers(1900, 2020))),
                "age": 2024 - born,
                "claim": 0.0 if rng.random() < 0.5 else round(float(rng.lognormal(5, 1)), 2),
                "score": round(float(rng.normal(50, 9)), 3),
            }
        )
    return records


def test_every_relation_of_the_training_records_holds_in_the_records_shown() -> None:
    before, schema = typed_records("total")
    relations = Relations(schema, from_plain(schema.relations))
    assert len(relations.lines) >= 9
    smoothing = Smoothing.of(before, schema, ranks=7, seed=3, target="score")
    after = [smoothing(index, 1) for index in range(len(before))]
    assert set(relations.counts(after).values()) == {0}
    assert all(schema.allows(record) for record in after)

    def moved_share(name: str) -> float:
        return float(np.mean([new[name] != old[name] for old, new in zip(before, after, strict=True)]))

    for name in ("shop", "zip", "count", "days", "score"):  # codes, scales and the target
        assert moved_share(name) == 0
    for name in ("net", "tax", "total", "price", "amount", "low", "high", "came", "left", "born", "age"):
        assert moved_share(name) > 0.6


def test_a_value_that_ten_records_share_stays() -> None:
    before, schema = typed_records("total")
    smoothing = Smoothing.of(before, schema, ranks=7, seed=3)
    pairs = [(record["claim"], smoothing(index, 0)["claim"]) for index, record in enumerate(before)]
    assert all(new == 0 for old, new in pairs if old == 0)
    assert np.mean([new != old for old, new in pairs if old != 0]) > 0.9


def test_the_target_stays() -> None:
    before, schema = typed_records("total")
    smoothing = Smoothing.of(before, schema, ranks=7, seed=3, target="total")
    after = [smoothing(index, 0) for index in range(len(before))]
    assert [record["total"] for record in after] == [record["total"] for record in before]
    assert any(new["price"] != old["price"] for old, new in zip(before, after, strict=True))


def typed_records(target: str) -> tuple[list[Record], Schema]:
    """Return records as the product reads them, and their schema with the relations that hold in all of them."""
    raw = pd.DataFrame(tied_records()).astype({"came": str, "left": str}).astype("string")
    data = Data(source="t.csv", target=target)
    inferred = infer(raw, data).schema
    table = to_typed(raw, inferred)
    schema = fit_domains(inferred, table, data)
    schema = replace(schema, relations=to_plain(find_relations(table, schema)))
    return to_records(table, schema), schema

"""Rare values: categories of few subjects and extremes beyond what enough subjects reach are suppressed, counted and named."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from paracosm.foundation.errors import DataError
from paracosm.recipes.recipe import Recipe
from paracosm.records.assembly import Prepared, assemble
from paracosm.records.relations.narrowing import Relations
from paracosm.records.relations.search import from_plain
from paracosm.records.schema.schema import Schema

VISITS = 3


def visits(subjects: int = 100) -> pd.DataFrame:
    """Return three visits of each subject; the first subject alone has 33 visits, a ward, a store, and the largest numbers."""
    draw = np.random.default_rng(0)
    of = np.repeat(np.arange(subjects), VISITS)
    store = draw.integers(1, 9, len(of)) * 10
    table = pd.DataFrame(
        {
            "patient": [f"P{1000 + 37 * number}" for number in of],
            "ward": draw.choice(["surgery", "medicine", "eye clinic"], len(of)),
            "cost": draw.lognormal(6, 0.5, len(of)).round(2),
            "born": (pd.Timestamp("1950-01-01") + pd.to_timedelta(of * 100, unit="D")).strftime("%Y-%m-%d"),
            "store": store,
            "town": [f"Town {number}" for number in store],
            "kind": draw.choice(["a", "b", "c"], len(of)),
        }
    )
    one = pd.DataFrame(
        {
            "patient": table["patient"][0],
            "ward": "Zyzzyva unit",
            "cost": 98765.43,
            "born": "1871-02-03",
            "store": 7531,
            "town": "Zyzzyva town",
            "kind": "a",
        },
        index=range(30),
    )
    return pd.concat([table, one], ignore_index=True).astype(str)


def prepared(table: pd.DataFrame, **data: Any) -> Prepared:
    recipe = Recipe.model_validate(
        {"name": "visits", "data": {"source": "visits.csv", "subject": "patient", **data}}
    )
    return assemble(recipe, table)


PLANTED = ("Zyzzyva", "98765", "1871", "7531")


def held(found: Prepared) -> str:
    tables = "".join(table.to_csv() for table in found.splits.values())
    return tables + found.schema.to_json() + repr(found.facts) + repr(found.warnings)


def test_what_one_subject_alone_has_is_nowhere() -> None:
    found = prepared(visits())
    assert not [mark for mark in PLANTED if mark in held(found)]
    assert found.schema["ward"].nullable
    assert found.schema["cost"].maximum < 10_000
    assert found.facts["rare"]["columns"]["ward"] == {
        "outcome": "missing",
        "values": 1,
        "cells": 30,
        "of": int(visits()["ward"].notna().sum()),
    }
    assert found.facts["rare"]["columns"]["cost"]["outcome"] == "limited"
    assert found.schema.rare == ()
    assert any("'ward' 1 value in 30 cells" in line for line in found.warnings)


def test_five_subjects_are_enough_and_four_are_not() -> None:
    for subjects, stays in ((4, False), (5, True)):
        table = visits().head(300)
        for number in range(1, subjects + 1):
            table.loc[VISITS * number, "ward"] = "burns"
            table.loc[VISITS * number, "cost"] = "40000.0"
        found = prepared(table)
        rows = pd.concat(found.splits.values())
        assert (rows["ward"] == "burns").any() == stays
        assert bool(rows["cost"].max() == 40_000) == stays


def test_all_is_kept_where_the_recipe_says_so_and_it_is_counted() -> None:
    found = prepared(visits(), rare="keep")
    assert all(mark in held(found) for mark in PLANTED)
    assert dict(found.schema.rare)["ward"] == 1
    assert any("KEPT" in line and "'ward'" in line for line in found.warnings)
    again = Schema.from_json(found.schema.to_json())
    assert again.rare == found.schema.rare


def test_one_column_can_be_kept() -> None:
    found = prepared(visits(), rare={"keep": ["ward"]})
    assert "Zyzzyva unit" in held(found)
    assert "98765" not in held(found)
    assert dict(found.schema.rare) == {"ward": 1}


def test_rare_categories_can_become_one() -> None:
    found = prepared(visits(), rare={"action": "merge", "other": "Other"})
    assert found.schema["ward"].categories == ("Other", "eye clinic", "medicine", "surgery")
    assert not found.schema["ward"].nullable


def test_the_target_s_classes_and_declared_categories_stay() -> None:
    found = prepared(visits(), target="ward")
    assert "Zyzzyva unit" in found.schema["ward"].categories
    assert any("KEPT" in line for line in found.warnings)
    wards = ["surgery", "medicine", "eye clinic", "Zyzzyva unit"]
    declared = prepared(visits(), fields={"ward": {"categories": wards}})
    assert declared.schema["ward"].categories == tuple(wards)
    assert "ward" not in declared.facts["rare"]["columns"]
    assert "ward" not in dict(declared.schema.rare)


def test_a_few_whole_numbers_of_the_target_are_classes() -> None:
    table = visits()
    table["grade"] = [str(row % 4) for row in range(len(table))]
    table.loc[5, "grade"] = "9"
    assert 9 in set(pd.concat(prepared(table, target="grade").splits.values())["grade"])
    assert 9 not in set(pd.concat(prepared(table).splits.values())["grade"])


def test_a_table_with_too_few_subjects_is_kept_whole_and_says_so() -> None:
    found = prepared(visits(19))
    assert "Zyzzyva unit" in found.schema["ward"].categories
    assert any("too few subjects" in line for line in found.warnings)
    assert "Zyzzyva" not in held(prepared(visits(20)))


def test_a_column_that_is_declared_never_missing_needs_a_decision() -> None:
    with pytest.raises(DataError, match=r"data\.fields\.ward\.nullable: .* data\.rare to merge or keep"):
        prepared(visits(), fields={"ward": {"nullable": False}})


def test_missing_cells_stay_missing() -> None:
    table = visits().replace({"kind": {"a": pd.NA}})
    table.loc[::7, "cost"] = pd.NA
    found = prepared(table)
    missing = sum(int(part["cost"].isna().sum()) for part in found.splits.values())
    assert missing == table["cost"].isna().sum()


def test_a_relation_stores_only_values_of_enough_subjects() -> None:
    found = prepared(visits())
    relations = from_plain(found.schema.relations)
    (towns,) = (relation for relation in relations if relation.kind == "dependency")
    assert {towns.determinant, towns.dependent} == {"store", "town"}
    assert len(towns.entries) == 8
    lines = Relations(found.schema, relations).lines
    assert not [mark for mark in PLANTED if mark in "".join(lines)]


def test_sums_hold_in_all_records_that_are_left() -> None:
    draw = np.random.default_rng(1)
    net = draw.lognormal(5, 1, 400).round(2)
    tax = (net * draw.choice([0.07, 0.19], 400)).round(2)
    table = pd.DataFrame({"net": net, "tax": tax, "total": (net + tax).round(2)}).map("{:.2f}".format)
    found = assemble(Recipe.model_validate({"name": "x", "data": {"source": "x"}}), table)
    assert found.facts["relations"]
    assert 0 < found.facts["rare"]["records_left_out"] < 40
    rows = pd.concat(found.splits.values())
    assert (rows["net"] + rows["tax"] - rows["total"]).abs().max() < 0.001
    assert len(rows) == 400 - found.facts["rare"]["records_left_out"]


def test_the_longest_sequence_is_one_of_enough_subjects() -> None:
    table = visits().assign(nr=lambda frame: frame.groupby("patient").cumcount().astype(str))
    found = prepared(table, sequence="nr")
    assert found.schema.sequence is not None
    assert found.schema.sequence.most == VISITS


def test_a_column_that_rarity_empties_gets_a_line_of_its_own() -> None:
    table = visits()
    of = pd.factorize(table["patient"])[0]
    table["plan"] = [f"plan {number // 3}" if number % 2 else "none" for number in of]
    lines = [line for line in prepared(table).warnings if "loses" in line]
    assert len(lines) == 1
    assert "column 'plan' loses" in lines[0]
    assert "fewer than 5 subjects" in lines[0]
    assert not [line for line in prepared(visits()).warnings if "loses" in line]

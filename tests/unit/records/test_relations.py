"""Relations are found where they hold by structure and not by chance, stored in the schema, and narrow a field exactly."""

import random
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paracosm.foundation.errors import RecipeError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.rules import Rules
from paracosm.records.assembly import assemble
from paracosm.records.constraints.rules import kept_relations
from paracosm.records.relations.dependencies import Dependency
from paracosm.records.relations.linear import Linear
from paracosm.records.relations.missingness import MissingWhere
from paracosm.records.relations.narrowing import Relations
from paracosm.records.relations.products import Product
from paracosm.records.relations.relation import Narrowing
from paracosm.records.relations.search import find_relations, from_plain, to_plain
from paracosm.records.schema.schema import Schema, Value
from paracosm.records.schema.table import to_records

ROWS = 400


def orders(rows: int = ROWS, seed: int = 1) -> pd.DataFrame:
    """Return a table in which columns are tied in every way that is searched, and in no other."""
    draw = random.Random(seed)
    cities = [(f"City{n}", f"K{n} {draw.randrange(10, 99)}AB", "NSW"[n % 3]) for n in range(12)]
    lines = []
    for _ in range(rows):
        city, post, state = draw.choice(cities)
        net, price, count = (
            draw.lognormvariate(4, 1),
            round(draw.lognormvariate(3, 1), 2),
            draw.randrange(1, 9),
        )
        tax = round(round(net, 2) * 0.19, 2)
        came = date(2022, 1, 1) + timedelta(days=draw.randrange(500))
        stay, born, sex = draw.randrange(20), draw.randrange(1930, 2005), draw.choice("fm")
        open_case = draw.random() < 0.3
        lines.append(
            {
                "city": city,
                "post": post,
                "state": state,
                "net": f"{net:.2f}",
                "tax": f"{tax:.2f}",
                "total (EUR)": f"{round(net, 2) + tax:.2f}",
                "price": f"{price:.2f}",
                "count": count,
                "amount": f"{price * count:.2f}",
                "came": came,
                "left": came + timedelta(days=stay),
                "days": stay,
                "born": born,
                "age": 2024 - born,
                "sex": {"f": "female", "m": "male"}[sex],
                "births": draw.randrange(4) if sex == "f" else None,
                "closed": "" if open_case else (came + timedelta(days=40 + draw.randrange(90))),
                "closer": "" if open_case else draw.choice(["ann", "bob", "cy"]),
                "noise": round(draw.gauss(50, 9), 1),
            }
        )
    return pd.DataFrame(lines).astype("string").replace("", pd.NA)


def relations_of(frame: pd.DataFrame, **data: object) -> Relations:
    recipe = Recipe.model_validate({"name": "t", "data": {"source": "t.csv", **data}})
    schema = assemble(recipe, frame).schema
    return Relations(schema, from_plain(schema.relations))


@pytest.fixture(scope="module")
def found() -> Relations:
    return relations_of(orders())


def test_each_kind_of_relation_is_found_and_no_other(found: Relations) -> None:
    assert set(found.lines) == {
        "city and post determine each other",
        "city determines state",
        "post determines state",
        "abs(tax - 0.19 * net) <= 0.005",
        "abs(`total (EUR)` - 1.19 * net) <= 0.005",
        "net + tax == `total (EUR)`",
        "abs(amount - price * count) <= 0.005",
        "amount >= price",
        "days == (left - came)",
        "left >= came",
        "closed >= left",
        "born + age == 2024",
        "missing(closed) == missing(closer)",
        "births is missing where sex is 'male' and not missing where sex is 'female'",
    }


@pytest.mark.parametrize("seed", range(3))
def test_independent_columns_have_no_relation(seed: int) -> None:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({f"n{number}": rng.normal(50, 20, 150).round(1) for number in range(8)})
    for number in range(6):
        frame[f"k{number}"] = rng.integers(0, 6, 150)
        frame[f"c{number}"] = rng.choice(["red", "green", "blue", "grey"], 150, p=[0.7, 0.1, 0.1, 0.1])
        frame.loc[rng.random(150) < 0.1, f"c{number}"] = None
    assert relations_of(frame.astype("string")).all == ()


def test_a_relation_that_one_record_breaks_is_none() -> None:
    table = pd.DataFrame({"low": np.arange(200) % 40, "high": np.arange(200) % 40 + 1 + np.arange(200) % 7})
    assert relations_of(table.astype("string"), drop=[]).lines == ("high >= low",)
    recipe = Recipe.model_validate({"name": "t", "data": {"source": "t.csv"}})
    prepared = assemble(recipe, table.astype("string"))
    train = prepared.splits["train"].copy()
    train.loc[11, "high"] = train.loc[11, "low"] - 1
    assert [relation.text for relation in find_relations(train, prepared.schema)] == []


def test_the_schema_stores_relations(found: Relations) -> None:
    schema = Schema.from_json(found.schema.to_json())
    assert from_plain(schema.relations) == found.all
    assert to_plain(found.all) == found.schema.relations


def test_all_training_records_have_them(found: Relations) -> None:
    recipe = Recipe.model_validate({"name": "t", "data": {"source": "t.csv"}})
    prepared = assemble(recipe, orders())
    records = to_records(prepared.splits["train"], prepared.schema)
    assert set(found.counts(records).values()) == {0}
    broken = [record | {"post": "K0 00AB", "age": 3, "left": datetime(2020, 1, 1)} for record in records]
    assert sum(count > 0 for count in found.counts(broken).values()) >= 4


def test_a_value_of_one_record_is_not_stored() -> None:
    frame = orders()
    frame.loc[frame.index[:3], "city"] = ["Lonely", "Alone", "Single"]
    frame.loc[frame.index[:3], "post"] = ["L1 01AB", "L2 02AB", "L3 03AB"]
    stored = relations_of(frame).schema.to_json().split('"relations"')[1]
    assert "City1" in stored
    assert not [name for name in ("Lonely", "Alone", "Single", "L1 01AB") if name in stored]


def test_nothing_is_searched_under_privacy() -> None:
    fields = {
        "x": {"type": "integer", "minimum": 0, "maximum": 99, "nullable": False},
        "y": {"type": "integer", "minimum": 0, "maximum": 99, "nullable": False},
    }
    plain = {"name": "t", "data": {"source": "t.csv", "fields": fields}, "privacy": {"epsilon": 3}}
    frame = pd.DataFrame({"x": range(40), "y": range(40)}).astype("string")
    assert assemble(Recipe.model_validate(plain), frame).schema.relations == ()
    assert relations_of(pd.concat([frame] * 5).reset_index(drop=True), drop=[]).lines == ("x == y",)


def test_a_recipe_ignores_one_relation_or_all(found: Relations) -> None:
    kept = kept_relations(Rules(ignored_relations=["left >= came"]), found.schema)
    assert len(kept.all) == len(found.all) - 1
    assert kept_relations(Rules(relations="ignore"), found.schema).all == ()
    assert kept_relations(Rules(derived={"net": "1"}), found.schema).by_field["net"] == ()
    with pytest.raises(RecipeError, match=r"'left > came' is not a relation.*did you mean 'left >= came'"):
        kept_relations(Rules(ignored_relations=["left > came"]), found.schema)


TABLE = Dependency("city", "state", (("a", "X"), ("b", "Y"), ("c", "Y")), whole=False)


def test_a_dependency_leaves_what_training_records_pair() -> None:
    assert TABLE.narrow("state", {"city": "b"}, {}).values == {"Y"}
    assert TABLE.narrow("city", {"state": "Y"}, {}).values == {"b", "c"}
    assert TABLE.narrow("city", {}, {}).values == {"a", "b", "c"}
    # A city of one record has no entry; a condition may ask for it, and its state is open.
    assert TABLE.narrow("state", {"city": "d"}, {}) is None
    assert TABLE.holds({"city": "d", "state": "X"}) is None
    assert TABLE.holds({"city": "a", "state": "Y"}) is False


def test_the_search_states_whether_every_value_is_stored() -> None:
    rows = [{"city": f"City{n % 8}", "state": "NSW"[n % 8 % 3]} for n in range(160)]
    (whole,) = relations_of(pd.DataFrame(rows), drop=[]).all
    assert isinstance(whole, Dependency)
    assert whole.whole
    assert whole.narrow("city", {}, {}) is None
    field = {"fields": {"city": {"type": "category"}, "state": {"type": "category"}}}
    table = pd.DataFrame([*rows, {"city": "Hamlet", "state": "N"}])
    (partial,) = relations_of(table, drop=[], **field).all
    assert not partial.whole
    assert partial.narrow("city", {}, {}).values == {f"City{n}" for n in range(8)}


def test_a_whole_number_between_two_entries_takes_the_value_of_either() -> None:
    ages = Dependency("age", "group", ((10, "child"), (17, "child"), (20, "adult")), closed=False)
    assert ages.of(12) == {"child"}
    assert ages.of(18) == {"child", "adult"}
    assert ages.of(70) == {"adult"}


def test_a_sum_leaves_one_value_and_bounds_what_is_not_known_yet() -> None:
    total = Linear((("net", 1.0), ("tax", 1.0), ("total", -1.0)), 0.0, 0.0, "net + tax == total")
    spans = {"net": (0.0, 100.0), "tax": (0.0, 19.0), "total": (0.0, 90.0)}
    left = total.narrow("total", {"net": 10.1, "tax": 1.92}, spans)
    assert left.low == pytest.approx(12.02)
    assert left.high == pytest.approx(12.02)
    assert left.low < 10.1 + 1.92 < left.high
    first = total.narrow("net", {}, spans)
    assert (round(first.low, 6), round(first.high, 6)) == (-19, 90)
    assert total.narrow("total", {"net": None, "tax": 1.0}, spans) is None


def test_a_product_divides_unless_by_zero() -> None:
    product = Product("price", "count", "amount", 1.0, 0.005)
    assert product.narrow("amount", {"price": 2.5, "count": 3}, {}).allows(7.5)
    assert not product.narrow("price", {"amount": 7.5, "count": 3}, {}).allows(2.6)
    assert product.narrow("price", {"amount": 0.0, "count": 0}, {}) is None


def test_missing_cells_follow_the_field_that_decides() -> None:
    births = MissingWhere("births", "sex", ("m",), ("f",))
    assert births.narrow("births", {"sex": "m"}, {}).missing is True
    assert births.narrow("births", {"sex": "f"}, {}).missing is False
    assert births.narrow("sex", {"births": None}, {}).excluded == {"f"}
    zero = MissingWhere("paid_on", "claim", (0.0,), (), otherwise=False)
    assert zero.narrow("claim", {"paid_on": None}, {}).values == {0.0}
    assert zero.narrow("paid_on", {"claim": 3.2}, {}).missing is False


@pytest.mark.parametrize("otherwise", [True, False, None])
@pytest.mark.parametrize(
    ("absent", "present"),
    [
        ((), ()),
        ((None,), ()),
        ((), (None,)),
        ((0.0,), ()),
        ((), (0.0, None)),
        ((0.0, None), ()),
        ((0.0,), (None,)),
    ],
)
def test_missing_cells_leave_exactly_the_values_that_hold(
    absent: tuple[Value, ...], present: tuple[Value, ...], otherwise: bool | None
) -> None:
    relation = MissingWhere("paid_on", "claim", absent, present, otherwise)
    for paid in (None, 1):
        left = relation.narrow("claim", {"paid_on": paid}, {}) or Narrowing()
        for claim in (0.0, 7.5, None):
            listed = claim is None or left.values is None or claim in left.values
            allowed = listed and left.allows(claim) and (claim is not None or left.missing is not False)
            assert allowed == (relation.holds({"paid_on": paid, "claim": claim}) is not False)


def test_a_claim_of_zero_decides_whether_a_date_is_missing() -> None:
    rng = np.random.default_rng(0)
    claim = np.where(rng.random(300) < 0.6, 0.0, rng.lognormal(5, 1, 300)).round(2)
    paid = [
        "" if value == 0 else f"2024-{rng.integers(1, 13):02d}-{rng.integers(1, 28):02d}" for value in claim
    ]
    frame = pd.DataFrame({"claim": [f"{value:.2f}" for value in claim], "paid": paid})
    lines = relations_of(frame.astype("string").replace("", pd.NA)).lines
    assert lines == ("paid is missing where claim is 0.0 and not missing where claim is another number",)


def test_city_and_branch_of_one_state_go_together() -> None:
    pair = (
        Dependency("city", "state", (("a", "X"), ("b", "Y"))),
        Dependency("branch", "state", (("1", "X"), ("2", "Y"), ("3", "Y"))),
    )
    schema = relations_of(orders()).schema
    relations = Relations(Schema(tuple(schema[name] for name in ("city", "state"))), pair[:1])
    assert relations.narrow("state", {"city": "a"}).values == {"X"}
    both = Relations(Schema((schema["city"], schema["state"], replace(schema["city"], name="branch"))), pair)
    assert both.narrow("branch", {"city": "b"}).values == {"2", "3"}


def test_the_folder_of_a_run_keeps_them(tmp_path: Path, found: Relations) -> None:
    found.schema.save(tmp_path / "schema.json")
    assert from_plain(Schema.load(tmp_path / "schema.json").relations) == found.all

"""Small tables of the kinds that once went wrong, through `init`: what each column becomes, and what is said about it.

A catalogue of faults by kind: codes, long numbers, compact dates, fractions of seconds, clocks, decimal commas, currencies, keys of
persons, names that only look like ids, empty columns, headers and titles.
"""

import random
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest

from paracosm.foundation.errors import DataError
from paracosm.recipes.recipe import Recipe
from paracosm.records.drafting.recipe_template import Draft, draft
from paracosm.records.schema.table import written
from paracosm.records.stage import preview

ROWS = 200
Cell = Callable[[random.Random, int], str]


def column(cell: Cell) -> list[str]:
    draw = random.Random(5)
    return [cell(draw, row) for row in range(ROWS)]


def one_of(*cells: str) -> list[str]:
    return column(lambda draw, _: draw.choice(cells))


def day(draw: random.Random) -> pd.Timestamp:
    return pd.Timestamp("2022-01-01") + pd.Timedelta(minutes=draw.randrange(1_000_000))


# Table -> column -> (cells, types that are right, words of a line about it or None).
TABLES: dict[str, dict[str, tuple[list[str], str, str | None]]] = {
    "codes": {
        "shop": (one_of("007", "0042", "815"), "category", None),
        "nace": (one_of("01.11", "05.10", "47.11"), "category", None),
        "icd": (one_of("038.9", "250.00", "401.9"), "category", None),
        "zip": (one_of("02139", "10001"), "category", "codes, a closed list"),
        "month": (
            column(lambda draw, _: f"{day(draw):%Y%m}"),
            "datetime",
            "all numbers are dates",
        ),
        "subclass": (one_of("20", "30", "60", "120", "190"), "category", "gaps"),
    },
    "long numbers": {
        "parcel": (column(lambda draw, _: str(draw.randrange(10**21, 10**22))), "left out", "identifier"),
        "device": (column(lambda draw, _: str(35 * 10**13 + draw.randrange(10**13))), "left out", "identifier"),
        "hash": (column(lambda draw, _: f"{draw.getrandbits(256):064x}"), "left out", "hashes"),
        "weight": (column(lambda draw, _: str(draw.randrange(50, 9000))), "integer", None),
    },
    "moments": {
        "created": (
            column(lambda draw, _: f"{day(draw):%Y-%m-%dT%H:%M:%S}.{draw.randrange(1000):03d}Z"),
            "datetime",
            None,
        ),
        "admitted": (column(lambda draw, _: f"{day(draw):%Y%m%d}"), "datetime", "are dates like %Y%m%d"),
        "dob": (column(lambda draw, _: f"{day(draw):%d%m%Y}"), "datetime", None),
        "arrival": (column(lambda draw, _: f"{day(draw):%H:%M}"), "time", None),
        "waited": (
            column(lambda draw, _: f"{draw.randrange(5):02d}:{draw.randrange(60):02d}:00"),
            "duration",
            None,
        ),
        "bp": (
            column(lambda draw, _: f"{draw.randrange(90, 180)}/{draw.randrange(50, 110)}"),
            "text",
            "modelled as text",
        ),
        "logged": (
            column(lambda draw, row: f"{day(draw):%Y-%m-%dT%H:%M:%S}{'+02:00' if row % 3 else '+01:00'}"),
            "datetime",
            "without the offset",
        ),
    },
    "amounts": {
        "betrag": (
            column(lambda draw, _: f"{draw.gauss(0, 80):.2f}".replace(".", ",")),
            "number",
            None,
        ),
        "price": (column(lambda draw, _: f"${draw.lognormvariate(7, 1):,.2f}"), "number", None),
        "discount": (one_of("0%", "5%", "10%"), "integer category", None),
        "pnl": (
            column(lambda draw, row: f"(${row + 1}.50)" if row % 3 else f"${draw.randrange(900)}.25"),
            "number",
            None,
        ),
        "list": (one_of("?", *map(str, range(50, 230))), "text", "add them to data.missing"),
    },
    "persons": {
        "patient": (column(lambda draw, _: f"P{draw.randrange(40):04d}"), "identifier", "subject"),
        "amount_paid": (column(lambda draw, _: str(draw.randrange(900))), "integer", None),
        "uric_acid": (column(lambda draw, _: str(draw.randrange(200, 700))), "integer", None),
        "covid": (one_of("yes", "no"), "boolean", None),
        "surname": (
            column(lambda draw, _: draw.choice("BKMST") + draw.choice(["aker", "onig", "uller"]) + draw.choice(["", "s", "son"])),
            "identifier left out",
            "personal data",
        ),
    },
    "nothing": {
        "empty": ([""] * ROWS, "no cells", "has no cells at all"),
        "const": (["DE"] * ROWS, "category", None),
        "x": (column(lambda draw, _: f"{draw.random():.3f}"), "number", None),
    },
}  # fmt: skip


def drafted(folder: Path, text: str, name: str = "t.csv") -> Draft:
    source = folder / name
    source.write_text(text, encoding="utf-8")
    return draft(source=str(source), out=folder / "recipe.yaml")


def lines_of(found: Draft) -> list[str]:
    return [*found.prepared.warnings, *found.persons.subject_lines, *found.persons.pii_lines]


@pytest.mark.parametrize("name", TABLES)
def test_each_column_is_read_as_what_it_is(name: str, tmp_path: Path) -> None:
    table = TABLES[name]
    raw = pd.DataFrame({key: cells for key, (cells, *_) in table.items()})
    found = drafted(tmp_path, raw.to_csv(index=False))
    schema, drop = found.prepared.schema, found.recipe.data.drop
    for key, (_, right, words) in table.items():
        kind = schema[key].type if key in schema.names else "left out" if key in drop else "no cells"
        assert kind in right or right == "left out identifier", (key, kind)
        said = [line for line in lines_of(found) if repr(key) in line and not line.startswith("data.rare")]
        assert words is None or any(words in line for line in said), (key, said)
        assert kind not in ("left out", "no cells") or said, key


def test_a_line_that_says_how_to_decide_otherwise_can_be_followed(tmp_path: Path) -> None:
    cells = column(lambda draw, _: f"{day(draw):%Y%m%d}")
    pd.DataFrame({"admitted": cells, "x": one_of("a", "b")}).to_csv(tmp_path / "t.csv", index=False)
    types = {}
    for kind in ("integer", "datetime"):
        data = {"source": "t.csv", "rare": "keep", "fields": {"admitted": {"type": kind}}}
        recipe = Recipe.model_validate({"name": "r", "data": data})
        schema, splits = preview(recipe, root=tmp_path)
        types[kind] = schema["admitted"].type
        back = pd.concat([written(part, schema) for part in splits.values()])
        assert sorted(back["admitted"]) == sorted(cells)
    assert types == {"integer": "integer", "datetime": "datetime"}


def test_local_times_without_their_offset_can_be_read_again(tmp_path: Path) -> None:
    cells, right, _ = TABLES["moments"]["logged"]
    pd.DataFrame({"logged": cells, "x": one_of("a", "b")}).to_csv(tmp_path / "t.csv", index=False)
    schema, splits = preview(Recipe.model_validate({"name": "r", "data": {"source": "t.csv"}}), root=tmp_path)
    assert schema["logged"].type == right
    assert written(splits["train"], schema)["logged"].str.fullmatch(r"\d{4}-\d\d-\d\dT[\d:]{8}").all()


BODY = "".join(f"{'AB'[row % 2]},{row / 7:.2f},{row * 3}\n" for row in range(40))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (BODY, "the first line looks like a record"),
        (f"Report of May 2024,,\ng,x,y\n{BODY}", "the first line above the header skipped"),
        (f"# made by hand\n# twice\ng,x,y\n{BODY}", "2 lines that begin with # above the header skipped"),
        (f"g,x,y\n{BODY}".replace(",", " "), "has blanks between its cells"),
        (f"sep=;\ng,x,y\n{BODY}".replace(",", ";"), None),
    ],
)
def test_what_stands_above_the_records_is_named(text: str, line: str | None, tmp_path: Path) -> None:
    found = drafted(tmp_path, text)
    assert len(found.prepared.schema) == 3
    assert line is None or any(line in warning for warning in found.prepared.warnings)


def test_ten_rows_are_enough_and_nine_are_refused_at_once(tmp_path: Path) -> None:
    rows = [f"{20 + row},{'AB'[row % 2]}" for row in range(10)]
    assert len(drafted(tmp_path, "\n".join(["age,group", *rows])).prepared.schema) == 2
    with pytest.raises(DataError, match="has 9 rows; at least 10 are needed"):
        drafted(tmp_path, "\n".join(["age,group", *rows[:9]]))

from datetime import datetime

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import infer_types
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.schema.table import (
    cell_shape,
    read_table,
    to_records,
    to_table,
    to_typed,
    write_table,
    written,
)

SCHEMA = Schema(
    (
        Field(name="id", type="identifier", pattern="999"),
        Field(name="age", type="integer", minimum=0, maximum=120, nullable=True),
        Field(name="dose", type="number", minimum=0.0, maximum=9.0, decimals=2, suffix=" mg"),
        Field(name="sex", type="category", categories=("f", "m")),
        Field(name="smoker", type="boolean", true="Y", false="N", nullable=True),
        Field(
            name="seen",
            type="datetime",
            format="%d.%m.%Y",
            minimum=datetime(2020, 1, 1),
            maximum=datetime(2024, 1, 1),
        ),
        Field(name="note", type="text", max_length=50),
    )
)
RAW = pd.DataFrame(
    {
        "note": ['said "no",\nthen 🙂', "NaN", None],
        "id": ["001", "002", "003"],
        "age": ["41", None, "7"],
        "dose": ["0.50 mg", "1.25 mg", "9.00 mg"],
        "sex": ["f", "m", "f"],
        "smoker": ["Y", "N", None],
        "seen": ["29.02.2020", "01.12.2023", "05.05.2021"],
        "unused": ["x", "y", "z"],
    },
    dtype="string",
)


def test_a_raw_table_round_trips_through_a_typed_table():
    table = to_typed(RAW, SCHEMA)
    assert list(table.columns) == SCHEMA.names
    assert {name: str(dtype) for name, dtype in table.dtypes.items()} == {
        field.name: field.kind.dtype for field in SCHEMA
    }
    back = written(table, SCHEMA)
    for name in SCHEMA.names:
        assert back[name].tolist() == RAW[name].tolist()


def test_records_hold_plain_values():
    records = to_records(to_typed(RAW, SCHEMA), SCHEMA)
    assert records[0] == {
        "id": "001",
        "age": 41,
        "dose": 0.5,
        "sex": "f",
        "smoker": True,
        "seen": datetime(2020, 2, 29),
        "note": 'said "no",\nthen 🙂',
    }
    assert [type(value) for value in records[0].values()] == [str, int, float, str, bool, datetime, str]
    assert records[1]["age"] is None
    assert records[2]["smoker"] is None
    pd.testing.assert_frame_equal(to_table(records, SCHEMA), to_typed(RAW, SCHEMA))


def test_an_identifier_that_no_record_has_is_left_out():
    records = to_records(to_typed(RAW, SCHEMA).drop(columns="id"), SCHEMA)
    assert "id" not in records[0]
    assert "id" not in to_table(records, SCHEMA).columns


def test_parquet_round_trips_with_equal_bytes(tmp_path):
    table = to_typed(RAW, SCHEMA)
    write_table(table, tmp_path / "a.parquet", SCHEMA)
    write_table(table.copy(), tmp_path / "b.parquet", SCHEMA)
    assert (tmp_path / "a.parquet").read_bytes() == (tmp_path / "b.parquet").read_bytes()
    pd.testing.assert_frame_equal(read_table(tmp_path / "a.parquet", SCHEMA), table)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.parquet", "b.parquet"]


def test_a_damaged_or_other_table_is_named(tmp_path):
    path = tmp_path / "a.parquet"
    with pytest.raises(DataError, match=r"a\.parquet"):
        read_table(path, SCHEMA)
    path.write_bytes(b"PAR1 not")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_table(path, SCHEMA)
    pd.DataFrame({"age": [1]}).to_parquet(path)
    with pytest.raises(DataError, match="lacks the column 'dose'"):
        read_table(path, SCHEMA)
    pd.DataFrame({"age": ["old"]}).to_parquet(path)
    with pytest.raises(DataError, match=r"column 'age' is (large_)?string, not integer"):
        read_table(path, Schema((SCHEMA["age"],)))


@pytest.mark.parametrize(
    ("name", "cell", "expected"),
    [
        ("age", "4x", "row 2 holds a cell of the shape '9a', which is not an integer"),
        ("age", "9223372036854775808", "which is not an integer"),
        ("dose", "1.25", "which is not a number"),
        ("dose", "1e999 mg", "which is not a number"),
        ("smoker", "maybe", "which is not a boolean"),
        ("seen", "31.02.2020", "which is not a datetime like '%d.%m.%Y'"),
        ("age", "x" * 400, "'" + "a" * 40 + "...'"),
    ],
)
def test_a_cell_that_does_not_fit_is_described_and_not_shown(name, cell, expected):
    raw = RAW.copy()
    raw.loc[1, name] = cell
    with pytest.raises(DataError) as error:
        to_typed(raw, SCHEMA)
    assert f"column {name!r}" in str(error.value)
    assert expected in str(error.value)
    assert cell not in str(error.value)


def test_shapes_hide_letters_and_digits():
    assert cell_shape("Dr. Müller, 12-A") == "Aa. Aaaaaa, 99-A"


def test_large_integers_beside_missing_ones_keep_every_digit():
    raw = pd.DataFrame({"c": ["9007199254740993", None, "-9223372036854775808"]})
    schema = infer_types(raw, Data(source="a.csv"))
    table = to_typed(raw, schema)
    assert [record["c"] for record in to_records(table, schema)] == [2**53 + 1, None, -(2**63)]
    pd.testing.assert_frame_equal(to_table(to_records(table, schema), schema), table)


def test_a_zero_keeps_its_minus():
    raw = pd.DataFrame({"c": ["-0.0", "0.0", "1.5"]})
    schema = infer_types(raw, Data(source="a.csv"))
    assert written(to_typed(raw, schema), schema)["c"].tolist() == ["-0.0", "0.0", "1.5"]


HOSTILE = st.one_of(
    st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=20),
    st.sampled_from(
        [
            "",
            "NaN",
            "None",
            "null",
            "-0",
            "007",
            "1e308",
            ",",
            '"',
            "\n",
            "\r\n",
            "\u202eabc",
            "🙂",
            " x ",
            "True",
        ]
    ),
)


@settings(max_examples=100, deadline=None)
@given(cells=st.lists(st.one_of(st.none(), HOSTILE), min_size=1, max_size=12))
def test_declared_words_survive_exactly(tmp_path_factory, cells):
    raw = pd.DataFrame({"c": pd.Series(cells, dtype="string"), "d": ["x"] * len(cells)})
    data = Data(source="a.csv", fields={"c": {"type": "text"}, "d": {"type": "text"}})
    if all(cell is None for cell in cells):
        return
    schema = infer_types(raw, data)
    path = tmp_path_factory.mktemp("words") / "a.parquet"
    write_table(to_typed(raw, schema), path, schema)
    again = read_table(path, schema)
    assert [record["c"] for record in to_records(again, schema)] == cells

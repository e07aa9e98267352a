"""The round-trip law through files: what a JSONL or Parquet file holds is written again as it was, value and type."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from unit.records.column_shapes import SHAPES, ColumnShape

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.jsonl_writer import write_jsonl
from paracosm.records.schema.origin import origin_of
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.source_types import with_source_types, write_records
from paracosm.records.schema.table import to_typed, written
from paracosm.records.sources.read_source import from_object, read_source

EVERY = 4
"""`bench/records/column_shapes.py` measures all shapes."""


def round_trip(source: Path, out: Path, column: str) -> bool:
    """Read a file and write one of its columns; return whether the column is modelled, and so written."""
    raw = read_source(Data(source=source.name), root=source.parent)
    field = infer(raw, Data(source=source.name)).schema[column]
    if not field.modelled:
        return False
    alone = Schema((field,))
    typed = to_typed(raw, alone)
    schema = with_source_types(alone, origin_of(raw), typed, [])
    if out.suffix == ".jsonl":
        write_jsonl(written(typed, schema), out, schema)
    else:
        write_records(typed, out, schema)
    return True


def json_value(cell: str) -> Any:
    """Return the number that JSON writes as this cell does, else the cell."""
    try:
        value = json.loads(cell)
    except ValueError:
        return cell
    return value if type(value) in (int, float) and json.dumps(value) == cell else cell


def check_jsonl(folder: Path, column: str, cells: list[Any]) -> None:
    lines = [json.dumps({column: cell, "zz": number % 7}) for number, cell in enumerate(cells)]
    (folder / "a.jsonl").write_text("\n".join(lines))
    if round_trip(folder / "a.jsonl", folder / "b.jsonl", column):
        back = [json.loads(line)[column] for line in (folder / "b.jsonl").read_text().splitlines()]
        assert list(map(repr, back)) == list(map(repr, cells))


@pytest.mark.parametrize("shape", SHAPES[::EVERY], ids=lambda shape: shape.name)
def test_texts_of_jsonl_and_parquet_are_written_as_they_were(tmp_path: Path, shape: ColumnShape) -> None:
    cells = [cell or None for cell in shape.cells]
    check_jsonl(tmp_path, shape.column, cells)
    table = pa.table(
        {shape.column: pa.array(cells, pa.string()), "zz": [row % 7 for row in range(len(cells))]}
    )
    pq.write_table(table, tmp_path / "a.parquet")
    if round_trip(tmp_path / "a.parquet", tmp_path / "b.parquet", shape.column):
        back = pq.read_table(tmp_path / "b.parquet").column(shape.column)
        assert back.to_pylist() == cells
        assert back.type == pa.string()


@pytest.mark.parametrize(
    "cells",
    [
        [1, 2, None, 40, 5],
        [1.5, 2.0, 0.25, None],
        [62.01, 10.71, 62.01, 43.2],
        [60601, 60602, 10001],
        [20240131, 20231201, 20220228],
        [True, False, None],
        [-0.001, 12.125, 1000000.5],
    ],
    ids=str,
)
def test_numbers_and_truth_of_jsonl_stay_what_they_are(tmp_path: Path, cells: list[Any]) -> None:
    check_jsonl(tmp_path, "x", cells * 60)


def test_nanoseconds_of_pandas_are_refused_and_not_cut() -> None:
    spans = pd.Series([pd.Timedelta(row * 1001, "ns") for row in range(9)])
    moments = pd.Timestamp("2024-03-01") + spans
    for cells in (spans, moments):
        with pytest.raises(
            DataError, match="'x': holds nanoseconds; the finest supported unit is microseconds"
        ):
            infer(from_object(pd.DataFrame({"x": cells, "y": list("abc") * 3})), Data(source="memory"))


def test_periods_and_intervals_are_named_because_their_type_changes() -> None:
    periods = pd.Series(pd.period_range("2020-01", periods=9, freq="M"))
    intervals = pd.Series(pd.interval_range(0, 9))
    for cells, name in ((periods, "period[M]"), (intervals, "interval[int64, right]")):
        raw = from_object(pd.DataFrame({"x": cells, "y": list("abc") * 3}))
        (line,) = (line for line in infer(raw, Data(source="memory")).warnings if "in the source" in line)
        assert line.startswith(f"column 'x': is {name} in the source")


def test_a_date_whose_fraction_is_always_zero_is_not_ambiguous() -> None:
    cells = [f"2024-03-01 10:00:0{row % 7}.0000000" for row in range(60)]
    raw = from_object(pd.DataFrame({"x": cells, "y": ["a", "b"] * 30}))
    assert infer(raw, Data(source="memory")).warnings == ()

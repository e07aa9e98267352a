"""Typed tables: DataFrames with the fields of a schema as columns, in the dtypes of `schema.DTYPES`."""

import operator
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from paracosm.foundation.errors import DataError
from paracosm.foundation.files import replacing
from paracosm.records.schema.arrow_types import read_column
from paracosm.records.schema.cells import to_source_strings
from paracosm.records.schema.datetime_format import read_datetime
from paracosm.records.schema.identifier_pattern import shape
from paracosm.records.schema.number_format import INT64
from paracosm.records.schema.schema import DTYPES, Field, Record, Schema, Value

WHOLE = re.compile(r"-?\d+", re.ASCII)
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
LONGEST_SHAPE = 40
ARROW: dict[str, pa.DataType] = {
    "Int64": pa.int64(),
    "Float64": pa.float64(),
    "string": pa.string(),
    "boolean": pa.bool_(),
    "datetime64[us]": pa.timestamp("us"),
}


def read_cell(field: Field, text: str) -> Value:
    """Return the value of a cell of the source. Numbers are rounded to the field's decimals.

    Raises:
        ValueError: the cell does not have the type or format of the field.
        KeyError: the cell of a boolean field is not one of its words.
    """
    match field.type:
        case "integer":
            whole = int(_digits(field, text, WHOLE))
            if not -INT64 <= whole < INT64:
                raise ValueError("too large")
            return whole
        case "number":
            value = float(_digits(field, text, NUMBER))
            if abs(value) == float("inf"):
                raise ValueError("too large")
            # Adding 0.0 turns -0.0 into 0.0, so that zero has one form.
            return (value if field.scientific else round(value, field.decimals)) + 0.0
        case "boolean":
            return {field.true: True, field.false: False}[text]
        case "datetime":
            return read_datetime(text, field.format)
        case _:
            return text


def to_typed(raw: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return the columns of `raw` that are fields of `schema`, as a typed table.

    Raises:
        DataError: a cell does not have the type of its field; the message names column, row and shape of the cell.
    """
    return pd.DataFrame({field.name: _typed(raw[field.name], field) for field in schema}).reset_index(
        drop=True
    )


def to_records(table: pd.DataFrame, schema: Schema) -> list[Record]:
    """Return the rows of a typed table as dicts of plain Python values; missing is None.

    Identifiers without a column are left out.
    """
    present = [field for field in schema if field.name in table.columns]
    columns = [plain_values(table[field.name], field) for field in present]
    names = [field.name for field in present]
    return [dict(zip(names, cells, strict=True)) for cells in zip(*columns, strict=True)]


def to_table(records: Iterable[Record], schema: Schema) -> pd.DataFrame:
    """Return records as a typed table, without the identifiers that no record has."""
    rows = list(records)
    columns = {}
    for field in schema:
        if field.modelled or any(field.name in row for row in rows):
            columns[field.name] = _column([row.get(field.name) for row in rows], field)
    return pd.DataFrame(columns)


def written(table: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return a typed table in the format of the source: strings with units and decimals; missing is `pd.NA`."""
    present = [field for field in schema if field.name in table.columns]
    columns = {}
    for field in present:
        cells = [field.write(value) for value in plain_values(table[field.name], field)]
        columns[field.name] = pd.Series(cells, dtype="string")
    return pd.DataFrame(columns)


def write_table(table: pd.DataFrame, path: Path, schema: Schema) -> None:
    """Write the fields of a typed table as Parquet, atomically; equal tables give equal bytes."""
    names = [field.name for field in schema if field.name in table.columns]
    arrays = [
        pa.array(plain_values(table[name], schema[name]), type=ARROW[DTYPES[schema[name].type]])
        for name in names
    ]
    with replacing(path) as partial:
        pq.write_table(pa.Table.from_arrays(arrays, names=names), partial, compression="zstd")


def read_table(path: Path, schema: Schema) -> pd.DataFrame:
    """Return the typed table that `write_table` or `source_types.write_records` wrote.

    Raises:
        DataError: the file is missing or damaged, or a modelled field is missing in it or has another type.
    """
    try:
        arrow = pq.read_table(path)
    except (OSError, pa.ArrowException) as error:
        raise DataError(f"{path}: cannot be read as Parquet: {str(error).splitlines()[0]}") from error
    missing = [field.name for field in schema.modelled if field.name not in arrow.column_names]
    if missing:
        raise DataError(f"{path}: lacks the column {missing[0]!r} of the schema")
    columns = {}
    for field in schema:
        if field.name in arrow.column_names:
            columns[field.name] = _read_column(arrow.column(field.name), field, path)
    return pd.DataFrame(columns)


def cell_shape(text: str) -> str:
    """Return the shape of a cell, such as `Aaaa-999`, which does not reveal its content; cut at forty characters."""
    whole = shape(text)
    return whole if len(whole) <= LONGEST_SHAPE else whole[:LONGEST_SHAPE] + "..."


def _read_column(column: pa.ChunkedArray, field: Field, path: Path) -> pd.Series:
    try:
        is_plain = column.type == ARROW[DTYPES[field.type]] or pa.types.is_null(column.type)
        return _column(column.to_pylist() if is_plain else read_column(column, field), field)
    except (TypeError, ValueError, KeyError) as error:
        raise DataError(f"{path}: column {field.name!r} is {column.type}, not {field.type}") from error


def _typed(column: pd.Series, field: Field) -> pd.Series:
    cells = to_source_strings(column)
    values: dict[Any, Value] = {}
    for cell in cells.dropna().unique():
        try:
            values[cell] = read_cell(field, cell)
        except (ValueError, KeyError) as error:
            row = int((cells == cell).fillna(False).to_numpy().argmax()) + 1
            like = f" like {field.format!r}" if field.type == "datetime" else ""
            raise DataError(
                f"column {field.name!r}: row {row} holds a cell of the shape {cell_shape(cell)!r},"
                f" which is not {'an' if field.type in ('integer', 'identifier') else 'a'} {field.type}{like}"
            ) from error
    return _column([None if cell is pd.NA else values[cell] for cell in cells], field)


def _column(values: list[Any], field: Field) -> pd.Series:
    if field.type != "integer":
        return pd.Series(values, dtype=DTYPES[field.type])
    # pandas converts integers with None among them to floats and loses digits above 2**53.
    is_missing = np.array([value is None for value in values], dtype=bool)
    whole = [0 if value is None else operator.index(value) for value in values]
    return pd.Series(pd.arrays.IntegerArray(np.array(whole, dtype="int64"), is_missing))


def plain_values(column: pd.Series, field: Field) -> list[Any]:
    """Return the values of a typed column as plain Python objects; missing is None."""
    is_missing = column.isna().to_numpy()
    match field.type:
        case "integer":
            values: Iterable[Any] = (
                0 if missing else int(cell) for cell, missing in zip(column, is_missing, strict=True)
            )
        case "number":
            values = (
                0.0 if missing else float(cell) for cell, missing in zip(column, is_missing, strict=True)
            )
        case "boolean":
            values = (
                False if missing else bool(cell) for cell, missing in zip(column, is_missing, strict=True)
            )
        case "datetime":
            values = (
                None if missing else cell.to_pydatetime()
                for cell, missing in zip(column, is_missing, strict=True)
            )
        case _:
            values = (
                None if missing else str(cell) for cell, missing in zip(column, is_missing, strict=True)
            )
    return [None if missing else value for value, missing in zip(values, is_missing, strict=True)]


def _digits(field: Field, text: str, expected: re.Pattern[str]) -> str:
    if not (text.startswith(field.prefix) and text.endswith(field.suffix)):
        raise ValueError("another unit")
    digits = text[len(field.prefix) : len(text) - len(field.suffix)]
    if not expected.fullmatch(digits):
        raise ValueError("not a number")
    return digits

"""Typed tables: DataFrames with the fields of a schema as columns, in the dtypes of their kinds."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from paracosm.foundation.errors import DataError
from paracosm.foundation.files import replacing
from paracosm.records.formats.cells import to_source_strings
from paracosm.records.formats.identifier_pattern import shape
from paracosm.records.schema.arrow_types import read_column
from paracosm.records.schema.schema import Field, Record, Schema, Value

LONGEST_SHAPE = 40


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
            columns[field.name] = field.kind.column([row.get(field.name) for row in rows])
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
        pa.array(plain_values(table[name], schema[name]), type=schema[name].kind.arrow) for name in names
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


def with_article(noun: str) -> str:
    """Return a noun with its indefinite article."""
    return f"{'an' if noun[0] in 'aeiou' else 'a'} {noun}"


def _read_column(column: pa.ChunkedArray, field: Field, path: Path) -> pd.Series:
    try:
        is_plain = column.type == field.kind.arrow or pa.types.is_null(column.type)
        return field.kind.column(column.to_pylist() if is_plain else read_column(column, field))
    except (TypeError, ValueError, KeyError) as error:
        raise DataError(f"{path}: column {field.name!r} is {column.type}, not {field.type}") from error


def _typed(column: pd.Series, field: Field) -> pd.Series:
    cells = to_source_strings(column)
    values: dict[Any, Value] = {}
    for cell in cells.dropna().unique():
        try:
            values[cell] = field.read(cell)
        except (ValueError, KeyError) as error:
            row = int((cells == cell).fillna(False).to_numpy().argmax()) + 1
            like = f" like {field.format!r}" if field.format else ""
            raise DataError(
                f"column {field.name!r}: row {row} holds a cell of the shape {cell_shape(cell)!r},"
                f" which is not {with_article(field.type)}{like}"
            ) from error
    return field.kind.column([None if cell is pd.NA else values[cell] for cell in cells])


def plain_values(column: pd.Series, field: Field) -> list[Any]:
    """Return the values of a typed column as plain Python objects; missing is None."""
    is_missing = column.isna().to_numpy()
    plain = field.kind.plain
    return [None if missing else plain(cell) for cell, missing in zip(column, is_missing, strict=True)]

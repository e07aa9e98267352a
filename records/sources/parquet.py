"""Reader of Parquet files and Arrow tables, with the types of their columns."""

import io
import json
from collections.abc import Collection
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.schema.arrow_types import is_nullable, to_pandas
from paracosm.records.schema.origin import Origin, with_arrays, with_origin
from paracosm.records.sources.nested import Nested, cures, json_text
from paracosm.records.sources.selection.row_limit import (
    ChunkOperations,
    RowCollector,
    check_cells,
    check_columns,
    check_rows,
    row_hashes,
)
from paracosm.records.text.decompressed import read_bytes, too_large

GZIP = b"\x1f\x8b"
BATCH_ROWS = 4096
"""Rows read at a time: few, because a small file can hold the same long text in each row."""

NO_CELLS = (
    pa.types.is_nested,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
)


def read_parquet(path: Path, data: Data) -> pd.DataFrame:
    """Read a Parquet file in batches.

    Args:
        path: the file, as a whole compressed or not.
        data: `limit`, `drop`, `nested` and `bounds` are read.

    Raises:
        DataError: the file is empty, damaged or larger than allowed, or a column is nested.
    """
    with path.open("rb") as file:
        zipped = file.read(2) == GZIP
    if path.stat().st_size == 0:
        raise DataError(f"{path}: is empty")
    try:
        with pq.ParquetFile(io.BytesIO(read_bytes(path, data.bounds)) if zipped else path) as file:
            arrow = _rows(file, path, data)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        # Arrow reports damage of a file as an OSError without a number, and of its names as text that is not UTF-8.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(f"{path}: is not a complete Parquet file: {reason}") from error
    return from_arrow(arrow, str(path), drop=data.drop, nested=data.nested)


def _rows(file: pq.ParquetFile, path: Path, data: Data) -> pa.Table:
    schema, declared = file.schema_arrow, file.metadata
    columns = max(declared.num_columns, len(schema))
    check_columns(columns, str(path), data)
    groups = [declared.row_group(number).num_rows for number in range(declared.num_row_groups)]
    if min(groups, default=0) < 0 or sum(groups) != declared.num_rows:
        raise DataError(
            f"{path}: is not a complete Parquet file: it declares {declared.num_rows} rows, and {sum(groups)} in its parts"
        )
    if data.limit is None or data.limit_order == "random":
        check_rows(declared.num_rows, str(path), data)
    if data.limit is None:
        check_cells(declared.num_rows, columns, str(path), data)
    collector = RowCollector(data, str(path), _tables(data))
    size = count = 0
    for batch in file.iter_batches(batch_size=min(BATCH_ROWS, collector.next_rows(columns))):
        # Arrow reads texts that are not UTF-8, and offsets beyond their buffer, without a word.
        batch.validate(full=True)
        size, count = size + batch.nbytes, count + len(batch)
        if size > data.bounds.gigabytes * 1e9:
            raise too_large(path, data.bounds, " decompressed")
        if collector.add(pa.Table.from_batches([batch], batch.schema), columns=columns):
            break
    else:
        if count != declared.num_rows:
            raise DataError(
                f"{path}: is not a complete Parquet file: it declares {declared.num_rows:,} rows, and holds {count:,}"
            )
    chosen = collector.rows()
    table = chosen[0] if chosen else schema.empty_table()
    return table.replace_schema_metadata(schema.metadata)


def _tables(data: Data) -> ChunkOperations[pa.Table]:
    def hashes(table: pa.Table) -> np.ndarray:
        cells = _without_cells(table, data.drop)
        for index, field in enumerate(cells.schema):
            if pa.types.is_nested(field.type):
                texts = [json_text(cell) for cell in cells.column(index).to_pylist()]
                cells = cells.set_column(index, field.name, pa.array(texts, pa.string()))
            elif pa.types.is_dictionary(field.type):
                column = cells.column(index)
                cells = cells.set_column(index, field.name, column.cast(field.type.value_type))
        return row_hashes(to_pandas(cells), data)

    return ChunkOperations(
        hashes=hashes,
        take=lambda table, rows: table.take(pa.array(rows)),
        join=pa.concat_tables,
    )


def from_arrow(
    arrow: pa.Table, name: str, *, drop: Collection[str] = (), nested: Nested = "error"
) -> pd.DataFrame:
    """Return an Arrow table as pandas, with nullable integers, class labels as words, and without a stored pandas index.

    Nested objects become columns with dotted names. Columns of `drop` stay without cells, so they may be nested.

    Raises:
        DataError: a column holds arrays that are not read as JSON text, or bytes.
    """
    metadata = arrow.schema.metadata or {}
    stored_index = [column for column in arrow.column_names if column.startswith("__index_level_")]
    arrow = arrow.drop_columns(stored_index).replace_schema_metadata(None)
    arrow = _without_cells(arrow, drop)
    while any(pa.types.is_struct(field.type) for field in arrow.schema):
        arrow = _without_cells(arrow.flatten(), drop)
    arrays: list[str] = []
    types = {field.name: str(field.type) for field in arrow.schema if field.name not in drop}
    labels = _class_labels(metadata)
    for index, field in enumerate(arrow.schema):
        if pa.types.is_nested(field.type) and nested != "error":
            texts = [None if cell is None else json_text(cell) for cell in arrow.column(index).to_pylist()]
            arrow = arrow.set_column(index, field.name, pa.array(texts, pa.string()))
            arrays.append(field.name)
            types[field.name] = "string"
        elif any(is_it(field.type) for is_it in NO_CELLS):
            cure = (
                cures(field.name)
                if pa.types.is_nested(field.type)
                else "a cell must be a single value (or add it to data.drop)"
            )
            raise DataError(f"{name}: the column {field.name!r} holds {field.type}; {cure}")
        elif field.name in labels and pa.types.is_integer(field.type):
            arrow = arrow.set_column(
                index, field.name, _labelled(arrow.column(index), labels[field.name], name, field.name)
            )
        elif pa.types.is_dictionary(field.type):
            labels[field.name] = _entries(arrow.column(index))
    present = {column: of_column for column, of_column in labels.items() if column in types}
    origin = Origin((), types, _nullable_types(metadata), present)
    return with_arrays(with_origin(to_pandas(arrow), origin), arrays)


def _without_cells(arrow: pa.Table, drop: Collection[str]) -> pa.Table:
    for index, field in enumerate(arrow.schema):
        if field.name in drop:
            arrow = arrow.set_column(index, field.name, pa.nulls(len(arrow), pa.string()))
    return arrow


def _class_labels(metadata: dict[bytes, bytes]) -> dict[str, tuple[str, ...]]:
    """Return the names of all class labels that `datasets` stores in the metadata of a file, by column."""
    try:
        features = json.loads(metadata.get(b"huggingface", b"{}")).get("info", {}).get("features", {})
    except (ValueError, AttributeError):
        return {}
    return {
        name: tuple(map(str, feature["names"]))
        for name, feature in features.items()
        if isinstance(feature, dict) and feature.get("_type") == "ClassLabel" and feature.get("names")
    }


def _labelled(codes: pa.ChunkedArray, labels: tuple[str, ...], name: str, column: str) -> pa.Array:
    """Return the words of class labels; -1 is missing, as `datasets` has it."""
    cells = codes.to_pylist()
    for row, code in enumerate(cells, start=1):
        if code is not None and not -1 <= code < len(labels):
            raise DataError(
                f"{name}: column {column!r}: row {row} has a code without a class label; there are {len(labels)}"
            )
    return pa.array([None if code is None or code < 0 else labels[code] for code in cells], pa.string())


def _entries(column: pa.ChunkedArray) -> tuple[str, ...]:
    """Return the entries of a dictionary column that are the same in all chunks' order, as texts."""
    entries: dict[str, None] = {}
    for chunk in column.chunks:
        entries |= dict.fromkeys(str(entry) for entry in chunk.dictionary.to_pylist())
    return tuple(entries)


def _nullable_types(metadata: dict[bytes, bytes]) -> dict[str, str]:
    """Return the pandas types that the metadata of a file names and Arrow alone would not give back, by column."""
    try:
        columns = json.loads(metadata.get(b"pandas", b"{}")).get("columns", [])
        return {entry["name"]: entry["numpy_type"] for entry in columns if is_nullable(entry["numpy_type"])}
    except (ValueError, AttributeError, KeyError, TypeError):
        return {}

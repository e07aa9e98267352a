"""Reader of Parquet files and Arrow tables, with the types of their columns."""

import io
import json
from collections.abc import Collection
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from paracosm.foundation.errors import DataError
from paracosm.records.schema.arrow_types import is_nullable, to_pandas
from paracosm.records.schema.origin import Origin, with_arrays, with_origin
from paracosm.records.sources.nested import Nested, cures, json_text
from paracosm.records.text.text_file import GZIP, read_bytes

NO_CELLS = (
    pa.types.is_nested,
    pa.types.is_binary,
    pa.types.is_large_binary,
    pa.types.is_binary_view,
    pa.types.is_fixed_size_binary,
)


def read_parquet(path: Path, *, drop: Collection[str] = (), nested: Nested = "error") -> pd.DataFrame:
    """Read a Parquet file.

    Raises:
        DataError: the file is empty or damaged, or a column is nested.
    """
    with path.open("rb") as file:
        zipped = file.read(2) == GZIP
    if path.stat().st_size == 0:
        raise DataError(f"{path}: is empty")
    try:
        arrow = pq.read_table(io.BytesIO(read_bytes(path)) if zipped else path)
    except pa.ArrowException as error:
        raise DataError(f"{path}: is not a complete Parquet file: {str(error).splitlines()[0]}") from error
    return from_arrow(arrow, str(path), drop=drop, nested=nested)


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
        if pa.types.is_nested(field.type) and nested == "json":
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

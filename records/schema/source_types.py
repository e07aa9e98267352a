"""Synthetic records in the types of the source: which types they are, and Parquet files with them."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from paracosm.foundation.files import replacing
from paracosm.records.schema.arrow_types import (
    keeps,
    labels_of,
    parse_type,
    source_metadata,
    write_column,
)
from paracosm.records.schema.origin import Origin
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.schema.table import plain_values


def write_records(table: pd.DataFrame, path: Path, schema: Schema, columns: Sequence[str] = ()) -> None:
    """Write a typed table as Parquet with the types of the source, atomically; equal tables give equal bytes.

    Args:
        table: the fields of the schema, or some of them.
        path: of the file.
        schema: of the table.
        columns: names of the columns to write, in order; those that the table lacks have no cells. By default, the fields
            that the table has.
    """
    names = list(columns or [field.name for field in schema if field.name in table.columns])
    empty = {name: parse_type(type_) for name, type_ in schema.column_types}
    arrays, fields = [], []
    for name in names:
        if name in table.columns:
            field = schema[name]
            fields.append(field)
            values, type_ = plain_values(table[name], field), written_type(field)
            in_source = field.arrow or type_ != field.kind.arrow
            arrays.append(write_column(values, field, type_) if in_source else pa.array(values, type_))
        else:
            arrays.append(pa.nulls(len(table), empty.get(name)))
    arrow = pa.Table.from_arrays(arrays, names=names).replace_schema_metadata(source_metadata(fields))
    with replacing(path) as partial:
        pq.write_table(arrow, partial, compression="zstd")


def written_type(field: Field) -> pa.DataType:
    """Return the Arrow type of a field in synthetic records: that of the source, else the one that keeps its words."""
    source = parse_type(field.arrow)
    if source is not None:
        return source
    if field.kind.expressed_as == "truth" and (field.true.lower(), field.false.lower()) != ("true", "false"):
        return pa.string()
    return pa.string() if field.width else field.kind.arrow


def with_source_types(schema: Schema, origin: Origin, train: pd.DataFrame, warnings: list[str]) -> Schema:
    """Return the schema with the types that its columns have in the source.

    A type is left out where a training value is not the same after writing and reading it, and a warning says so.

    Args:
        schema: with its domains.
        origin: of the raw table.
        train: the typed training records.
        warnings: gets the warnings.
    """
    fields = []
    for field in schema:
        arrow = origin.arrow.get(field.name, "")
        typed = replace(
            field,
            arrow=arrow,
            dtype=origin.dtypes.get(field.name, ""),
            labels=labels_of(field, arrow, origin.labels.get(field.name, ())),
        )
        values = plain_values(train[field.name], field) if field.name in train.columns else []
        if not arrow or keeps(typed, list(dict.fromkeys(values))):
            fields.append(typed)
            continue
        fields.append(field)
        if (field.modelled or field.fresh) and arrow != str(written_type(field)):
            warnings.append(
                f"column {field.name!r}: is {arrow} in the source; synthetic records have it as {written_type(field)}"
            )
    missing = tuple(
        (name, origin.arrow[name])
        for name in schema.columns
        if name not in schema.names and name in origin.arrow
    )
    return replace(schema, fields=tuple(fields), column_types=missing)

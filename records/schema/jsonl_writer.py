"""JSONL writer: numbers, booleans and missing cells are JSON values, written with the digits of the source."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pyarrow as pa

from paracosm.foundation.files import replacing
from paracosm.records.schema.arrow_types import parse_type
from paracosm.records.schema.schema import Field, Schema

NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
"""A number in JSON. `007` and `$5` are not numbers there and stay text."""


def write_jsonl(table: pd.DataFrame, path: Path, schema: Schema) -> None:
    """Write a table as one JSON object per line, atomically.

    Args:
        table: cells in the format of the source, as strings; missing is `pd.NA`.
        path: of the file.
        schema: fields of the table; a column that is not a field has no cells.
    """
    typed = {field.name for field in schema if _is_typed(field)}
    columns = []
    for name in table.columns:
        write = _value if name in typed else _text
        columns.append([f"{_text(name)}:{_cell(cell, write)}" for cell in table[name]])
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{{{','.join(cells)}}}\n" for cells in zip(*columns, strict=True))


def _is_typed(field: Field) -> bool:
    """Return whether the source has numbers or booleans in a column; without types of the source, the field decides."""
    type_ = parse_type(field.arrow)
    if type_ is None:
        return field.kind.json_value
    numeric = pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)
    return (numeric or pa.types.is_boolean(type_)) and not field.labels


def _cell(cell: object, write: Callable[[str], str]) -> str:
    return write(cell) if isinstance(cell, str) else "null"


def _value(cell: str) -> str:
    """Return a cell of a number or boolean as a JSON value: words other than true and false stay text."""
    if NUMBER.fullmatch(cell):
        return cell
    return cell.lower() if cell.lower() in ("true", "false") else _text(cell)


def _text(cell: str) -> str:
    return json.dumps(cell, ensure_ascii=False)

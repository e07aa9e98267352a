"""JSONL writer: numbers, booleans and missing cells are JSON values, written with the digits of the source.

Records of a sequence can also be written as dialogues: a line each, with the turns in a list.
"""

import json
import re
from collections.abc import Callable
from itertools import groupby
from pathlib import Path

import pandas as pd
import pyarrow as pa

from paracosm.foundation.files import replacing
from paracosm.records.schema.arrow_types import parse_type
from paracosm.records.schema.schema import Field, Schema

MADE = "conversation"
"""Column that the reader of message lists makes."""
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
"""A number in JSON. `007` and `$5` are not numbers there and stay text."""


def write_jsonl(table: pd.DataFrame, path: Path, schema: Schema) -> None:
    """Write a table as one JSON object per line, atomically.

    Args:
        table: cells in the format of the source, as strings; missing is `pd.NA`.
        path: of the file.
        schema: fields of the table; a column that is not a field has no cells.
    """
    columns = _members(table, schema)
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        file.writelines(f"{{{','.join(cells)}}}\n" for cells in zip(*columns, strict=True))


def write_messages(table: pd.DataFrame, path: Path, schema: Schema) -> None:
    """Write the records of each subject as one JSON object with a list of messages, atomically.

    What all records of a subject share stands beside the list. The order of the list replaces the column that orders the records, and
    a column `conversation`, which the reader of such lists makes, is left out. The list is called `conversations` where the roles are
    called `from` (ShareGPT), else `messages`.

    Args:
        table: as in `write_jsonl`; the records of a subject follow one another in their order.
        path: of the file.
        schema: with a sequence.
    """
    sequence = schema.sequence
    assert sequence is not None
    outer = [name for name in (sequence.subject, *sequence.shared) if name in table.columns]
    inner = [name for name in table.columns if name not in (*outer, sequence.order_by)]
    shown = [name for name in outer if name != MADE]
    beside, inside = (_members(table[names], schema) for names in (shown, inner))
    key = _text("conversations" if "from" in inner else "messages")
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="\n") as file:
        rows = enumerate(table[sequence.subject])
        for _, group in groupby(rows, lambda row: row[1]):
            numbers = [number for number, _ in group]
            turns = ",".join(f"{{{','.join(cells[number] for cells in inside)}}}" for number in numbers)
            line = ",".join([*(cells[numbers[0]] for cells in beside), f"{key}:[{turns}]"])
            file.write(f"{{{line}}}\n")


def _members(table: pd.DataFrame, schema: Schema) -> list[list[str]]:
    """Return each column as the members of JSON objects, a name and a value."""
    typed = {field.name for field in schema if _is_typed(field)}
    columns = []
    for name in table.columns:
        write = _value if name in typed else _text
        columns.append([f"{_text(name)}:{_cell(cell, write)}" for cell in table[name]])
    return columns


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

"""Nested records as rows of single cells: objects flattened to dotted names, arrays as JSON text if the recipe says so."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal, TypedDict

import numpy as np
import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.formats.cells import holds_lone_surrogate
from paracosm.records.schema.jsonl_writer import NUMBER
from paracosm.records.schema.origin import Origin, with_arrays, with_origin
from paracosm.records.sources.selection.row_limit import (
    KEY,
    ChunkOperations,
    check_cells,
    check_columns,
    drawn_by,
)

Nested = Literal["error", "json", "rows"]
DIGITS = 20
"""Most characters of a whole number of 64 bits; Python refuses to convert very long ones."""
LARGEST = 2**63


class WholeText(str):
    """The digits of an integer in JSON."""


class FractionText(str):
    """The digits of another number in JSON."""


class ArrayText(str):
    """An array as JSON text."""


def cures(name: str) -> str:
    """Return what to do about a column of arrays, for the end of an error message."""
    return f"a cell must be a single value: add {name!r} to data.drop, or set data.nested to json to read arrays as JSON text, or to rows for one record a message or question"


def json_text(value: Any) -> str:
    """Return an array or object as JSON text in one string."""
    return json.dumps(_plain(value), ensure_ascii=False, default=str)


def flat(
    record: Mapping[str, Any],
    where: str,
    *,
    drop: Collection[str],
    nested: Nested,
    depth: int,
    prefix: str = "",
    level: int = 1,
) -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the cell of each value of a record.

    Args:
        record: a JSON object.
        where: file and line, at the start of an error message.
        drop: names that are yielded without a cell.
        nested: whether an array is an error or becomes JSON text.
        depth: objects and arrays that may stand inside each other.
        prefix: of the names.
        level: objects around the values.

    Raises:
        DataError: a value is an array or nested too deeply, or a name or text is not valid UTF-8.
    """
    for key, value in record.items():
        if holds_lone_surrogate(str(key)):
            raise DataError(f"{where}: the key {key!r} has a lone surrogate, which UTF-8 cannot write")
        name = f"{prefix}{key}"
        if name in drop:
            yield name, None
        elif isinstance(value, dict):
            if level >= depth:
                raise too_deep(where, depth)
            yield from flat(
                value, where, drop=drop, nested=nested, depth=depth, prefix=f"{name}.", level=level + 1
            )
        elif isinstance(value, list | tuple):
            if nested == "error":
                raise DataError(f"{where}: the key {name!r} holds a nested array; {cures(name)}")
            if level + _height(value, depth) > depth:
                raise too_deep(where, depth)
            yield name, ArrayText(json_text(value))
        else:
            if isinstance(value, str) and holds_lone_surrogate(value):
                raise DataError(f"{where}: the key {name!r} holds a lone surrogate, which UTF-8 cannot write")
            yield name, value


FlatRecord = dict[str, Any]
"""Dotted name -> cell: a text, a number as text, a bool, None, or an `ArrayText`."""


class Flattening(TypedDict):
    """Keyword arguments of `flat_record`."""

    drop: Collection[str]
    nested: Nested
    depth: int


def flattening(data: Data) -> Flattening:
    """Return the keyword arguments of `flat_record` that a recipe sets."""
    return Flattening(drop=data.drop, nested=data.nested, depth=data.bounds.depth)


def flat_record(
    record: Mapping[str, Any], where: str, *, drop: Collection[str], nested: Nested, depth: int
) -> FlatRecord:
    """Return a record with dotted names; see `flat`.

    Raises:
        DataError: also if two values have the same dotted name.
    """
    cells: FlatRecord = {}
    for name, value in flat(record, where, drop=drop, nested=nested, depth=depth):
        if name in cells:
            raise DataError(f"{where}: two values have the name {name!r}")
        cells[name] = value
    return cells


def record_chunks(data: Data) -> ChunkOperations[list[FlatRecord]]:
    """Return the operations on chunks of JSON records."""
    subject = drawn_by(data)

    def hashes(chunk: list[FlatRecord]) -> np.ndarray:
        texts = [
            json.dumps(sorted(record.items()), default=str)
            if subject is None or subject not in record
            else str(record[subject])
            for record in chunk
        ]
        return pd.util.hash_array(np.array(texts, dtype=object), hash_key=KEY, categorize=False)

    return ChunkOperations(
        hashes=hashes,
        take=lambda chunk, rows: [chunk[row] for row in rows],
        join=lambda chunks: [record for chunk in chunks for record in chunk],
    )


def json_table(rows: Sequence[FlatRecord], data: Data) -> pd.DataFrame:
    """Return records as a table of strings; numbers have their digits, null or an absent key is missing.

    Raises:
        DataError: there are more columns or cells than `data.bounds` allows.
    """
    names: dict[str, None] = {}
    for row in rows:
        names |= dict.fromkeys(row)
        check_columns(len(names), "the JSON records", data)
    check_cells(len(rows), len(names), "the JSON records", data)
    columns = {name: [row.get(name) for row in rows] for name in names}
    arrow = {name: type_ for name, cells in columns.items() if (type_ := _arrow_type(cells))}
    arrays = [name for name, cells in columns.items() if any(isinstance(cell, ArrayText) for cell in cells)]
    table = pd.DataFrame(
        {name: pd.Series(list(map(_cell, cells)), dtype="string") for name, cells in columns.items()}
    )
    return with_arrays(with_origin(table, Origin(arrow=arrow)), arrays)


def _cell(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _arrow_type(cells: Sequence[Any]) -> str:
    """Return the Arrow type of a column of JSON values, or an empty string if any type will do.

    Texts need a type only where they would else be read as numbers or booleans.
    """
    kinds = {str if isinstance(cell, ArrayText) else type(cell) for cell in cells if cell is not None}
    if kinds == {bool}:
        return "bool"
    if kinds == {WholeText}:
        fits = (cell is None or (len(cell) <= DIGITS and -LARGEST <= int(cell) < LARGEST) for cell in cells)
        return "int64" if all(fits) else ""
    if kinds and kinds <= {WholeText, FractionText}:
        return "double"
    typed = (
        any(
            cell is not None and (NUMBER.fullmatch(cell) or cell.lower() in ("true", "false"))
            for cell in cells
        )
        if kinds == {str}
        else False
    )
    return "string" if typed else ""


def too_deep(where: str, depth: int) -> DataError:
    """Return the error of JSON that is nested more deeply than `data.bounds` allows."""
    return DataError(
        f"{where}: is nested more than {depth} levels deep; flatten it, or raise data.bounds.depth"
    )


def _height(value: Any, most: int) -> int:
    """Return how many arrays and objects stand inside each other; counting stops above `most`."""
    if not isinstance(value, list | tuple | dict):
        return 0
    if most < 0:
        return 1
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max((_height(item, most - 1) for item in inner), default=0)


def _plain(value: Any) -> Any:
    """Return a value with its numbers as numbers, which `json` writes with their digits."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    if isinstance(value, WholeText):
        return int(value)
    if isinstance(value, FractionText):
        return float(value)
    return value.tolist() if hasattr(value, "tolist") else value

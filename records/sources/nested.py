"""Nested records as rows of single cells: objects flattened to dotted names, arrays as JSON text if the recipe says so."""

import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Literal

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.records.formats.cells import holds_lone_surrogate
from paracosm.records.schema.jsonl_writer import NUMBER
from paracosm.records.schema.origin import Origin, with_arrays, with_origin

Nested = Literal["error", "json"]
LARGEST = 2**63


class WholeText(str):
    """The digits of an integer in JSON."""


class FractionText(str):
    """The digits of another number in JSON."""


def cures(name: str) -> str:
    """Return what to do about a column of arrays, for the end of an error message."""
    return f"a cell must be a single value: add {name!r} to data.drop, or set data.nested to json to read arrays as JSON text"


def json_text(value: Any) -> str:
    """Return an array or object as JSON text in one string."""
    return json.dumps(_plain(value), ensure_ascii=False, default=str)


def flat(
    record: Mapping[str, Any], where: str, *, drop: Collection[str], nested: Nested, prefix: str = ""
) -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the cell of each value of a record.

    Args:
        record: a JSON object.
        where: file and line, at the start of an error message.
        drop: names that are yielded without a cell.
        nested: whether an array is an error or becomes JSON text.
        prefix: of the names.

    Raises:
        DataError: a value is an array, or a name or text is not valid UTF-8.
    """
    for key, value in record.items():
        if holds_lone_surrogate(str(key)):
            raise DataError(f"{where}: the key {key!r} has a lone surrogate, which UTF-8 cannot write")
        name = f"{prefix}{key}"
        if name in drop:
            yield name, None
        elif isinstance(value, dict):
            yield from flat(value, where, drop=drop, nested=nested, prefix=f"{name}.")
        elif isinstance(value, list | tuple):
            if nested == "error":
                raise DataError(f"{where}: the key {name!r} holds a nested array; {cures(name)}")
            yield name, json_text(value)
        else:
            if isinstance(value, str) and holds_lone_surrogate(value):
                raise DataError(f"{where}: the key {name!r} holds a lone surrogate, which UTF-8 cannot write")
            yield name, value


def flat_record(
    record: Mapping[str, Any], where: str, *, drop: Collection[str], nested: Nested
) -> dict[str, Any]:
    """Return a record with dotted names; see `flat`.

    Raises:
        DataError: also if two values have the same dotted name.
    """
    cells: dict[str, Any] = {}
    for name, value in flat(record, where, drop=drop, nested=nested):
        if name in cells:
            raise DataError(f"{where}: two values have the name {name!r}")
        cells[name] = value
    return cells


def json_table(
    records: Sequence[Mapping[str, Any]], where: Sequence[str], *, drop: Collection[str], nested: Nested
) -> pd.DataFrame:
    """Return JSON objects as a table of strings; numbers have their digits, null or an absent key is missing.

    Args:
        records: parsed with `WholeText` and `FractionText` for numbers.
        where: file and line of each record.
        drop: columns without cells.
        nested: whether an array is an error or becomes JSON text.

    Raises:
        DataError: a value is an array that is not allowed, or not valid UTF-8.
    """
    rows = [
        flat_record(record, place, drop=drop, nested=nested)
        for record, place in zip(records, where, strict=True)
    ]
    names = list(dict.fromkeys(name for row in rows for name in row))
    columns = {name: [row.get(name) for row in rows] for name in names}
    arrow = {name: type_ for name, cells in columns.items() if (type_ := _arrow_type(cells))}
    arrays = dict.fromkeys(name for record in records for name in _array_names(record) if name not in drop)
    table = pd.DataFrame(
        {name: pd.Series(list(map(_cell, cells)), dtype="string") for name, cells in columns.items()}
    )
    return with_arrays(with_origin(table, Origin(arrow=arrow)), list(arrays))


def _cell(value: Any) -> str | None:
    if isinstance(value, bool):
        return "true" if value else "false"
    return None if value is None else str(value)


def _arrow_type(cells: Sequence[Any]) -> str:
    """Return the Arrow type of a column of JSON values, or an empty string if any type will do.

    Texts need a type only where they would else be read as numbers or booleans.
    """
    kinds = {type(cell) for cell in cells if cell is not None}
    if kinds == {bool}:
        return "bool"
    if kinds == {WholeText}:
        return "int64" if all(cell is None or -LARGEST <= int(cell) < LARGEST for cell in cells) else ""
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


def _array_names(record: Mapping[str, Any], prefix: str = "") -> Iterator[str]:
    for key, value in record.items():
        if isinstance(value, dict):
            yield from _array_names(value, f"{prefix}{key}.")
        elif isinstance(value, list | tuple):
            yield f"{prefix}{key}"


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

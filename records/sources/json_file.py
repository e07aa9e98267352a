"""Reader of JSON: one object a line, or a whole document with an array of records or an object of columns."""

import json
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.records.schema.origin import with_warnings
from paracosm.records.sources.nested import FractionText, Nested, WholeText, json_table
from paracosm.records.text.text_file import read_text

ALLOWED = "allowed: an array of records, an object of columns of one length, or one record a line (.jsonl)"


def read_json(
    path: Path, *, limit: int | None, lines: bool, drop: Collection[str] = (), nested: Nested = "error"
) -> pd.DataFrame:
    """Read a JSON file as a table of strings; numbers keep their digits, and null or an absent key is missing.

    Nested objects become columns with dotted names. A file of either ending may have either form.

    Args:
        path: the file, compressed or not.
        limit: most records to read; None for all.
        lines: whether the ending promises one record a line.
        drop: keys that become columns without cells, so their values may be nested.
        nested: whether an array in a record is an error or becomes JSON text.

    Raises:
        DataError: a line is not a JSON object, or a value is nested or not valid UTF-8; the message names line and key.
    """
    text = read_text(path)
    beginning = text.lstrip()
    is_document = beginning[:1] == "[" and beginning[1:].lstrip()[:1] in ("{", "[")
    if not lines and not is_document:
        is_document = not _has_lines(text)
    if not is_document:
        return _read_lines(text, path, limit, drop, nested)
    records, warnings = _records(_parse(text, str(path)), path)
    records = records[:limit]
    where = [f"{path}: record {number}" for number in range(1, len(records) + 1)]
    return with_warnings(json_table(records, where, drop=drop, nested=nested), *warnings)


def _read_lines(
    text: str, path: Path, limit: int | None, drop: Collection[str], nested: Nested
) -> pd.DataFrame:
    records, where = [], []
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        record = _parse(line, f"{path}:{number}")
        if not isinstance(record, dict):
            raise DataError(
                f"{path}:{number}: expected one JSON object a line, found a {type(record).__name__}"
            )
        records.append(record)
        where.append(f"{path}:{number}")
        if limit is not None and len(records) >= limit:
            break
    return json_table(records, where, drop=drop, nested=nested)


def _has_lines(text: str) -> bool:
    """Return whether the first two lines with content are JSON objects."""
    filled = [line for line in text[: 1 << 20].split("\n") if line.strip()][:2]
    try:
        return len(filled) == 2 and all(isinstance(json.loads(line), dict) for line in filled)
    except (json.JSONDecodeError, RecursionError):
        return False


def _parse(text: str, where: str) -> Any:
    def reject_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise DataError(f"{where}: an object has the same key twice")
        return dict(pairs)

    def constant(word: str) -> None:
        if word == "NaN":
            return None
        raise DataError(f"{where}: {word} is not a number that can be modelled")

    try:
        return json.loads(
            text,
            parse_int=WholeText,
            parse_float=FractionText,
            parse_constant=constant,
            object_pairs_hook=reject_repeats,
        )
    except json.JSONDecodeError as error:
        line = f"line {error.lineno}, " if "\n" in text.strip() else ""
        raise DataError(f"{where}: is not JSON: {error.msg} ({line}column {error.colno})") from error
    except RecursionError as error:
        raise DataError(f"{where}: is nested too deeply") from error


def _records(document: Any, path: Path) -> tuple[Sequence[Mapping[str, Any]], list[str]]:
    """Return the records of a JSON document, and warnings."""
    if isinstance(document, list):
        if document and all(isinstance(record, dict) for record in document):
            return document, []
        names = document[0] if document else None
        if (
            isinstance(names, list)
            and all(type(name) is str for name in names)
            and len(set(names)) == len(names)
        ):
            return _of_rows(names, document[1:], path), []
    if isinstance(document, dict):
        if {"columns", "data"} <= set(document) and all(
            isinstance(document[key], list) for key in ("columns", "data")
        ):
            return _of_rows(document["columns"], document["data"], path), []
        values = list(document.values())
        if values and all(
            isinstance(value, list) and not any(isinstance(cell, dict) for cell in value) for value in values
        ):
            return _of_columns(document, path), []
        if len(values) > 1 and all(isinstance(value, dict) for value in values):
            return _of_objects(document), []
        inside = [
            key
            for key, value in document.items()
            if isinstance(value, list) and value and isinstance(value[0], dict)
        ]
        if len(inside) == 1:
            records, warnings = _records(document[inside[0]], path)
            others = len(document) - 1
            return records, [
                *warnings,
                *(
                    [
                        f"{path}: read the records of {inside[0]!r}; {others} other keys of the document are left out"
                    ]
                    if others
                    else []
                ),
            ]
        if len(values) == 1 and isinstance(values[0], dict):
            return _records(values[0], path)
    raise DataError(f"{path}: is not a table of records; {ALLOWED}")


def _of_rows(names: Sequence[Any], rows: Sequence[Any], path: Path) -> list[dict[str, Any]]:
    for number, row in enumerate(rows, start=1):
        if not isinstance(row, list) or len(row) != len(names):
            raise DataError(f"{path}: record {number}: expected {len(names)} cells")
    return [dict(zip(map(str, names), row, strict=True)) for row in rows]


def _of_columns(document: Mapping[str, list[Any]], path: Path) -> list[dict[str, Any]]:
    lengths = {len(column) for column in document.values()}
    if len(lengths) > 1:
        raise DataError(f"{path}: its columns have {min(lengths)} to {max(lengths)} cells; {ALLOWED}")
    return [dict(zip(document, cells, strict=True)) for cells in zip(*document.values(), strict=True)]


def _of_objects(document: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the records of an object of objects: columns by row number, or records by key."""
    inner = list(dict.fromkeys(key for value in document.values() for key in value))
    if inner and all(key.isdecimal() for key in inner):
        return [{name: column.get(key) for name, column in document.items()} for key in inner]
    if all(key.isdecimal() for key in document):
        return [dict(record) for record in document.values()]
    return [{"key": key, **record} for key, record in document.items()]

"""Reader of JSON: one object a line, or a whole document with an array of records or an object of columns."""

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import chain, islice
from pathlib import Path
from typing import Any

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.schema.origin import origin_of, with_origin, with_warnings
from paracosm.records.sources.nested import (
    FlatRecord,
    FractionText,
    WholeText,
    flat_record,
    flattening,
    json_table,
    record_chunks,
    too_deep,
)
from paracosm.records.sources.nested_rows import RowDivision
from paracosm.records.sources.selection.row_limit import RowCollector, check_rows, limited
from paracosm.records.text.text_file import read_text, text_stream, zero_byte

ALLOWED = "allowed: an array of records, an object of columns of one length, or one record a line (.jsonl)"
BEGINNING = 1 << 20
"""Letters that decide whether a file has one record a line."""


def read_json(path: Path, data: Data, *, lines: bool) -> pd.DataFrame:
    """Read a JSON file as a table of strings; numbers keep their digits, and null or an absent key is missing.

    Nested objects become columns with dotted names. A file of either ending may have either form; one record a line is read in
    chunks.

    Args:
        path: the file, compressed or not.
        data: `limit`, `drop`, `nested` and `bounds` are read.
        lines: whether the ending promises one record a line.

    Raises:
        DataError: a line is not a JSON object, a value is nested or not valid UTF-8, or the file is larger than allowed; the
            message names line and key.
    """
    try:
        with text_stream(path, data.bounds) as stream:
            beginning = stream.read(BEGINNING)
            if not beginning.strip():
                raise DataError(f"{path}: {'begins with blanks only' if stream.read(1) else 'is empty'}")
            start = beginning.lstrip()
            is_document = start[:1] == "[" and start[1:].lstrip()[:1] in ("{", "[")
            if not lines and not is_document:
                is_document = not _has_lines(beginning)
            if not is_document:
                rest = chain(io.StringIO(beginning + stream.readline(), newline=""), stream)
                return _read_lines(rest, path, data)
    except UnicodeDecodeError:
        pass
    # Also where a byte is not UTF-8: this reader names its line.
    text = read_text(path, data.bounds)
    records, warnings = _records(parse(text, str(path), data), path)
    division = RowDivision()
    records = list(_divided(records, division, data))
    check_rows(len(records), str(path), data)
    table = json_table(
        [
            flat_record(record, f"{path}: record {number}", **flattening(data))
            for number, record in enumerate(records, start=1)
        ],
        data,
    )
    return _with_division(with_warnings(limited(table, data), *warnings), division, path)


def _read_lines(lines: Iterable[str], path: Path, data: Data) -> pd.DataFrame:
    collector = RowCollector(data, str(path), record_chunks(data))
    division = RowDivision()
    parsed = _parsed_lines(lines, path, division, data)
    names: dict[str, None] = {}
    while chunk := list(islice(parsed, collector.next_rows(len(names)))):
        names |= dict.fromkeys(name for record in chunk for name in record)
        if collector.add(chunk, columns=len(names)):
            break
    table = json_table([record for chunk in collector.rows() for record in chunk], data)
    return _with_division(table, division, path)


def _parsed_lines(
    lines: Iterable[str], path: Path, division: RowDivision, data: Data
) -> Iterator[FlatRecord]:
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        if "\0" in line:
            raise zero_byte(path, number)
        record = parse(line, f"{path}:{number}", data)
        if not isinstance(record, dict):
            raise DataError(
                f"{path}:{number}: expected one JSON object a line, found a {type(record).__name__}"
            )
        for row in _divided([record], division, data):
            yield flat_record(row, f"{path}:{number}", **flattening(data))


def _divided(
    records: Iterable[Mapping[str, Any]], division: RowDivision, data: Data
) -> Iterator[Mapping[str, Any]]:
    if data.nested != "rows":
        yield from records
        return
    for record in records:
        yield from division.rows_of(record, tuple(data.drop))


def _with_division(table: pd.DataFrame, division: RowDivision, path: Path) -> pd.DataFrame:
    table = with_warnings(table, *division.lines(str(path)))
    origin = replace(
        origin_of(table),
        subject=division.subject,
        sequence=division.sequence,
        divided=division.divided + division.answers > 0,
    )
    return with_origin(table, origin)


def _has_lines(text: str) -> bool:
    """Return whether the first two lines with content are JSON objects."""
    filled = [line for line in text.split("\n") if line.strip()][:2]
    try:
        return len(filled) == 2 and all(isinstance(json.loads(line), dict) for line in filled)
    except (json.JSONDecodeError, RecursionError):
        return False


def parse(text: str, where: str, data: Data) -> Any:
    """Return the value of a JSON text; numbers are `WholeText` or `FractionText`.

    Raises:
        DataError: the text is not JSON, nested too deeply, or an object in it has a key twice.
    """

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
        raise too_deep(where, data.bounds.depth) from error


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

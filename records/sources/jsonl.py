"""Reader of JSON Lines files, with one flat object a line."""

import json
from collections.abc import Collection
from pathlib import Path
from typing import Any

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.records.formats.cells import holds_lone_surrogate
from paracosm.records.text.text_file import read_text


def read_jsonl(path: Path, *, limit: int | None, drop: Collection[str] = ()) -> pd.DataFrame:
    """Read a JSON Lines file as a table of strings; numbers keep their digits, and null or an absent key is missing.

    Keys of `drop` become columns without cells, so their values may be nested.

    Raises:
        DataError: a line is not a JSON object, or a value is nested or not valid UTF-8; the message names line and key.
    """
    rows: list[dict[str, str | None]] = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        rows.append(_row(line, f"{path}:{number}", drop))
        if limit is not None and len(rows) >= limit:
            break
    names = list(dict.fromkeys(name for row in rows for name in row))
    return pd.DataFrame({name: pd.Series([row.get(name) for row in rows], dtype="string") for name in names})


def _row(line: str, where: str, drop: Collection[str]) -> dict[str, str | None]:
    def reject_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        if len({key for key, _ in pairs}) < len(pairs):
            raise DataError(f"{where}: an object has the same key twice")
        return dict(pairs)

    def constant(word: str) -> None:
        if word == "NaN":
            return None
        raise DataError(f"{where}: {word} is not a number that can be modelled")

    try:
        row = json.loads(
            line, parse_int=str, parse_float=str, parse_constant=constant, object_pairs_hook=reject_repeats
        )
    except json.JSONDecodeError as error:
        raise DataError(f"{where}: is not JSON: {error.msg} (column {error.colno})") from error
    except RecursionError as error:
        raise DataError(f"{where}: is nested too deeply") from error
    if not isinstance(row, dict):
        raise DataError(f"{where}: expected one JSON object a line, found a {type(row).__name__}")
    for key in row:
        if holds_lone_surrogate(key):
            raise DataError(f"{where}: the key {key!r} has a lone surrogate, which UTF-8 cannot write")
    return {key: None if key in drop else _cell(value, key, where) for key, value in row.items()}


def _cell(value: Any, key: str, where: str) -> str | None:
    if isinstance(value, str) and holds_lone_surrogate(value):
        raise DataError(f"{where}: the key {key!r} holds a lone surrogate, which UTF-8 cannot write")
    if isinstance(value, dict | list):
        kind = "object" if isinstance(value, dict) else "array"
        raise DataError(
            f"{where}: the key {key!r} holds a nested {kind}; a cell must be a single value (or add"
            " it to data.drop)"
        )
    if isinstance(value, bool):
        return "true" if value else "false"
    return value

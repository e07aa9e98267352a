"""Tables of partial records, which are completed or whose holes are filled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.data import Data
from paracosm.records.codec.codec import describe_value
from paracosm.records.schema.cells import to_source_strings
from paracosm.records.schema.schema import Field, Record, Schema, Value
from paracosm.records.schema.table import cell_shape, read_cell
from paracosm.records.sources.read_source import read_source


def domain_shown(field: Field, text: str) -> str:
    if field.type == "category":
        near = did_you_mean(text, field.categories)
        return near or f"; allowed: {', '.join(field.categories[:12])}"
    if field.type in ("integer", "number", "datetime"):
        return f"; allowed: {field.write(field.minimum)} to {field.write(field.maximum)}"
    return ""


@dataclass(frozen=True)
class Partial:
    """A table of partial records.

    Attributes:
        raw: the table as found, strings.
        given: per row, the cells that can be conditioned on.
        outside: per field, how many cells hold a value that training never saw; they are kept and not conditioned on.
    """

    raw: Any
    given: list[Record]
    outside: Mapping[str, int]


def seeds_file(name: str, root: Path) -> Path:
    """Return where a file of partial records lies: a relative path is looked for in the recipe's folder, then in the current one."""
    path = Path(name).expanduser()
    places = [root / path, Path.cwd() / path]
    return next((place for place in places if place.is_file()), places[0]).absolute()


def read_rows(path: Path, missing: Sequence[str]) -> pd.DataFrame:
    """Read a table of partial records as found; nothing that the recipe says of its own source matters here."""
    return read_source(Data(source=str(path), missing=list(missing)), root=Path())


def read_partial(path: Path, schema: Schema, missing: Sequence[str], *, lenient: bool = False) -> Partial:
    """Read a table of partial records; empty cells are not given.

    Args:
        path: CSV, TSV, JSONL or Parquet.
        schema: the fields.
        missing: cells of a CSV or TSV that are empty too.
        lenient: leave cells outside a field's domain, and columns that are no fields, out instead of refusing them.

    Raises:
        DataError: the table cannot be read, or a cell does not fit its field.
    """
    raw = read_rows(path, missing)
    names = {each.name for each in schema.modelled}
    unknown = [name for name in raw.columns if name not in names]
    if unknown and not lenient:
        raise DataError(f"{path}: there is no field {unknown[0]!r}{did_you_mean(unknown[0], names)}")
    given: list[Record] = [{} for _ in range(len(raw))]
    outside: dict[str, int] = {}
    for name in raw.columns:
        if name not in names:
            continue
        field = schema[name]
        cells = to_source_strings(raw[name])
        for row, cell in enumerate(cells):
            if cell is pd.NA or cell == "":
                continue
            value = _cell(field, cell, f"{path}: column {name!r}: row {row + 1}")
            if field.allows(value):
                given[row][name] = value
            elif lenient:
                outside[name] = outside.get(name, 0) + 1
            else:
                raise DataError(
                    f"{path}: column {name!r}: row {row + 1}: {describe_value(value)} is outside the domain of the field{domain_shown(field, cell)}"
                )
    return Partial(raw, given, outside)


def _cell(field: Field, text: str, where: str) -> Value:
    try:
        return read_cell(field, text)
    except (ValueError, KeyError) as fault:
        raise DataError(
            f"{where} holds a cell of the shape {cell_shape(text)!r}, which is no {field.type}"
        ) from fault

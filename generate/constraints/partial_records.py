"""Reading of partial records: tables whose known cells condition the generation of the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.data import Data
from paracosm.records.codec.field_codes import describe_value
from paracosm.records.formats.cells import to_source_strings
from paracosm.records.schema.schema import Field, Record, Schema, Value
from paracosm.records.schema.table import cell_shape
from paracosm.records.sources.read_source import read_source


@dataclass(frozen=True)
class PartialTable:
    """A table of partial records.

    Attributes:
        raw: the table as read, in strings.
        given: per row, the cells that can be conditioned on.
        outside: per field, how many cells hold a value outside the training domain. They are kept in the table, but not
            conditioned on.
    """

    raw: Any
    given: list[Record]
    outside: Mapping[str, int]


def seeds_file(name: str, root: Path) -> Path:
    """Return the path of a file of partial records; a relative one is searched in the recipe's folder, then in the current one."""
    path = Path(name).expanduser()
    candidates = [root / path, Path.cwd() / path]
    return next((candidate for candidate in candidates if candidate.is_file()), candidates[0]).absolute()


def read_rows(path: Path, missing: Sequence[str]) -> pd.DataFrame:
    """Read a table of partial records as strings. Query and limit of the recipe's own source do not apply to it."""
    return read_source(Data(source=str(path), missing=list(missing)), root=Path())


def read_partial(
    path: Path, schema: Schema, missing: Sequence[str], *, lenient: bool = False
) -> PartialTable:
    """Read a table of partial records; empty cells are not given.

    Args:
        path: CSV, TSV, JSONL or Parquet.
        schema: the fields.
        missing: texts that stand for an empty cell of a CSV or TSV.
        lenient: skip unknown columns and cells outside a field's domain instead of raising.

    Raises:
        DataError: the table cannot be read, or a cell does not fit its field.
    """
    raw = read_rows(path, missing)
    names = {field.name for field in schema.modelled}
    unknown = [name for name in raw.columns if name not in names]
    if unknown and not lenient:
        raise DataError(f"{path}: unknown field {unknown[0]!r}{did_you_mean(unknown[0], names)}")
    given: list[Record] = [{} for _ in range(len(raw))]
    outside: dict[str, int] = {}
    for name in raw.columns:
        if name not in names:
            continue
        field = schema[name]
        for row, cell in enumerate(to_source_strings(raw[name])):
            if cell is pd.NA or cell == "":
                continue
            where = f"{path}: column {name!r}: row {row + 1}"
            value = _cell(field, cell, where)
            if field.allows(value):
                given[row][name] = value
            elif lenient:
                outside[name] = outside.get(name, 0) + 1
            else:
                raise DataError(
                    f"{where}: {describe_value(value)} is outside the domain of the field{field.kind.hint(field, cell)}"
                )
    return PartialTable(raw, given, outside)


def _cell(field: Field, text: str, where: str) -> Value:
    """Read a cell; the error shows the shape of its text, because the text can be personal data."""
    try:
        return field.read(text)
    except (ValueError, KeyError) as error:
        raise DataError(
            f"{where} holds a cell of the shape {cell_shape(text)!r}, which is not a valid {field.type}"
        ) from error

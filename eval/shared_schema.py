"""Put real and synthetic tables of any origin under one schema, whose column types come from the real tables alone."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from paracosm.recipes.sections.data import Data
from paracosm.records.formats.cells import to_source_strings
from paracosm.records.inference.infer_schema import Inference, infer
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.schema.table import to_typed

IDENTIFIER = "looks like an identifier"


WHOLE = re.compile(r"^(-?\d+)(?:\.0+)?$")
"""A whole number, as integers and as floats are written."""


def infer_shared_schema(real: pd.DataFrame, synthetic: pd.DataFrame, data: Data) -> Inference:
    """Infer the schema of the real records, with number and date formats that fit the synthetic ones too.

    A generator may write 63.0 or 63.27 in a column of integers; the column is then read as a number on both sides.
    Synthetic cells cannot change a column to another type, and in particular not to an identifier, which only one
    metric looks at.

    Args:
        real: all real tables together, as source cells.
        synthetic: the synthetic table.
        data: settings of the inference.
    """
    of_real = infer(real, data)
    # Without the target: invalid synthetic cells may make it look like an identifier, which inference refuses.
    both, untargeted = (
        pd.concat([real, synthetic], ignore_index=True),
        data.model_copy(update={"target": None}),
    )
    of_both = {field.name: field for field in infer(both, untargeted).schema}
    fields = []
    for field in of_real.schema:
        wider = of_both.get(field.name, field)
        compatible = wider.type == field.type or wider.type in field.kind.widened_by
        fields.append(wider if compatible else field)
    schema = Schema(tuple(fields))
    identifiers = [field.name for field in schema if not field.modelled]
    return Inference(
        schema,
        (
            # Their advice on identifiers is about a recipe, which an evaluation of files does not have.
            *(warning for warning in of_real.warnings if IDENTIFIER not in warning),
            *(f"column {name!r}: {IDENTIFIER}; only its replay is measured" for name in identifiers),
        ),
    )


def read_synthetic(
    raw: pd.DataFrame, schema: Schema, name: str, real: pd.DataFrame | None = None
) -> tuple[pd.DataFrame, list[str]]:
    """Return a synthetic table under the schema, and a note on every column with cells that are not as in the real records.

    A category that differs from a real one in case or blanks alone is read as that one, so that a copy under other spelling is
    still seen as a copy. An invalid cell counts as missing, which every fidelity metric sees. An identifier column may be absent.

    Args:
        raw: the table as source cells.
        schema: of the real and synthetic tables.
        name: of the file, for the notes.
        real: the real tables together, as source cells; None where spelling is not compared.
    """
    columns: dict[str, pd.Series] = {}
    notes = []
    for field in schema:
        if field.name not in raw.columns:
            columns[field.name] = pd.Series([None] * len(raw), dtype=object)
            continue
        cells = to_source_strings(raw[field.name])
        if real is not None and field.name in real.columns and not field.is_text and not field.ordered:
            cells, respelt = _spelt_as(cells, to_source_strings(real[field.name]))
            if respelt:
                notes.append(
                    f"{name}: {respelt:,} of {len(cells):,} cells of column {field.name!r} differ from a category of the real records"
                    " in case or blanks alone and are read as that one"
                )
        invalid = {cell for cell in cells.dropna().unique() if not _is_valid(field, cell)}
        if invalid:
            removed = cells.isin(invalid)
            notes.append(
                f"{name}: {int(removed.sum()):,} of {len(cells):,} cells of column {field.name!r} are not valid for the"
                f" type {field.type} of the real records and count as missing"
            )
            cells = cells.mask(removed)
        columns[field.name] = cells.reset_index(drop=True)
    return to_typed(pd.DataFrame(columns), schema), notes


def absent_notes(absent: Sequence[str], target: str | None, name: str) -> list[str]:
    """Return the note on columns that a synthetic table lacks.

    Args:
        absent: columns of the real records that the synthetic ones lack.
        target: the column that a model would predict.
        name: of the file.
    """
    if not absent:
        return []
    columns = ", ".join(map(repr, absent))
    unused = " Usefulness is not measured, because the target is among them." if target in absent else ""
    return [
        f"{name}: lacks {columns}. Everything is measured on the other columns, and fidelity cannot pass.{unused}"
    ]


def divided_at_random(real: pd.DataFrame, seed: int) -> dict[str, pd.DataFrame]:
    """Return three fifths of the real records as `train`, and one fifth each as `control` and `test`, in random order."""
    order = np.random.default_rng([seed, 41]).permutation(len(real))
    first, second = len(real) * 3 // 5, len(real) * 4 // 5
    parts = {"train": order[:first], "control": order[first:second], "test": order[second:]}
    return {name: real.iloc[np.sort(rows)].reset_index(drop=True) for name, rows in parts.items()}


def whole_columns(tables: Sequence[pd.DataFrame], columns: Sequence[str]) -> list[str]:
    """Return the columns of text cells in which every cell of the real tables is a whole number, with or without `.0`."""
    cells = {name: [cell for table in tables for cell in table[name].dropna()] for name in columns}
    return [
        name
        for name, found in cells.items()
        if found and all(isinstance(cell, str) and WHOLE.fullmatch(cell) for cell in found)
    ]


def integer_columns(schema: Schema) -> list[str]:
    """Return the names of the fields of whole numbers."""
    return [field.name for field in schema if field.is_whole]


def write_integers_plainly(table: pd.DataFrame, columns: Sequence[str]) -> None:
    """Change 63.0 to 63 in some columns of a table, in place: tables with missing cells often hold integers as floats."""
    for name in columns:
        if name in table.columns:
            table[name] = [_without_zero_decimals(cell) for cell in table[name]]


def _without_zero_decimals(cell: Any) -> Any:
    return WHOLE.sub(r"\1", cell) if isinstance(cell, str) else cell


def _spelt_as(cells: pd.Series, real: pd.Series) -> tuple[pd.Series, int]:
    """Return cells with the spelling of the real categories that they equal but for case and blanks, and how many that changed."""
    frequent = real.dropna().value_counts().index
    known, spelling = set(frequent), {_folded(cell): cell for cell in reversed(frequent)}
    changed = {
        cell: spelling[_folded(cell)]
        for cell in cells.dropna().unique()
        if cell not in known and _folded(cell) in spelling
    }
    return cells.replace(changed), int(cells.isin(list(changed)).sum())


def _folded(cell: str) -> str:
    return " ".join(cell.casefold().split())


def _is_valid(field: Field, cell: str) -> bool:
    try:
        field.read(cell)
    except (ValueError, KeyError):
        return False
    return True

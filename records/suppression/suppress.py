"""Suppression of rare values in the splits, so that no adapter, report, card or synthetic record can hold one."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data, FieldOverride
from paracosm.records.formats.cells import with_columns
from paracosm.records.relations.relation import Relation
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import to_records
from paracosm.records.suppression.rare_values import RareColumn, RareValues

SHOWN = 8
"""Columns that a line names."""
MUCH = 0.2
"""Share of a column's cells from which on their loss gets a line of its own."""


def suppressed(table: pd.DataFrame, rare: RareValues, data: Data) -> pd.DataFrame:
    """Return a typed table without rare values.

    A rare category becomes missing, or the category `data.rare.other`. A number or moment beyond what enough subjects reach
    becomes the value that they reach. Orders and linear functions between columns hold as before, because equal ranks move
    to equal limits.

    Raises:
        DataError: a cell would become missing in a column that the recipe declares never missing.
    """
    columns = {}
    for name, column in rare.columns.items():
        if name not in table.columns or column.outcome == "kept":
            continue
        if column.outcome == "missing" and data.fields.get(name, FieldOverride()).nullable is False:
            raise DataError(
                f"data.fields.{name}.nullable: is false, but {column.values} values of fewer than {rare.subjects} subjects"
                " would become missing; set data.rare to merge or keep, or name the column in data.rare.keep"
            )
        columns[name] = _suppressed(table[name], column, data.rare.other)
    return with_columns(table, columns)


def _suppressed(cells: pd.Series, column: RareColumn, other: str) -> pd.Series:
    if column.outcome == "limited":
        below, above = ((cells < column.low).fillna(False), (cells > column.high).fillna(False))
        return cells.mask(below, column.low).mask(above, column.high)
    if not column.categories:
        return cells.mask(cells.notna())
    return cells.mask(cells.isin(column.categories), other if column.outcome == "merged" else pd.NA)


def contradicting(
    before: pd.DataFrame, after: pd.DataFrame, schema: Schema, relations: Sequence[Relation]
) -> NDArray[np.bool_]:
    """Return which rows violate a relation only since their rare values are suppressed, such as a sum of which a part moved.

    Args:
        before: typed table with rare values.
        after: the same rows without them.
        schema: their fields.
        relations: that hold in all training records.
    """
    rows = np.zeros(len(after), dtype=bool)
    changed = {
        name: (
            (before[name] != after[name]).fillna(False) | (before[name].isna() != after[name].isna())
        ).to_numpy(bool)
        for name in after.columns
    }
    for relation in relations:
        touched = np.flatnonzero(np.any([changed[name] for name in relation.fields], axis=0) & ~rows)
        names = [field for field in schema if field.name in relation.fields]
        own = Schema(tuple(names))
        pairs = (to_records(table.iloc[touched], own) for table in (before, after))
        for row, was, is_now in zip(touched, *pairs, strict=True):
            rows[row] = relation.holds(is_now) is False and relation.holds(was) is not False
    return rows


def without_contradictions(
    before: Mapping[str, pd.DataFrame],
    after: Mapping[str, pd.DataFrame],
    schema: Schema,
    relations: Sequence[Relation],
) -> tuple[dict[str, pd.DataFrame], int]:
    """Return splits without the records that `contradicting` names, and the number of these records.

    Args:
        before: typed tables of the splits with rare values.
        after: the same records without them.
        schema: their fields.
        relations: that hold in all training records.

    Raises:
        DataError: no record of a split would be left.
    """
    kept, count = {}, 0
    for name, part in after.items():
        rows = contradicting(before[name], part, schema, relations)
        if len(rows) and rows.all():
            raise DataError(
                f"data.rare: every {name} record breaks a relation between columns once rare values are suppressed; set"
                " data.rare to keep, or raise data.split"
            )
        kept[name] = part[~rows].reset_index(drop=True)
        count += int(rows.sum())
    return kept, count


def rare_facts(rare: RareValues, data: Data, left_out: int) -> dict[str, Any]:
    """Return the counts of rare values for `run.json`, without any value.

    Args:
        rare: the rare values.
        data: the recipe's data section.
        left_out: number of records that are left out because they would contradict a relation.
    """
    return {
        "subjects": rare.subjects,
        "counted": "rows" if data.subject is None else "subjects",
        "columns": {
            name: {
                "outcome": column.outcome,
                "values": column.values,
                "cells": column.cells,
                "of": int(rare.table[name].notna().sum()),
            }
            for name, column in rare.columns.items()
        },
        "records_left_out": left_out,
        "too_small": rare.too_small,
    }


def rare_lines(facts: dict[str, Any]) -> list[str]:
    """Return what became of rare values, one line for each outcome, from the counts of `rare_facts`."""
    few = f"fewer than {facts['subjects']} {facts['counted']}"
    of: dict[str, dict[str, dict[str, Any]]] = {}
    for name, column in facts["columns"].items():
        of.setdefault(column["outcome"], {})[name] = column
    lines = []
    for outcome, words in (("missing", "became missing"), ("merged", "became one category")):
        if columns := of.get(outcome):
            lines.append(
                f"data.rare: values that {few} have are not kept; cells that {words}: {_listed(columns)}"
            )
    lines += [_loss(name, column, few) for name, column in of.get("missing", {}).items() if _is_much(column)]
    if columns := of.get("limited"):
        moved = f"data.rare: values beyond what {facts['subjects']} {facts['counted']} reach are moved to that limit: "
        lines.append(moved + _listed(columns))
    if columns := of.get("kept"):
        why = f" (the table has too few {facts['counted']} to suppress any)" if facts["too_small"] else ""
        lines.append(
            f"data.rare: values that {few} have are KEPT{why}, and can be in everything made from these records:"
            f" {_listed(columns)}"
        )
    if count := facts["records_left_out"]:
        lines.append(
            f"data.rare: {count:,} records are left out, because a suppressed value would break a relation with their other cells"
        )
    return lines


def _is_much(column: dict[str, Any]) -> bool:
    return column["cells"] > MUCH * column["of"]


def _loss(name: str, column: dict[str, Any], few: str) -> str:
    return (
        f"data.rare: column {name!r} loses {column['cells']:,} of its {column['of']:,} cells, because {few} share each of"
        f" {column['values']:,} values; write coarser values in the source, set data.rare.action to merge, or name the column in"
        " data.rare.keep, which keeps values of single persons"
    )


def _listed(columns: dict[str, dict[str, Any]]) -> str:
    parts = [
        f"{name!r} {column['values']:,} value{'s' * (column['values'] != 1)} in {column['cells']:,} cell{'s' * (column['cells'] != 1)}"
        for name, column in list(columns.items())[:SHOWN]
    ]
    more = len(columns) - SHOWN
    return ", ".join(parts) + (f", and {more} more columns" if more > 0 else "")

"""Splits under differential privacy: each unit alone decides where it goes, so no record affects the split of another one."""

from collections import Counter

import numpy as np
import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data, FieldOverride, FieldType
from paracosm.records.schema.schema import Schema
from paracosm.records.splitting.splits import draw, row_keys

MANY_RECORDS = 1e8
"""Number of records that the declared fields allow, below which equal rows come about by chance. The number of rows, which is a
property of the records, must not decide."""
MISSING_OR_NOT = 2
SECONDS_A_DAY = 86_400
TIMES = ("%H", "%I", "%M", "%S", "%f")


def divide_independently(table: pd.DataFrame, schema: Schema, data: Data) -> dict[str, pd.DataFrame]:
    """Return splits in which the hash of a subject alone (of a row without one) decides on its split.

    There is no stratification and no clustering, and the shares are right on average only. Where the declared fields allow many
    records, exact copies have the same hash and stay in one split. Where they allow few, records are equal by chance: then the
    hash is of all columns, and rows that are equal even there are numbered. One row less then is the last of these numbers less.

    Raises:
        DataError: a split is empty.
    """
    keys = row_keys(table, schema)
    if allowed_records(schema, data) < MANY_RECORDS:
        keys = _numbered(table)
    if data.subject is not None:
        subjects = table[data.subject]
        keys = [
            key if pd.isna(subject) else f"subject {subject}"
            for key, subject in zip(keys, subjects, strict=True)
        ]
    positions = np.array([int(draw(data.split.seed, key)[:12], 16) / 16**12 for key in keys])
    bounds = {
        "test": (0.0, data.split.test),
        "control": (data.split.test, data.split.test + data.split.control),
    }
    bounds["train"] = (bounds["control"][1], 1.0)
    parts = {
        name: table[(low <= positions) & (positions < high)].reset_index(drop=True)
        for name, (low, high) in bounds.items()
    }
    for name, part in parts.items():
        if part.empty:
            raise DataError(
                f"the {name} split is empty: {len(table)} rows are too few for data.split.{name}, or belong to too few subjects"
            )
    return {name: parts[name] for name in ("train", "control", "test")}


def allowed_records(schema: Schema, data: Data) -> float:
    """Return the number of different records that the declared fields allow; infinite where there is a text."""
    allowed = 1.0
    for field in schema.modelled:
        declared = data.fields.get(field.name, FieldOverride())
        allowed *= _allowed_values(field.type, declared) * (MISSING_OR_NOT if declared.nullable else 1)
    return allowed


def _allowed_values(kind: FieldType, declared: FieldOverride) -> float:
    if declared.categories is not None:
        return len(declared.categories)
    if kind == "boolean":
        return 2
    bounds = declared.minimum, declared.maximum
    if kind in ("integer", "number") and not any(isinstance(bound, str | None) for bound in bounds):
        return (float(bounds[1]) - float(bounds[0])) * 10.0 ** (declared.decimals or 0) + 1  # type: ignore[arg-type]
    if kind == "datetime" and None not in bounds:
        first, last = (pd.to_datetime(str(bound), errors="coerce") for bound in bounds)
        seconds = (last - first).total_seconds()  # type: ignore[operator]  # NaT gives NaN
        in_days = not any(code in (declared.format or "%S") for code in TIMES)
        return (seconds / SECONDS_A_DAY if in_days else seconds) + 1 if seconds >= 0 else float("inf")
    return float("inf")


def _numbered(table: pd.DataFrame) -> list[str]:
    """Return each row as text; equal rows have numbers."""
    seen: Counter[str] = Counter()
    numbered = []
    for row in table.itertuples(index=False):
        text = repr(["" if pd.isna(cell) else str(cell) for cell in row])
        numbered.append(f"{text} {seen[text]}")
        seen[text] += 1
    return numbered

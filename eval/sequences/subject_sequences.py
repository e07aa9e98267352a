"""Sequences of subjects as numbers: sums by which correlations and forecasts over time are computed for any of the subjects."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from paracosm.records.schema.schema import Field, Schema

LAGS = 3
"""Steps between two records of a subject that are compared, at most."""


@dataclass(frozen=True)
class Scale:
    """Mean and spread of each column in the training records, so that all tables are standardised in the same way.

    Attributes:
        fields: ordered columns that change from record to record.
        mean: (columns,).
        spread: (columns,), 1 where a column is constant.
    """

    fields: Sequence[Field]
    mean: np.ndarray
    spread: np.ndarray

    @classmethod
    def of(cls, schema: Schema, train: pd.DataFrame) -> "Scale":
        """Return the scale of the training records."""
        fields = changing_fields(schema)
        values = _floats(train, fields)
        with np.errstate(invalid="ignore"):
            spread = np.nanstd(values, axis=0)
        return cls(fields, np.nanmean(values, axis=0), np.where(spread > 0, spread, 1.0))


def changing_fields(schema: Schema) -> list[Field]:
    """Return the ordered fields that can differ between the records of a subject, without the one that orders them."""
    sequence = schema.sequence
    if sequence is None:
        return []
    return [
        field
        for field in schema.modelled
        if field.ordered and field.name != sequence.order_by and field.name not in sequence.shared
    ]


def _floats(table: pd.DataFrame, fields: Sequence[Field]) -> np.ndarray:
    columns = [np.asarray(field.kind.floats(table[field.name]), dtype=np.float64) for field in fields]
    return np.stack(columns, axis=1) if columns else np.zeros((len(table), 0))


@dataclass(frozen=True)
class SubjectRecords:
    """Typed records, and the subject of each as a number."""

    table: pd.DataFrame
    subjects: np.ndarray


def matrices(records: SubjectRecords, schema: Schema, scale: Scale) -> list[np.ndarray]:
    """Return the records of each subject in their order, standardised; NaN where a cell is missing: (records, columns) each.

    Args:
        records: of any number of subjects.
        schema: with a sequence.
        scale: of the training records.
    """
    sequence, table, subjects = schema.sequence, records.table, records.subjects
    assert sequence is not None
    order = schema[sequence.order_by]
    values = (_floats(table, scale.fields) - scale.mean) / scale.spread
    times = np.asarray(order.kind.floats(table[order.name]), dtype=np.float64)
    rows = np.lexsort((times, subjects))
    ends = np.flatnonzero(np.diff(subjects[rows])) + 1
    return [values[part] for part in np.split(rows, ends)]


def shuffled_in_time(records: SubjectRecords, schema: Schema, seed: int) -> SubjectRecords:
    """Return the records with those of each subject in random order: times stay, all other columns move together."""
    sequence, table, subjects = schema.sequence, records.table, records.subjects
    assert sequence is not None
    random = np.random.default_rng([seed, 61])
    place = np.argsort(subjects, kind="stable")
    moved = np.lexsort((random.random(len(table)), subjects))
    source = np.empty(len(table), dtype=np.int64)
    source[place] = moved
    found = table.iloc[source].reset_index(drop=True)
    found[sequence.order_by] = table[sequence.order_by].reset_index(drop=True)
    return SubjectRecords(found, subjects)


@dataclass(frozen=True)
class LaggedSums:
    """Sums over pairs of records of one subject, for each subject: (subjects, lags, columns, columns, 6).

    The last axis holds the number of pairs, and the sums of x, y, x squared, y squared and x times y, where x is the earlier record's first
    column and y the later record's second.
    """

    sums: np.ndarray

    @classmethod
    def of(cls, subjects: Sequence[np.ndarray]) -> "LaggedSums":
        """Return the sums over some subjects' records: (records, columns) each."""
        columns = subjects[0].shape[1] if subjects else 0
        sums = np.zeros((len(subjects), LAGS, columns, columns, 6))
        for number, values in enumerate(subjects):
            for lag in range(1, min(LAGS, len(values) - 1) + 1):
                x, y = values[:-lag], values[lag:]
                here, there = ~np.isnan(x), ~np.isnan(y)
                x, y = np.where(here, x, 0.0), np.where(there, y, 0.0)
                a, b = here.astype(float), there.astype(float)
                parts = (a.T @ b, x.T @ b, a.T @ y, (x * x).T @ b, a.T @ (y * y), x.T @ y)
                sums[number, lag - 1] = np.stack(parts, axis=-1)
        return cls(sums)

    def correlations(self, chosen: np.ndarray) -> np.ndarray:
        """Return the correlations over some subjects: (lags, columns, columns); 0 where there are none."""
        n, x, y, xx, yy, xy = np.moveaxis(self.sums[chosen].sum(axis=0), -1, 0)
        n = np.maximum(n, 1.0)
        spread = np.sqrt(np.maximum(xx / n - (x / n) ** 2, 0.0) * np.maximum(yy / n - (y / n) ** 2, 0.0))
        return np.where(spread > 1e-9, (xy / n - x * y / n**2) / np.where(spread > 1e-9, spread, 1.0), 0.0)


@dataclass(frozen=True)
class ForecastSums:
    """Sums of a linear forecast of the next record from the one before it, for each subject.

    Attributes:
        inner: (subjects, features, features), features times features.
        cross: (subjects, features, columns), features times goals.
        square: (subjects, columns), squared goals.
        total: (subjects, columns), goals.
        count: (subjects,), pairs.
    """

    inner: np.ndarray
    cross: np.ndarray
    square: np.ndarray
    total: np.ndarray
    count: np.ndarray

    @classmethod
    def of(cls, subjects: Sequence[np.ndarray]) -> "ForecastSums":
        """Return the sums over some subjects' records; a missing cell is the mean, with a feature that says so."""
        parts: list[list[np.ndarray]] = [[], [], [], [], []]
        for values in subjects:
            absent = np.isnan(values)
            filled = np.where(absent, 0.0, values)
            features = np.concatenate([np.ones((len(values), 1)), filled, absent], axis=1)[:-1]
            goals = filled[1:]
            found = (
                features.T @ features,
                features.T @ goals,
                (goals**2).sum(axis=0),
                goals.sum(axis=0),
                np.array(float(len(goals))),
            )
            for part, one in zip(parts, found, strict=True):
                part.append(one)
        return cls(*map(np.stack, parts))

    def fitted(self, chosen: np.ndarray) -> np.ndarray:
        """Return the weights of a ridge regression that learnt on some subjects: (features, columns)."""
        inner = self.inner[chosen].sum(axis=0)
        penalty = np.eye(len(inner))
        penalty[0, 0] = 0.0
        return np.linalg.solve(inner + penalty + 1e-9 * np.eye(len(inner)), self.cross[chosen].sum(axis=0))

    def explained(self, weights: np.ndarray, chosen: np.ndarray) -> float:
        """Return R squared of a forecast on some subjects, the mean over columns; a column that never changes is left out."""
        inner, cross = self.inner[chosen].sum(axis=0), self.cross[chosen].sum(axis=0)
        square, total = self.square[chosen].sum(axis=0), self.total[chosen].sum(axis=0)
        errors = square - 2 * (weights * cross).sum(axis=0) + (weights * (inner @ weights)).sum(axis=0)
        usual = square - total**2 / max(self.count[chosen].sum(), 1.0)
        changes = usual > 1e-9
        return float(np.mean(1 - errors[changes] / usual[changes])) if changes.any() else 0.0

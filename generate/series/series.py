"""A series in time, as it is read from a table: regular steps, one or several numeric columns, gaps filled."""

import warnings
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.data import Data
from paracosm.records.sources.read_source import read_source

FEWEST_STEPS = 30


@dataclass(frozen=True)
class Series:
    """A series of one or several columns.

    Attributes:
        times: (steps,) datetimes or numbers, ascending.
        names: of the columns.
        values: (steps, columns).
    """

    times: pd.Index
    names: tuple[str, ...]
    values: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    def part(self, begin: int, end: int) -> "Series":
        """Return the steps from `begin` up to `end`."""
        return replace(self, times=self.times[begin:end], values=self.values[begin:end])

    def times_after(self, steps: int) -> pd.Index:
        """Return the times of the steps that follow the last one, at the usual distance."""
        if isinstance(self.times, pd.DatetimeIndex):
            with warnings.catch_warnings():
                # It says that another version of pandas will return another type, which date_range takes as well.
                warnings.simplefilter("ignore")
                step: Any = pd.infer_freq(self.times) or pd.Timedelta(
                    np.median(np.diff(self.times.to_numpy()))
                )
            return pd.date_range(self.times[-1], periods=steps + 1, freq=step)[1:]
        step = float(np.median(np.diff(self.times.to_numpy(dtype=float))))
        return pd.Index(float(self.times[-1]) + step * np.arange(1, steps + 1))


def read_series(source: str, *, time: str, columns: Sequence[str] = ()) -> tuple[Series, list[str]]:
    """Read a series from a table.

    Args:
        source: path of a table, as `data.source`.
        time: the column that orders the steps.
        columns: numeric columns; all other columns that hold numbers alone when empty.

    Returns:
        The series, and what was changed in it, one line each.

    Raises:
        DataError: a column is missing or holds something else, two steps have one time, or there are too few steps.
    """
    raw = read_source(Data(source=source), root=Path())
    names = [str(name) for name in raw.columns]
    for name in (time, *columns):
        if name not in names:
            raise DataError(f"{source}: there is no column {name!r}{did_you_mean(name, names)}")
    times = _times(raw[time], source)
    order = np.argsort(times.to_numpy(), kind="stable")
    if times.has_duplicates:
        twice = times[times.duplicated()][0]
        raise DataError(
            f"{source}: column {time!r} holds {twice} more than once; a series has one row for each time"
        )
    lines, found = [], {}
    for name in columns or [each for each in names if each != time]:
        numbers = pd.to_numeric(raw[name].iloc[order], errors="coerce").to_numpy(dtype=float, na_value=np.nan)
        wrong = np.isnan(numbers) & raw[name].iloc[order].notna().to_numpy()
        if wrong.any() and columns:
            raise DataError(
                f"{source}: column {name!r}: row {int(order[wrong.argmax()]) + 1} is not a number"
            )
        if wrong.any() or np.isnan(numbers).all():
            lines.append(f"column {name!r} is left out: it does not hold numbers alone")
            continue
        if holes := int(np.isnan(numbers).sum()):
            lines.append(f"column {name!r}: {holes} missing values are interpolated")
            numbers = pd.Series(numbers).interpolate(limit_direction="both").to_numpy()
        found[name] = numbers
    if not found:
        raise DataError(f"{source}: no column beside {time!r} holds numbers")
    series = Series(times[order], tuple(found), np.stack(list(found.values()), axis=1))
    if len(series) < FEWEST_STEPS:
        raise DataError(f"{source}: has {len(series)} steps; a series needs at least {FEWEST_STEPS}")
    return series, lines


def _times(column: pd.Series, source: str) -> pd.Index:
    if column.isna().any():
        raise DataError(f"{source}: column {column.name!r} has missing cells; every step needs a time")
    numbers = pd.to_numeric(column, errors="coerce")
    if numbers.notna().all():
        return pd.Index(numbers.astype(float))
    moments = pd.to_datetime(column.astype(str), errors="coerce", format="mixed")
    if moments.isna().any():
        raise DataError(
            f"{source}: column {column.name!r}: row {int(moments.isna().to_numpy().argmax()) + 1} is neither a date nor a number"
        )
    return pd.DatetimeIndex(moments)

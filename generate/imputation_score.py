"""Score of imputation methods: cells of held-out records are taken out, filled, and compared with what they were."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd

from paracosm.foundation.errors import DataError, ParacosmError
from paracosm.foundation.progress import Progress, silent
from paracosm.generate.imputation import impute
from paracosm.generate.imputers.encoding import numbers
from paracosm.generate.statistics.value_grid import grid_of
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.csv_writer import write_csv
from paracosm.records.schema.schema import Field, Record, Schema
from paracosm.records.schema.table import read_table, to_records, written

RESAMPLES = 500


@dataclass(frozen=True)
class ImputationScore:
    """How well a method filled the cells that were taken out; intervals are 95%, resampled over records.

    Attributes:
        method: its name.
        right: share of cells of categories and booleans that were filled with their value; None where none was taken out.
        right_interval: of `right`.
        error: mean absolute error of numbers and dates in standard deviations of the training records.
        error_interval: of `error`.
        cells: number of cells that were taken out.
        seconds: to fit the method and fill the cells.
    """

    method: str
    right: float | None
    right_interval: tuple[float, float] | None
    error: float | None
    error_interval: tuple[float, float] | None
    cells: int
    seconds: float


def score_methods(
    *,
    recipe: Recipe,
    run: Run,
    methods: Sequence[str],
    share: float = 0.2,
    root: Path | None = None,
    progress: Progress = silent,
) -> tuple[list[ImputationScore], dict[str, str]]:
    """Take out a share of the known cells of control and test, which no method was fitted to, and score each method on them.

    Args:
        recipe: of the run; its seed draws the cells.
        run: with its splits; the method `model` also needs what its `finetune` stage left.
        methods: names that `impute` takes.
        share: of the known cells that are taken out.
        root: base of the recipe's relative paths.
        progress: takes progress lines.

    Returns:
        The scores, and why other methods cannot be used.

    Raises:
        DataError: the run has no held-out records.
    """
    schema = Schema.load(run.schema)
    paths = [run.split(name) for name in ("control", "test") if run.split(name).is_file()]
    if not paths:
        raise DataError("impute --score: needs the control and test records, which this run does not have")
    held_out = pd.concat([read_table(path, schema) for path in paths], ignore_index=True)
    fields = [field for field in schema.modelled if not field.is_text]
    records = to_records(held_out, schema)
    known = np.array(
        [
            [record[field.name] is not None and field.allows(record[field.name]) for field in fields]
            for record in records
        ]
    ).reshape(len(records), len(fields))
    out = known & (np.random.default_rng([recipe.generate.seed, 41]).random(known.shape) < share)
    if not out.any():
        raise DataError("impute --score: control and test hold no cell that could be taken out")
    modelled = Schema(schema.modelled)
    table = written(held_out[[*modelled.names]], modelled)
    for at, field in enumerate(fields):
        table.loc[out[:, at], field.name] = None
    spreads = _spreads(run, schema, fields)
    scores, left_out = [], {}
    with TemporaryDirectory() as folder:
        holes = Path(folder) / "holes.csv"
        write_csv(table, holes)
        for method in methods:
            began = time.monotonic()
            progress(f"method     {method}")
            try:
                (path,) = impute(
                    recipe=recipe,
                    run=run,
                    table=holes,
                    out=Path(folder) / f"{method}.csv",
                    method=method,
                    root=root,
                    progress=progress,
                )
            except ParacosmError as error:
                left_out[method] = str(error)
                continue
            seconds = time.monotonic() - began
            full = pd.read_csv(path, dtype=str, keep_default_na=False)
            scores.append(_score(method, full, records, fields, out, spreads, seconds))
    return scores, left_out


def _spreads(run: Run, schema: Schema, fields: Sequence[Field]) -> np.ndarray:
    """Return the standard deviation of each field on its grid in the training records, 1 where it is 0: (fields,)."""
    train = numbers(fields, to_records(read_table(run.split("train"), schema), schema))
    with np.errstate(invalid="ignore"):
        spreads = np.array([np.std(column[~np.isnan(column)]) for column in train.T])
    return np.where(spreads > 0, spreads, 1.0)


def _score(
    method: str,
    full: pd.DataFrame,
    records: Sequence[Record],
    fields: Sequence[Field],
    out: np.ndarray,
    spreads: np.ndarray,
    seconds: float,
) -> ImputationScore:
    # (records, fields), NaN where no cell of that kind was taken out.
    right, error = np.full(out.shape, np.nan), np.full(out.shape, np.nan)
    grids = [grid_of(field) for field in fields]
    for at, field in enumerate(fields):
        for row in np.flatnonzero(out[:, at]).tolist():
            text = str(full[field.name].iat[row])
            filled = field.read(text) if text != "" else None
            actual = records[row][field.name]
            if not field.ordered:
                right[row, at] = filled == actual
            elif filled is not None:
                error[row, at] = abs(grids[at].index(filled) - grids[at].index(actual)) / spreads[at]
    return ImputationScore(method, *_mean(right), *_mean(error), int(out.sum()), round(seconds, 2))


def _mean(cells: np.ndarray) -> tuple[float | None, tuple[float, float] | None]:
    """Return the mean of some cells with an interval from resampled records; None without any."""
    counts = (~np.isnan(cells)).sum(axis=1)
    if not counts.sum():
        return None, None
    sums = np.nansum(cells, axis=1)
    rows = np.random.default_rng(0).integers(0, len(cells), (RESAMPLES, len(cells)))
    drawn = sums[rows].sum(axis=1) / np.maximum(counts[rows].sum(axis=1), 1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return float(sums.sum() / counts.sum()), (float(low), float(high))

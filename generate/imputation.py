"""Imputation: fills the missing cells of a table from the known cells of each row, by the run's model or by a fitted method."""

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pandas as pd

from paracosm.foundation.errors import DataError, RunError
from paracosm.foundation.progress import Progress, Step, silent
from paracosm.foundation.suggestions import did_you_mean
from paracosm.generate.constraints.conditions import Conditions
from paracosm.generate.constraints.partial_records import PartialTable, read_partial
from paracosm.generate.constraints.request import Tally
from paracosm.generate.engines.blocks import BlockGenerator, GenerationJob
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.csv_writer import write_csv
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.schema.table import read_table, to_records

BATCHES_PER_PROGRESS_LINE = 4


def impute(
    *,
    recipe: Recipe,
    run: Run,
    table: Path,
    out: Path,
    times: int = 1,
    method: str = "model",
    root: Path | None = None,
    progress: Progress = silent,
) -> list[Path]:
    """Fill the missing cells of a table and write it as CSV; known cells are kept as they are.

    Args:
        recipe: of the run; its seed, temperature and rules apply.
        run: a run whose `finetune` stage is done.
        table: CSV, TSV, JSONL or Parquet; its columns are fields of the run, in any order.
        out: the completed CSV; with several `times`, NAME-1.csv, NAME-2.csv and so on.
        times: how many completed tables to draw; their differences show the uncertainty (multiple imputation).
        method: `model` draws cells from the run's model. The other methods are fitted to the training records of the run, fill a cell
            with one best value, and leave texts: `mean`, `median`, `mode`, `knn`, `iterative`, `forest`.
        root: base of the recipe's relative paths.
        progress: takes progress lines.

    Returns:
        The written files.

    Raises:
        DataError: the table does not fit the run, the model cannot be conditioned on its known cells, or the run has no training
            records for another method.
        RunError: the method is unknown, or gives one table alone.
    """
    if method != "model":
        return [_by_method(method, recipe, run, table, out, times, progress)]
    generator = BlockGenerator(GenerationJob(recipe, run.root.resolve(), (root or Path()).resolve(), 1))
    schema = generator.strategy.abilities.schema
    if schema.sequence is not None:
        raise DataError("impute: this model makes sequences; only tables of single records can be imputed")
    partial = _read(table, schema, recipe, progress)
    columns = [field.name for field in schema.modelled if field.name in partial.raw.columns]
    incomplete = [row for row in range(len(partial.given)) if _missing(partial, row, columns)]
    conditions = Conditions(
        generator.strategy.abilities,
        generator.constraints,
        {},
        {},
        [partial.given[row] for row in incomplete],
        fill=True,
    )
    if incomplete:
        conditions.raise_if_unreachable()
    paths = (
        [out] if times == 1 else [out.with_name(f"{out.stem}-{n}{out.suffix}") for n in range(1, times + 1)]
    )
    for draw, path in enumerate(paths):
        filled = partial.raw.astype(dict.fromkeys(columns, object))
        for number, record in _completed(generator, conditions, len(incomplete), draw, progress):
            row = incomplete[number]
            for name in _missing(partial, row, columns):
                filled.iat[row, filled.columns.get_loc(name)] = schema[name].write(record[name])
        write_csv(filled, path)
    return paths


def _by_method(
    method: str, recipe: Recipe, run: Run, table: Path, out: Path, times: int, progress: Progress
) -> Path:
    """Fill the missing cells of a table by a method that is fitted to the training records; see `impute`."""
    from paracosm.generate.imputers.encoding import Encoding, numbers
    from paracosm.generate.imputers.methods import METHODS, Method, filled

    if method not in METHODS:
        raise RunError(
            f"impute: {method!r} is not a method (allowed: model, {', '.join(METHODS)}){did_you_mean(method, METHODS)}"
        )
    if times > 1:
        raise RunError(
            f"impute: method {method} gives one completed table; leave out --times, or use method model"
        )
    if not run.split("train").is_file():
        raise DataError(
            f"impute: method {method} is fitted to the training records, which this run does not have; use method model"
        )
    schema = Schema.load(run.schema)
    partial = _read(table, schema, recipe, progress)
    fields = [field for field in schema.modelled if not field.is_text]
    columns = [field.name for field in fields if field.name in partial.raw.columns]
    train = to_records(read_table(run.split("train"), schema), schema)
    encoding = Encoding.of(fields, train)
    cells = filled(cast(Method, method), encoding, numbers(fields, partial.given), recipe.generate.seed)
    raw = partial.raw.astype(dict.fromkeys(columns, object))
    for row in range(len(raw)):
        for name in _missing(partial, row, columns):
            at = next(index for index, field in enumerate(fields) if field.name == name)
            value = encoding.value(at, cells[row, at])
            if value is not None:
                raw.iat[row, raw.columns.get_loc(name)] = fields[at].write(value)
    texts = [field.name for field in schema.modelled if field.is_text and field.name in raw.columns]
    for name in texts:
        progress(f"column {name!r}: texts are filled by method model alone; empty cells are left")
    write_csv(raw, out)
    return out


def _read(table: Path, schema: Schema, recipe: Recipe, progress: Progress) -> PartialTable:
    """Read a table with missing cells, and say what of it cannot be conditioned on."""
    partial = read_partial(table, schema, recipe.data.missing, lenient=True)
    modelled = [field.name for field in schema.modelled]
    if not any(name in partial.raw.columns for name in modelled):
        raise DataError(f"{table}: none of its columns is a field of the run ({', '.join(modelled[:12])})")
    for name, count in partial.outside.items():
        progress(
            f"column {name!r}: {count} cells hold values that training never saw; kept, but not conditioned on"
        )
    return partial


def _missing(partial: PartialTable, row: int, columns: list[str]) -> list[str]:
    """Return the columns whose cell is empty in a row; cells that only cannot be conditioned on are not empty."""
    return [
        name
        for name in columns
        if name not in partial.given[row] and (pd.isna(cell := partial.raw[name].iat[row]) or str(cell) == "")
    ]


def _completed(
    generator: BlockGenerator, conditions: Conditions, count: int, draw: int, progress: Progress
) -> Iterator[tuple[int, Record]]:
    """Yield the number of each incomplete row and its completed record."""
    size = BATCHES_PER_PROGRESS_LINE * generator.batch_size
    for begin in range(0, count, size):
        numbers = range(begin, min(begin + size, count))
        requests = [conditions.request(number, draw) for number in numbers]
        for number, (record,) in zip(numbers, generator.draw(requests, Tally()), strict=True):
            yield number, record
        progress(Step("filling cells", numbers.stop, count, unit="rows"))

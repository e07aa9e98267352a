"""Imputation: samples the missing cells of a table, each row conditioned on its known cells."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.progress import Progress, Step, silent
from paracosm.generate.constraints.conditions import Conditions
from paracosm.generate.constraints.partial_records import PartialTable, read_partial
from paracosm.generate.constraints.request import Tally
from paracosm.generate.engines.blocks import BlockGenerator, GenerationJob
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.csv_writer import write_csv
from paracosm.records.schema.schema import Record

BATCHES_PER_PROGRESS_LINE = 4


def impute(
    *,
    recipe: Recipe,
    run: Run,
    table: Path,
    out: Path,
    times: int = 1,
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
        root: base of the recipe's relative paths.
        progress: takes progress lines.

    Returns:
        The written files.

    Raises:
        DataError: the table does not fit the run, or the adapter cannot be conditioned on its known cells.
    """
    generator = BlockGenerator(GenerationJob(recipe, run.root.resolve(), (root or Path()).resolve(), 1))
    schema = generator.strategy.abilities.schema
    if schema.sequence is not None:
        raise DataError("impute: this model makes sequences; only tables of single records can be imputed")
    partial = read_partial(table, schema, recipe.data.missing, lenient=True)
    modelled = [field.name for field in schema.modelled]
    columns = [name for name in modelled if name in partial.raw.columns]
    if not columns:
        raise DataError(f"{table}: none of its columns is a field of the run ({', '.join(modelled[:12])})")
    for name, count in partial.outside.items():
        progress(
            f"column {name!r}: {count} cells hold values that training never saw; kept, but not conditioned on"
        )
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

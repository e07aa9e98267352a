"""Missing cells of a table, filled by the model: each row's known cells are the condition, its missing ones are sampled."""

from collections.abc import Iterator
from pathlib import Path

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.progress import Progress, silent
from paracosm.generate.constraints.conditions import Conditions
from paracosm.generate.constraints.partial_records import Partial, read_partial
from paracosm.generate.engines.blocks import BlockGenerator, GenerationJob
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.csv_writer import write_csv
from paracosm.records.schema.schema import Record


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
    """Complete the rows of a table; write it as CSV, every known cell as it was found.

    Args:
        recipe: of the run; its seed, temperature and rules hold.
        run: a run whose `finetune` stage is done.
        table: CSV, TSV, JSONL or Parquet; its columns are fields of the run, in any order.
        out: the completed CSV; with several `times`, NAME-1.csv, NAME-2.csv and so on.
        times: how many completed tables to draw; several show how sure the model is (multiple imputation).
        root: where relative paths of the recipe begin.
        progress: takes progress lines.

    Returns:
        The written files.

    Raises:
        DataError: the table does not fit the run, or the adapter cannot be conditioned on its known cells.
    """
    maker = BlockGenerator(GenerationJob(recipe, run.root.resolve(), (root or Path()).resolve(), 1))
    if maker.codec.schema.sequence is not None:
        raise DataError("impute: this adapter writes sequences; tables of single records can be completed")
    partial = read_partial(table, maker.codec.schema, recipe.data.missing, lenient=True)
    known = [each.name for each in maker.codec.fields if each.name in partial.raw.columns]
    if not known:
        names = ", ".join(each.name for each in maker.codec.fields[:12])
        raise DataError(f"{table}: has no column of the run's fields ({names})")
    for name, count in partial.outside.items():
        progress(
            f"column {name!r}: {count} cells hold values that training never saw; kept, but not conditioned on"
        )
    gaps = [row for row, given in enumerate(partial.given) if _missing(given, partial, row, known)]
    conditions = Conditions(
        maker.codec, maker.limits, {}, {}, [partial.given[row] for row in gaps], fill=True
    )
    if gaps:
        conditions.refuse_impossible()
    paths = (
        [out] if times == 1 else [out.with_name(f"{out.stem}-{n}{out.suffix}") for n in range(1, times + 1)]
    )
    for draw, path in enumerate(paths):
        filled = partial.raw[known].astype(object).copy()
        for at, record in _completed(maker, conditions, len(gaps), draw, progress):
            row = gaps[at]
            for name in _missing(partial.given[row], partial, row, known):
                filled.iat[row, known.index(name)] = maker.codec.schema[name].write(record[name])
        others = {name: partial.raw[name] for name in partial.raw.columns if name not in known}
        whole = pd.DataFrame({**{name: filled[name] for name in known}, **others})[list(partial.raw.columns)]
        write_csv(whole, path)
    return paths


def _missing(given: Record, partial: Partial, row: int, known: list[str]) -> list[str]:
    """Return the fields of the table without a cell in this row."""
    return [
        name
        for name in known
        if name not in given and (pd.isna(cell := partial.raw[name].iat[row]) or str(cell) == "")
    ]


def _completed(
    maker: BlockGenerator, conditions: Conditions, count: int, draw: int, progress: Progress
) -> Iterator[tuple[int, Record]]:
    size = 4 * maker.slots
    for begin in range(0, count, size):
        numbers = range(begin, min(begin + size, count))
        requests = [conditions.request(number, draw) for number in numbers]
        for number, (record,) in zip(numbers, maker.drawn(requests), strict=True):
            yield number, record
        progress(f"{numbers.stop} of {count} rows completed")

"""Time and memory of `forest` by the number of training records: whether they grow in proportion.

    python bench/generation/forest_scale.py adult.yaml --rows 10000 100000 1000000 --draws 20000

Training records are drawn with replacement from those of the recipe, so that a column has as many different values as it has there. Each
size runs in a process of its own. The trees of a field are fitted to at most 100,000 records, a random sample of more
(`MOST_RECORDS` of generate/statistics/forest.py); columns are counted over all records.
"""

import argparse
import multiprocessing
import resource
import tempfile
from pathlib import Path

import numpy as np

from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.statistics.chain_draws import draw
from paracosm.generate.statistics.stored_chain import save_chain
from paracosm.generate.strategies.preparation import fit_chain
from paracosm.generate.strategies.statistical import abilities_for
from paracosm.recipes.loading.load import find_recipe, load_recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.statistical import Statistical
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table, to_records
from paracosm.records.stage import prepare

BATCH = 4096


def measure(root: Path, target: str | None, rows: int, draws: int) -> None:
    """Fit and draw once; print a line of the table."""
    run = Run(root)
    schema = Schema.load(run.schema)
    records = to_records(read_table(run.split("train"), schema), schema)
    # The same dict for the same record, so that the memory is that of the fit.
    chosen = np.random.default_rng(0).integers(0, len(records), rows)
    train = [records[at] for at in chosen.tolist()]
    before = resource.getrusage(resource.RUSAGE_SELF)
    chain = fit_chain(abilities_for(schema, target).schema, train, np.arange(rows), Statistical())
    fitted = resource.getrusage(resource.RUSAGE_SELF)
    for begin in range(0, draws, BATCH):
        draw(chain, [Request(number) for number in range(begin, min(begin + BATCH, draws))], 0, 0, Tally())
    drawn = resource.getrusage(resource.RUSAGE_SELF)
    with tempfile.TemporaryDirectory() as folder:
        save_chain(chain, Statistical(), Path(folder))
        stored = sum(path.stat().st_size for path in Path(folder).iterdir())
    cells = (
        f"{rows:,}",
        f"{fitted.ru_utime - before.ru_utime:.1f}",
        f"{1e6 * (fitted.ru_utime - before.ru_utime) / rows:.0f}",
        f"{draws / (drawn.ru_utime - fitted.ru_utime):,.0f}",
        f"{fitted.ru_maxrss / 1024:,.0f}",
        f"{(fitted.ru_maxrss - before.ru_maxrss) / 1024:,.0f}",
        f"{stored / 1e6:.1f}",
    )
    print("| " + " | ".join(cells) + " |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", type=Path)
    parser.add_argument("--rows", nargs="+", type=int, default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--draws", type=int, default=20_000)
    parser.add_argument("--set", nargs="*", default=[], help="overrides, such as data.limit=5000")
    given = parser.parse_args()
    recipe = load_recipe(given.recipe, given.set)
    root = Path(tempfile.mkdtemp())
    prepare(recipe=recipe, run=Run(root), root=find_recipe(given.recipe).resolve().parent)
    heads = ("rows", "fit, CPU s", "µs a row", "records/s of CPU", "peak MB", "of the fit, MB", "stored MB")
    print("| " + " | ".join(heads) + " |\n|" + " --- |" * len(heads), flush=True)
    for rows in given.rows:
        process = multiprocessing.get_context("spawn").Process(
            target=measure, args=(root, recipe.data.target, rows, given.draws)
        )
        process.start()
        process.join()


if __name__ == "__main__":
    main()

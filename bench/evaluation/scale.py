"""Time and memory of an evaluation of large data.

    python bench/evaluation/scale.py --table 100000 40
    python bench/evaluation/scale.py --texts 10000
    python bench/evaluation/scale.py --run runs/healthcare-heart

Prints CPU time by measure and in all, and peak memory, as well as wall time, which means little on a shared machine, and the notes
on subsampling. `--run` measures the records of a run again, with its adapter, and leaves the run as it is.
"""

import argparse
import resource
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from rich.console import Console

from paracosm.eval import parallel
from paracosm.eval.measure_tables import measure
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Estimate
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.run.directory import SPLITS, Run
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.schema.table import read_table

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from example_tables import NOTE_FIELD, notes


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--table", type=int, nargs=2, metavar=("ROWS", "COLUMNS"))
    parser.add_argument("--texts", type=int, metavar="DOCUMENTS")
    parser.add_argument("--run", type=Path, help="folder of a finished run")
    arguments = parser.parse_args()
    if arguments.run:
        evaluate_run(Run(arguments.run))
        return
    if arguments.texts:
        evaluate(*texts(arguments.texts), target=None)
    if arguments.table or not arguments.texts:
        evaluate(*table(*(arguments.table or (100_000, 40))), target="c0")


def evaluate_run(run: Run) -> None:
    """Measure the records of a run, and print time and memory."""
    schema = Schema.load(run.schema)
    tables = {name: read_table(run.split(name), schema) for name in SPLITS}
    parts = [read_table(path, schema) for path in sorted(run.synthetic.glob("part-*.parquet"))]
    tables["synthetic"] = pd.concat(parts, ignore_index=True)
    evaluate(tables, schema, load_recipe(run.recipe).data.target, run.adapter)


def evaluate(
    tables: dict[str, pd.DataFrame], schema: Schema, target: str | None, adapter: Path | None = None
) -> None:
    """Measure, and print time and memory."""
    began, used = time.monotonic(), time.process_time()
    plain = parallel.MeasureJob.result

    def timed(job: parallel.MeasureJob, shared: Context) -> dict[str, Estimate]:
        start = time.thread_time()
        estimates = plain(job, shared)
        spent = time.thread_time() - start
        print(
            f"  {job.measure.metrics[0].name:<20} {job.anchor:<10} {spent:7.1f} s of CPU time",
            file=sys.stderr,
            flush=True,
        )
        return estimates

    parallel.MeasureJob.result = timed
    evaluation = measure(
        train=tables["train"],
        control=tables["control"],
        test=tables["test"],
        synthetic=tables["synthetic"],
        schema=schema,
        target=target,
        settings=Evaluate(),
        adapter=adapter,
    )
    console = Console(width=120)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024**2
    rows = ", ".join(f"{len(part):,} {name}" for name, part in tables.items())
    console.print(f"{rows}; {len(schema)} columns; {joblib.cpu_count()} cores")
    console.print(
        f"{(time.process_time() - used) / 60:.1f} minutes of CPU time, {(time.monotonic() - began) / 60:.1f} of wall time, "
        f"{peak:.2f} GiB peak memory"
    )
    for note in evaluation.notes:
        console.print(f"- {note}")


def table(rows: int, columns: int) -> tuple[dict[str, pd.DataFrame], Schema]:
    """Return correlated numbers and categories: 60% train, 10% control, 10% test, and as many synthetic rows as train."""
    random = np.random.default_rng(0)
    count = int(rows * 1.4)
    hidden = random.normal(size=(count, 6))
    loads = random.normal(size=(6, columns))
    values = hidden @ loads + random.normal(size=(count, columns))
    frame, fields = {}, []
    for number in range(columns):
        column, name = values[:, number], f"c{number}"
        if number % 2:
            frame[name] = pd.array(column.round(2), dtype="Float64")
            fields.append(Field(name=name, type="number", minimum=-99.0, maximum=99.0, decimals=2))
        else:
            words = np.array([f"w{word}" for word in range(2 + number % 9)])
            cuts = np.quantile(column, np.linspace(0, 1, len(words) + 1)[1:-1])
            frame[name] = pd.array(words[np.searchsorted(cuts, column)], dtype="string")
            fields.append(Field(name=name, type="category", categories=tuple(words)))
    return divided(pd.DataFrame(frame), rows), Schema(tuple(fields))


def texts(documents: int) -> tuple[dict[str, pd.DataFrame], Schema]:
    """Return clinical notes in the same four parts."""
    frame = pd.DataFrame({"note": pd.Series(notes(int(documents * 1.4), 0), dtype="string")})
    return divided(frame, documents), Schema((NOTE_FIELD,))


def divided(frame: pd.DataFrame, rows: int) -> dict[str, pd.DataFrame]:
    ends = [0, *(int(rows * share) for share in (0.6, 0.7, 0.8, 1.4))]
    parts = [frame.iloc[ends[n] : ends[n + 1]].reset_index(drop=True) for n in range(4)]
    return dict(zip(("train", "control", "test", "synthetic"), parts, strict=True))


if __name__ == "__main__":
    main()

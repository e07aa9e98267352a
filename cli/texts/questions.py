"""`paracosm questions`: questions and answers over the records of a run or a table."""

from pathlib import Path
from typing import Annotated

import typer

from paracosm.foundation.progress import indented, to_stderr


def questions(
    source: Annotated[
        str, typer.Argument(metavar="RUN|TABLE", help="A run with synthetic records, or a table of any kind.")
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="SQuAD (.json) or chat messages (.jsonl); NAME.questions.json by default.",
        ),
    ] = None,
    per_record: Annotated[int, typer.Option(min=1, max=100, help="Most questions a record.")] = 4,
    unanswerable: Annotated[
        float, typer.Option(min=0, max=1, help="Share of questions whose answer the record does not hold.")
    ] = 0.2,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Number of records to ask about; all by default.")
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 0,
) -> None:
    """Ask questions about records.

    Every answer is a cell, or a passage that the text names once; a share of questions has none. Questions on what texts name need the
    extra `pii`.
    """
    from paracosm.foundation.errors import DataError
    from paracosm.generate.questions.exports import check_suffix, write_questions
    from paracosm.generate.questions.of_run import synthetic_table
    from paracosm.generate.questions.of_table import questions_of
    from paracosm.recipes.run.directory import Run
    from paracosm.recipes.run.open_run import is_run
    from paracosm.recipes.sections.data import Data
    from paracosm.records.inference.infer_schema import infer
    from paracosm.records.schema.schema import Schema
    from paracosm.records.sources.read_source import read_source

    path = Path(source)
    target = out or Path(f"{path.name.split('.')[0]}.questions.json")
    check_suffix(target)
    if path.is_dir() and is_run(path):
        run = Run.open(path)
        if not run.shard(0).is_file():
            raise DataError(f"{run.synthetic}: holds no synthetic records; run the generate stage first")
        schema = Schema.load(run.schema)
        table = synthetic_table(run, schema)
    else:
        section = Data(source=source)
        table = read_source(section, root=Path())
        schema = infer(table, section).schema
    table = table if limit is None else table.head(limit)
    made = questions_of(
        table,
        schema,
        per_record=per_record,
        unanswerable=unanswerable,
        seed=seed,
        progress=indented(to_stderr, 2),
    )
    if not made:
        raise DataError(
            f"{source}: has no field to ask about; identifiers and texts without names give no question"
        )
    write_questions(made, target)
    without = sum(each.answer is None for each in made)
    print(f"{target}  {len(made):,} questions over {len(table):,} records, {without:,} without an answer")

"""`paracosm impute`: fill the missing cells of a table with the model of a run."""

from pathlib import Path
from typing import Annotated

import typer

from paracosm.cli.arguments import Overrides
from paracosm.foundation.progress import indented, to_stderr


def impute(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run with a trained adapter.")],
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="Table with missing cells: CSV, JSONL or Parquet.")
    ],
    overrides: Overrides = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="File to write; TABLE.imputed.csv by default."),
    ] = None,
    times: Annotated[
        int, typer.Option(min=1, max=100, help="Number of completed tables (multiple imputation).")
    ] = 1,
) -> None:
    """Fill the missing cells of a table.

    Other cells are kept. Needs an adapter that was trained with finetune.order=shuffled.
    """
    from paracosm.generate.imputation import impute
    from paracosm.pipeline import require
    from paracosm.recipes.run.open_run import open_run

    opened = open_run(folder, overrides or [])
    require(opened.run, "generate")
    written = impute(
        recipe=opened.recipe,
        run=opened.run,
        table=table,
        out=out or table.with_name(f"{table.name.split('.')[0]}.imputed.csv"),
        times=times,
        root=opened.root,
        progress=indented(to_stderr, 2),
    )
    for path in written:
        print(path)

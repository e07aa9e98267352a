"""`paracosm impute`: the missing cells of a table, filled by the model of a run."""

from pathlib import Path
from typing import Annotated

import typer


def impute(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run with a trained adapter.")],
    table: Annotated[
        Path, typer.Argument(metavar="TABLE", help="Rows with missing cells: CSV, JSONL, Parquet.")
    ],
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[key=value ...]", help="As in generate.seed=2.")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="FILE", help="TABLE.imputed.csv when absent.")
    ] = None,
    times: Annotated[int, typer.Option(min=1, max=100, help="Completed tables to draw.")] = 1,
) -> None:
    """Fill the missing cells of a table.

    Known cells stay as they are. Needs an adapter that was trained with finetune.order=shuffled.
    """
    import sys

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
        progress=lambda line: print(f"  {line}", file=sys.stderr, flush=True),
    )
    for path in written:
        print(path)

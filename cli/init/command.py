"""`paracosm init`: write a recipe for a data file."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def init(
    data: Annotated[
        list[str],
        typer.Argument(
            metavar="DATA...",
            help="Your data: CSV, TSV, JSON, JSONL, Parquet, several files or a glob, hf://ORG/NAME, a database URL, ...",
        ),
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Recipe file to write.")] = Path(
        "recipe.yaml"
    ),
    target: Annotated[
        str | None, typer.Option("--target", metavar="COLUMN", help="Column that a model would predict.")
    ] = None,
    query: Annotated[
        str | None,
        typer.Option("--query", metavar="SELECT", help="The SELECT to model, if DATA is a database URL."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Write every key with its default and its meaning.")
    ] = False,
    pii: Annotated[
        Literal["replace", "drop", "report"] | None,
        typer.Option("--pii", help="What is done about personal data, instead of what init decides."),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option("--minutes", min=1, help="Plan layers, epochs and rows for this time on this machine."),
    ] = None,
    private: Annotated[
        bool,
        typer.Option(
            "--private", help="For differential privacy: declare every field, for you to check and confirm."
        ),
    ] = False,
) -> None:
    """Write a commented recipe for your own data."""
    from paracosm.foundation.progress import first_sign

    first_sign(f"reading {', '.join(data)}")
    from paracosm.cli.init.time_budget import within
    from paracosm.records.drafting.recipe_template import write_draft

    for line in write_draft(
        source="\n".join(data),
        out=out,
        target=target,
        query=query,
        force=force,
        private=private,
        full=full,
        pii=pii,
        plan=None if minutes is None else within(minutes),
    ):
        print(line)

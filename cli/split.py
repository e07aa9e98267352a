"""`paracosm split`: keep control and test records away before anybody gets the rest."""

from pathlib import Path
from typing import Annotated

import typer


def split(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Table of real records.")],
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="DIR", help="New folder for the files; TABLE-split by default."),
    ] = None,
    subject: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column that identifies the person of a record; one person stays in one file.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN",
            help="Column that a model would predict; each file gets its share of every value.",
        ),
    ] = None,
    control: Annotated[float, typer.Option(help="Share of the records to keep for measuring leaks.")] = 0.1,
    test: Annotated[float, typer.Option(help="Share of the records to keep for measuring usefulness.")] = 0.1,
    seed: Annotated[int, typer.Option(help="Seed of the draw.")] = 0,
) -> None:
    """Keep records away before a generator gets the rest.

    What a generator has seen cannot show what it leaks. Copies of a record, and records of one person, stay in one file.
    """
    from paracosm.foundation.errors import RunError
    from paracosm.recipes.loading.load import recipe_of
    from paracosm.records.splitting.split_file import split_file

    folder = out or Path(f"{Path(table).name.split('.')[0]}-split")
    if folder.exists():
        raise RunError(f"{folder}: exists already; name a new folder with --out")
    shares = {"control": control, "test": test, "seed": seed}
    data = {"source": table, "subject": subject, "target": target, "split": shares}
    recipe = recipe_of({"name": "split", "data": data}, [])
    files = split_file(recipe.data, out=folder)
    uses = {
        "train": "give these alone to the generator or the vendor",
        "control": "keep them: they show what chance looks like",
        "test": "keep them: usefulness is measured on them",
    }
    for name, (path, rows) in files.items():
        print(f"{name:<8}{path}  {rows:,} records; {uses[name]}")
    real = " ".join(f"--{name} {path}" for name, (path, _) in files.items())
    print(f"then    paracosm eval {real} --synthetic THEIRS{f' --target {target}' if target else ''}")

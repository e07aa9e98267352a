"""Arguments and options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

RecipeName = Annotated[
    str, typer.Argument(metavar="RECIPE", help="A recipe file, or the name of a shipped recipe.")
]
RecipeOrRun = Annotated[
    str, typer.Argument(metavar="RECIPE|RUN", help="A recipe, the name of a shipped one, or a run directory.")
]
RecipeRunOrPulled = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE|RUN|PULLED",
        help="A recipe, a run directory, or a folder made by `paracosm pull`, which needs no records.",
    ),
]
Overrides = Annotated[
    list[str] | None,
    typer.Argument(metavar="KEY=VALUE", help="Override a recipe key, e.g. finetune.epochs=2."),
]
RunFolder = Annotated[
    Path | None, typer.Option("--run", metavar="DIR", help="Run directory; runs/NAME by default.")
]

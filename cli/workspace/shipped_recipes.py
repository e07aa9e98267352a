"""`paracosm recipes`: list the shipped recipes, show one, or copy one to change it."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def recipes(
    action: Annotated[
        Literal["list", "show", "copy"],
        typer.Argument(metavar="list|show|copy", help="List all, print one, or copy one to a file."),
    ] = "list",
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A shipped recipe, for show and copy.")
    ] = None,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Where copy writes; ./NAME.yaml by default.")
    ] = None,
) -> None:
    """List the shipped recipes, show one, or copy one."""
    from paracosm.foundation.errors import RecipeError
    from paracosm.foundation.files import write_text
    from paracosm.foundation.suggestions import did_you_mean
    from paracosm.recipes.shipped import shipped, shipped_descriptions

    if action == "list":
        descriptions = shipped_descriptions()
        width = max(map(len, descriptions))
        for each, description in descriptions.items():
            print(f"{each:<{width}} {description}")
        return
    if name not in shipped():
        near = "" if name is None else did_you_mean(name, shipped())
        raise RecipeError(f"recipes {action}: needs the name of a shipped recipe; got {name!r}{near}")
    text = shipped()[name].read_text(encoding="utf-8")
    if action == "show":
        print(text, end="")
        return
    target = file if file is not None else Path(f"{name}.yaml")
    if target.exists():
        raise RecipeError(f"{target}: exists already; name another file")
    write_text(target, text)
    print(f"{target}  run it: paracosm run {target}")

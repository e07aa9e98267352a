"""`paracosm recipes`: list the shipped recipes, show one, copy one to change it, or fetch its data."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def recipes(
    action: Annotated[
        Literal["list", "show", "copy", "fetch"],
        typer.Argument(
            metavar="list|show|copy|fetch",
            help="List all, print one, copy one to a file, or fetch its data.",
        ),
    ] = "list",
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="A shipped recipe, for show, copy and fetch.")
    ] = None,
    file: Annotated[
        Path | None, typer.Argument(metavar="FILE", help="Where copy writes; ./NAME.yaml by default.")
    ] = None,
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FOLDER", help="Where fetch writes; recipes look in the current folder."
        ),
    ] = Path(),
    origin: Annotated[
        str | None,
        typer.Option(
            "--from",
            metavar="FOLDER|ADDRESS",
            help="For fetch: a folder with the published files, or the address of a mirror of raw.githubusercontent.com.",
        ),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="For fetch: say where the data come from, and download nothing.")
    ] = False,
) -> None:
    """List, show and copy the shipped recipes; fetch their data.

    fetch downloads files of public data sets at a fixed commit, checks their SHA-256, and converts them into the table that the recipe reads.
    """
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
    if action == "fetch":
        _fetch(name, out, origin, dry_run)
        return
    text = shipped()[name].read_text(encoding="utf-8")
    if action == "show":
        print(text, end="")
        return
    target = file if file is not None else Path(f"{name}.yaml")
    if target.exists():
        raise RecipeError(f"{target}: exists already; name another file")
    write_text(target, text)
    print(f"{target}  run it: paracosm run {target}")


def _fetch(name: str, out: Path, origin: str | None, dry_run: bool) -> None:
    """Print where the data of a recipe come from, and fetch them."""
    from paracosm.foundation.errors import DataError
    from paracosm.foundation.progress import to_stderr
    from paracosm.recipes.fetching.data_sets import DATA_SETS
    from paracosm.recipes.fetching.fetch import fetch
    from paracosm.recipes.fetching.origin import HOST

    data = DATA_SETS.get(name)
    if data is None:
        print(f"{name} needs no file; what it needs says: paracosm recipes show {name}")
        return
    source: str | Path = HOST if origin is None else origin
    if origin is not None and "://" not in origin:
        source = Path(origin)
        if not source.is_dir():
            raise DataError(f"{origin}: is not a folder and not an address with http:// or https:// (--from)")
    print(f"{data.target}  {data.made_by}")
    print(f"licence    {data.licence}")
    for each in data.files:
        print(f"file       {each.address()}  {each.size:,} bytes  sha256 {each.sha256}")
    if dry_run:
        return
    target = fetch(data, folder=out, origin=source, progress=to_stderr)
    state = f"{data.rows:,} rows, {len(data.columns)} columns"
    overrides = "" if out == Path() else f" data.source={out / data.target}"
    print(f"{'written' if target else 'there':<10} {out / data.target}  {state}")
    print(f"run it     paracosm run {name}{overrides}")

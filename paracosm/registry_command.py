"""`paracosm registry`: what is published, its cards, and copies whose digests were checked."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="List, show, verify and pull what is published.", no_args_is_help=False)

Url = Annotated[
    str | None, typer.Option("--url", help="A folder or file:FOLDER; ./paracosm-registry when absent.")
]
Name = Annotated[str, typer.Argument(help="NAME for the newest version, or NAME@v3.")]


@app.command("list")
def list_published(
    name: Annotated[str | None, typer.Argument(help="Only the versions of this name.")] = None,
    url: Url = None,
) -> None:
    """List published versions, by name and then oldest first."""
    from paracosm.registry.publish import list_versions

    for version in list_versions(name=name, url=url):
        print(f"{version.reference}\t{version.verdict}\t{version.published}\t{version.base_model}")


@app.command()
def show(name: Name, url: Url = None) -> None:
    """Print a version's card, after its digests were checked."""
    from paracosm.registry.publish import show

    print(show(name=name, url=url).card)


@app.command()
def verify(name: Name, url: Url = None) -> None:
    """Check every file of a version against its manifest, and its verdict against its own metrics."""
    from paracosm.registry.publish import verify

    version = verify(name=name, url=url)
    print(f"{version.reference}: {len(version.files)} files are as published")


@app.command()
def pull(
    name: Name,
    into: Annotated[Path, typer.Option("--into", help="An empty or new folder.", metavar="DIR")],
    url: Url = None,
) -> None:
    """Copy a version to a folder, which appears only once every digest was checked."""
    from paracosm.registry.publish import pull

    print(pull(name=name, into=into, url=url))

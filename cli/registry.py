"""`paracosm publish`, `paracosm pull` and `paracosm registry`: what is published, checked before anything comes of it."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Manage published versions.", no_args_is_help=False)

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="A folder, file:FOLDER, hf://ORG or mlflow://HOST:PORT; ./paracosm-registry when absent.",
    ),
]
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME[@VERSION]",
        help="NAME for the newest, NAME@v3, NAME@ALIAS, or a URL that ends so: hf://ORG/NAME@v3.",
    ),
]
PublicKey = Annotated[
    Path | None,
    typer.Option("--key", metavar="FILE", help="Refuse what is not signed with the other half of this key."),
]


def publish(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory with every stage done.")],
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="[URL]",
            help="A folder, hf://ORG/NAME or mlflow://HOST:PORT/NAME; ./paracosm-registry if absent.",
        ),
    ] = None,
    override: Annotated[
        str | None, typer.Option(metavar="REASON", help="Why it is published against its verdict.")
    ] = None,
    by: Annotated[str | None, typer.Option(metavar="NAME", help="Who answers for the override.")] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Sign with this private key (PEM).")
    ] = None,
    public: Annotated[
        bool, typer.Option("--public", help="On the Hub, let everybody read it; it is private otherwise.")
    ] = False,
) -> None:
    """Publish a run that passes its gates."""
    from paracosm.registry.publish import publish

    version = publish(run=folder, url=url, override=override, by=by, key=key, public=public)
    print(f"{version.reference}  {version.verdict}  {version.where}")


def pull(
    name: Name,
    into: Annotated[
        Path | None, typer.Option("--into", help="An empty or new folder; ./NAME when absent.", metavar="DIR")
    ] = None,
    url: Url = None,
    key: PublicKey = None,
) -> None:
    """Copy a published version to a folder.

    The folder appears only after digests, verdict and signature were checked.
    """
    from paracosm.registry.stores.store import address
    from paracosm.registry.verbs import pull

    print(pull(name=name, into=into or Path(address(name, url=url).name or ""), url=url, key=key))


app.command()(pull)


@app.command("list")
def list_published(
    name: Annotated[
        str | None, typer.Argument(help="Only the versions of this name; or the URL of a registry.")
    ] = None,
    url: Url = None,
) -> None:
    """List published versions, by name and then oldest first."""
    from paracosm.registry.verbs import list_versions

    for version in list_versions(name=name, url=url):
        verdict = f"{version.verdict} (overridden)" if version.override else version.verdict
        named = ",".join(version.aliases)
        print(f"{version.reference}\t{verdict}\t{version.published}\t{version.base_model}\t{named}".rstrip())


@app.command()
def show(name: Name, url: Url = None, key: PublicKey = None) -> None:
    """Print a version's card, after everything of it was checked."""
    from paracosm.registry.verbs import show

    print(show(name=name, url=url, key=key).card)


@app.command()
def verify(name: Name, url: Url = None, key: PublicKey = None) -> None:
    """Check the files and the verdict of a version.

    Compares files with the manifest, and the verdict with the metrics.
    """
    from paracosm.registry.verbs import verify

    version = verify(name=name, url=url, key=key)
    signed = f", signed with the other half of {key}" if key else ""
    print(
        f"{version.reference}: {len(version.files)} files are as published{signed}; "
        f"its figures amount to {version.verdict} under the {version.profile} profile"
    )
    if version.override:
        print(f"overridden by {version.override['by']}: {version.override['reason']}")


@app.command()
def diff(old: Name, new: Name, url: Url = None) -> None:
    """Compare two versions: metrics, gates, settings and files."""
    from rich.console import Console

    from paracosm.registry.verbs import diff
    from paracosm.registry.versions.difference import printed

    Console().print(printed(diff(old=old, new=new, url=url)))


@app.command()
def promote(
    name: Name,
    alias: Annotated[str, typer.Argument(help="A word such as stable; NAME@stable then names this version.")],
    url: Url = None,
) -> None:
    """Give a version an alias, which leaves any other version."""
    from paracosm.registry.verbs import promote

    print(f"{promote(name=name, alias=alias, url=url).reference} is {alias}")


@app.command()
def remove(name: Name, url: Url = None) -> None:
    """Take one version away; its number is never given again."""
    from paracosm.registry.verbs import remove

    print(f"{remove(name=name, url=url).reference} is removed")


@app.command()
def page(
    out: Annotated[Path, typer.Argument(metavar="DIR", help="A folder for the site; made anew.")],
    url: Url = None,
) -> None:
    """Write a static web site of a registry.

    An index, a page per version, and a comparison with the version before.
    """
    from paracosm.registry.site.pages import write_pages

    print(write_pages(url=url, out=out))

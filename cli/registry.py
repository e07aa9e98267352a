"""Commands `paracosm publish`, `paracosm pull` and `paracosm registry`."""

from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(help="Manage published versions.", no_args_is_help=False)

Url = Annotated[
    str | None,
    typer.Option(
        "--url",
        help="The registry, e.g. ./store or hf://ORG; ./paracosm-registry by default. docs/registry.md lists all forms.",
    ),
]
Name = Annotated[
    str,
    typer.Argument(
        metavar="NAME[@VERSION]",
        help="NAME for the newest version, NAME@v3, NAME@ALIAS, or a URL that ends in one of these: hf://ORG/NAME@v3.",
    ),
]
PublicKey = Annotated[
    Path | None,
    typer.Option(
        "--key", metavar="FILE", help="Public key (PEM); the version must be signed with its private key."
    ),
]


def publish(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run directory with all stages done.")],
    url: Annotated[
        str | None,
        typer.Argument(
            metavar="[URL]",
            help="The registry, e.g. ./store or hf://ORG/NAME; ./paracosm-registry by default. docs/registry.md lists all forms.",
        ),
    ] = None,
    override: Annotated[
        str | None,
        typer.Option(metavar="REASON", help="Publish although the verdict is not PASS, for this reason."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Person who answers for the override; the login name by default."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Sign the version with this private key (PEM).")
    ] = None,
    public: Annotated[
        bool,
        typer.Option(
            "--public", help="On the Hub, make the version readable for everybody; default: private."
        ),
    ] = False,
) -> None:
    """Publish a run that passes its release gates."""
    from paracosm.foundation.credentials.redaction import redact
    from paracosm.registry import publish

    version = publish(run=folder, url=url, override=override, by=by, key=key, public=public)
    print(redact(f"{version.reference}  {version.verdict}  {version.where}"))


def pull(
    name: Name,
    into: Annotated[
        Path | None,
        typer.Option("--into", help="An empty or new folder; ./NAME by default.", metavar="DIR"),
    ] = None,
    url: Url = None,
    key: PublicKey = None,
) -> None:
    """Copy a published version to a folder.

    The folder appears only after digests, verdict and signature were checked.
    """
    from paracosm.registry import pull
    from paracosm.registry.stores.addresses import address
    from paracosm.registry.versions.manifest import RECORDS, Version

    folder = pull(name=name, into=into or Path(address(name, url=url).name or ""), url=url, key=key)
    print(folder)
    if not Version.load(folder).holds_adapter:
        print(f"records alone: {folder / RECORDS}; the adapter was not released")


app.command(epilog="Example: paracosm registry pull patients@v1 --url ./store")(pull)


@app.command("list", epilog="Example: paracosm registry list --url ./store")
def list_published(
    name: Annotated[
        str | None, typer.Argument(help="Only versions of this model; or the URL of a registry.")
    ] = None,
    url: Url = None,
) -> None:
    """List published versions by name and number."""
    from paracosm.registry import list_versions

    for version in list_versions(name=name, url=url):
        verdict = f"{version.verdict} (overridden)" if version.override else version.verdict
        aliases = ",".join(version.aliases)
        print(
            f"{version.reference}\t{verdict}\t{version.published}\t{version.base_model}\t{aliases}".rstrip()
        )


@app.command(epilog="Example: paracosm registry show patients@v1 --url ./store")
def show(name: Name, url: Url = None, key: PublicKey = None) -> None:
    """Check a version and print its card."""
    from paracosm.registry import show

    print(show(name=name, url=url, key=key).card)


@app.command(epilog="Example: paracosm registry verify patients@v1 --url ./store")
def verify(name: Name, url: Url = None, key: PublicKey = None) -> None:
    """Check the files and the verdict of a version.

    Every file is checked against the manifest, and the verdict against the metrics.
    """
    from paracosm.registry import verify

    version = verify(name=name, url=url, key=key)
    signed = f", signed with the private key that belongs to {key}" if key else ""
    print(
        f"{version.reference}: {len(version.files)} files are as published{signed}; "
        f"its metrics give {version.verdict} under the {version.profile} profile"
    )
    if version.override:
        print(f"overridden by {version.override.by}: {version.override.reason}")


@app.command(epilog="Example: paracosm registry diff patients@v1 patients@v2")
def diff(old: Name, new: Name, url: Url = None) -> None:
    """Compare two versions: metrics, gates, settings and files."""
    from rich.console import Console

    from paracosm.registry import diff
    from paracosm.registry.versions.difference import printed

    Console().print(printed(diff(old=old, new=new, url=url)))


@app.command(epilog="Example: paracosm registry promote patients@v2 stable")
def promote(
    name: Name,
    alias: Annotated[str, typer.Argument(help="A word such as stable; NAME@stable then names this version.")],
    url: Url = None,
) -> None:
    """Point an alias such as `stable` to a version."""
    from paracosm.registry import promote

    print(f"{promote(name=name, alias=alias, url=url).reference} is {alias}")


@app.command(epilog="Example: paracosm registry remove patients@v1")
def remove(name: Name, url: Url = None) -> None:
    """Remove one version; its number is not used again."""
    from paracosm.registry import remove

    print(f"{remove(name=name, url=url).reference} is removed")


@app.command(epilog="Example: paracosm registry page site --url ./store")
def page(
    out: Annotated[
        Path, typer.Argument(metavar="DIR", help="Folder for the site; an earlier site in it is replaced.")
    ],
    url: Url = None,
) -> None:
    """Write a static web site of a registry.

    It has an index, a page per version, and comparisons of each version with the one before.
    """
    from paracosm.registry.site.pages import write_pages

    print(write_pages(url=url, out=out))

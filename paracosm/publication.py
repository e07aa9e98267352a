"""`paracosm.publish` and `paracosm.pull`: models and paths in, models out."""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

from paracosm.fitting import load
from paracosm.model import Model
from paracosm.recipes.run.directory import Run

if TYPE_CHECKING:
    from paracosm.registry.versions.manifest import Version


def publish(
    model: Model | Run | PathLike[str] | str,
    url: str | None = None,
    *,
    override: str | None = None,
    by: str | None = None,
    key: PathLike[str] | str | None = None,
    public: bool = False,
) -> "Version":
    """Publish a model with its synthetic records, cards and metrics as the next version of its name.

    Args:
        model: a model that was evaluated, or a run directory with all stages done.
        url: the registry, such as `./store` or `hf://ORG/NAME`; `./paracosm-registry` by default.
        override: reason to publish although the verdict is not PASS; it is shown on both cards.
        by: the person who answers for the override; the login name by default.
        key: private key in a PEM file; the version is signed with it.
        public: on the Hub, make the version readable for everybody.

    Returns:
        The published version.

    Raises:
        RegistryError: the verdict is not PASS and there is no override, the run is unfinished or was changed, or the registry
            cannot be written.
    """
    from paracosm.registry import publish

    run = model.run if isinstance(model, Model) else model if isinstance(model, Run) else Path(model)
    pem = None if key is None else Path(key)
    return publish(run=run, url=url, override=override, by=by, key=pem, public=public)


def pull(
    name: str,
    into: PathLike[str] | str | None = None,
    *,
    url: str | None = None,
    key: PathLike[str] | str | None = None,
) -> Model:
    """Copy a published version to a folder after checking it, and open it; its training records are not needed.

    Args:
        name: `NAME`, `NAME@v3`, `NAME@alias`, or a URL that ends in one of these.
        into: an empty or new folder; `./NAME` by default.
        url: the registry, unless `name` is a URL.
        key: public key in a PEM file; the version must be signed with its private key.

    Returns:
        The model.

    Raises:
        RegistryError: there is no such version, a check fails, or `into` is not empty.
    """
    from paracosm.registry import pull
    from paracosm.registry.stores.addresses import address

    folder = Path(address(name, url=url).name or "") if into is None else Path(into)
    return load(pull(name=name, into=folder, url=url, key=None if key is None else Path(key)))

"""Where versions are kept: what each kind of registry must be able to do, and from a URL to the one that it names."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol
from urllib.parse import unquote

from paracosm.foundation.errors import RegistryError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.registry.versions.manifest import Version
from paracosm.registry.versions.names import checked_name
from paracosm.registry.versions.release import Release

DEFAULT_STORE = "paracosm-registry"
ALLOWED = "a folder, file:FOLDER, hf://ORG/NAME, mlflow://HOST:PORT/NAME or mlflow+https://HOST/NAME"


class Store(Protocol):
    """A registry. The verbs in `verbs.py` are written once, over these."""

    @property
    def place(self) -> str:
        """How an error names this registry."""
        ...

    def reference(self, name: str) -> str:
        """Return how `pull` names a model of this registry."""
        ...

    def add(self, release: Release) -> Version:
        """Publish a release as the next version of its name: whole, or not at all."""
        ...

    def names(self) -> list[str]:
        """Return the names that have a version, sorted."""
        ...

    def numbers(self, name: str) -> dict[int, tuple[str, ...]]:
        """Return number -> aliases of every version of `name`, oldest first; empty where there is no such name."""
        ...

    def version(self, name: str, number: int) -> Version:
        """Return one version as its manifest describes it, without its aliases; no digest is checked."""
        ...

    def fetch(self, version: Version, into: Path) -> None:
        """Copy what the manifest names, manifest and signature into the empty folder `into`.

        No file may take more bytes than the manifest says; digests are checked by the caller.
        """
        ...

    def promote(self, version: Version, alias: str) -> None:
        """Let `NAME@alias` name this version, and no other one."""
        ...

    def remove(self, version: Version) -> None:
        """Take a version away. Its number is never given again."""
        ...


@dataclass(frozen=True)
class Address:
    """What a URL or a reference names: a registry, and perhaps a model and a version of it."""

    store: Store
    name: str | None
    wanted: str | None
    """Number or alias of a version; None means the newest."""

    def find(self) -> Version:
        """Return the version.

        Raises:
            RegistryError: there is no such name or version.
        """
        if self.name is None:
            raise RegistryError(f"{self.store.place}: name a model in it")
        known = self.store.numbers(self.name)
        if not known:
            near = did_you_mean(self.name, self.store.names())
            raise RegistryError(f"{self.store.place}: has no {self.name!r}{near}")
        number = self._number(known)
        return replace(self.store.version(self.name, number), aliases=known[number])

    def _number(self, known: dict[int, tuple[str, ...]]) -> int:
        if self.wanted is None:
            return max(known)
        for number, aliases in known.items():
            if self.wanted.removeprefix("v") == str(number) or self.wanted in aliases:
                return number
        words = [f"v{number}" for number in known] + [alias for its in known.values() for alias in its]
        raise RegistryError(
            f"{self.store.place}: {self.name} has no version {self.wanted!r}; it has {', '.join(words)}"
        )


def address(reference: str | None, *, url: str | None = None) -> Address:
    """Return what `reference` names: `NAME`, `NAME@v3`, `NAME@stable`, or a whole URL that may end in those.

    Args:
        reference: a name in the registry at `url`, or a URL of the Hub or of MLflow; None names the registry alone.
        url: the registry; `./paracosm-registry` when absent.

    Raises:
        RegistryError: it is no URL of a registry, or no name of a model.
    """
    if reference is not None and "://" in reference:
        if url is not None:
            raise RegistryError(f"{reference}: names its registry already; leave --url {url} out")
        return _at(reference)
    found = _at(url or DEFAULT_STORE)
    if reference is None:
        return found
    name, at, wanted = reference.partition("@")
    if at and not wanted:
        raise RegistryError(f"{reference}: lacks a version after the @")
    checked_name(name)
    if found.name is not None and found.name != name:
        raise RegistryError(f"{url}: holds {found.name!r}; {name!r} is another model")
    return Address(found.store, name, wanted or None)


def _at(url: str) -> Address:
    scheme, found, rest = url.partition(":")
    if not found or "/" in scheme or (len(scheme) == 1 and rest[:1] in "/\\"):
        return Address(_folder(url), None, None)
    if scheme == "file" and rest and (not rest.startswith("//") or rest.startswith("///")):
        return Address(_folder(unquote(rest.removeprefix("//"))), None, None)
    if not rest.startswith("//"):
        raise RegistryError(f"{url}: is no registry that this version knows; allowed: {ALLOWED}")
    path, _, wanted = rest.removeprefix("//").partition("@")
    host, _, name = path.rstrip("/").partition("/")
    if scheme == "hf" and host:
        from paracosm.registry.stores.hub import Hub

        return Address(Hub(host), _named(name), wanted or None)
    if scheme in ("mlflow", "mlflow+http", "mlflow+https") and host:
        from paracosm.registry.stores.mlflow_server import TrackingServer

        protocol = scheme.partition("+")[2] or "http"
        return Address(TrackingServer(f"{protocol}://{host}"), _named(name), wanted or None)
    raise RegistryError(f"{url}: is no registry that this version knows; allowed: {ALLOWED}")


def _folder(path: str) -> Store:
    from paracosm.registry.stores.local_folder import LocalFolder

    return LocalFolder(Path(path).expanduser())


def _named(name: str) -> str | None:
    return checked_name(name) if name else None

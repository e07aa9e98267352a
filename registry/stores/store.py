"""Interface of a store of published versions. How to add a store, in steps:

1. Write one class with the methods of `Store`. A version is a folder of files with a manifest; a store only moves such
   folders. The verbs (`publish`, `pull`, `list`, `verify`, ...) and all checks of digests, verdicts and signatures are
   written once above this interface, so a store does not check anything.
2. In `add`, call `release.lay_out(folder)` (writes and checks the files), choose the next number, call
   `release.seal(version, number)` (writes the manifest and the signature), and make the folder visible in one last step.
   A publisher that is killed before this step must not leave a version that `numbers` returns.
3. In `version`, return `Version.load(folder).expected(name, number, where=...)`, or `Version.read` for text. In `fetch`,
   copy every file of `version.download_limits()`, and no more bytes of each than it allows; `capped_download` has the
   functions for it. The caller verifies the digests.
4. Declare the URL schemes of the store and a function that opens it:

       def _open(url: str) -> Address:
           parts = StoreUrl.parse(url)
           return Address(ToyStore(parts.host), parts.name, parts.version)

       FACTORY = StoreFactory(schemes=("toy",), form="toy://HOST/NAME", open=_open)

5. Register the factory. In Paracosm, add it to `STORES` in `addresses.py`. In another package, declare an entry point:

       [project.entry-points."paracosm.stores"]
       toy = "toy_store:FACTORY"

`paracosm publish RUN toy://HOST/NAME` then works, and so does every other command of the registry.
tests/unit/registry/test_store_plugins.py contains a complete example.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, Self
from urllib.parse import unquote

from paracosm.foundation.errors import RegistryError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.registry.versions.manifest import Version
from paracosm.registry.versions.names import checked_name
from paracosm.registry.versions.release import Release


class Store(Protocol):
    """A place that keeps published versions, by name and number."""

    @property
    def location(self) -> str:
        """Folder or URL of the store, as error messages name it."""
        ...

    def reference(self, name: str) -> str:
        """Return the reference by which `pull` finds the model `name` of this store."""
        ...

    def add(self, release: Release) -> Version:
        """Publish a release as the next version of its name; the version appears complete or not at all."""
        ...

    def names(self) -> list[str]:
        """Return the names that have at least one version, sorted."""
        ...

    def numbers(self, name: str) -> dict[int, tuple[str, ...]]:
        """Return the aliases of every version of `name` by version number, ascending; empty for an unknown name."""
        ...

    def version(self, name: str, number: int) -> Version:
        """Return one version from its manifest, without aliases. No digest is checked."""
        ...

    def fetch(self, version: Version, into: Path) -> None:
        """Copy the files of a version, its manifest and its signature into the empty folder `into`.

        A file must not take more bytes than the manifest states. The caller checks the digests.
        """
        ...

    def promote(self, version: Version, alias: str) -> None:
        """Point `NAME@alias` to this version; an alias points to one version at a time."""
        ...

    def remove(self, version: Version) -> None:
        """Remove a version. Its number is not used again."""
        ...


@dataclass(frozen=True)
class Address:
    """A store, and optionally a model and a version in it."""

    store: Store
    name: str | None
    version: str | None
    """Number or alias of a version; None means the newest."""

    def find(self) -> Version:
        """Return the version at this address.

        Raises:
            RegistryError: there is no such name or version.
        """
        if self.name is None:
            raise RegistryError(f"{self.store.location}: the name of a model is missing")
        numbers = self.store.numbers(self.name)
        if not numbers:
            suggestion = did_you_mean(self.name, self.store.names())
            raise RegistryError(f"{self.store.location}: has no {self.name!r}{suggestion}")
        number = self._number(numbers)
        return replace(self.store.version(self.name, number), aliases=numbers[number])

    def _number(self, numbers: dict[int, tuple[str, ...]]) -> int:
        if self.version is None:
            return max(numbers)
        for number, aliases in numbers.items():
            if self.version.removeprefix("v") == str(number) or self.version in aliases:
                return number
        allowed = [f"v{number}" for number in numbers]
        allowed += [alias for aliases in numbers.values() for alias in aliases]
        raise RegistryError(
            f"{self.store.location}: {self.name} has no version {self.version!r}; it has {', '.join(allowed)}"
        )


@dataclass(frozen=True)
class StoreFactory:
    """Declares the URLs of a kind of store and how to open it.

    Attributes:
        schemes: URL schemes in lower case: `hf` for `hf://acme/patients`.
        form: how such a URL is written, for error messages.
        open: returns the address that a URL with one of the schemes names. It does not connect to anything, and raises
            ValueError for a URL that does not have the form.
    """

    schemes: tuple[str, ...]
    form: str
    open: Callable[[str], Address]


@dataclass(frozen=True)
class StoreUrl:
    """The parts of `SCHEME://USER:PASSWORD@HOST/NAME@VERSION`; all but scheme and host may be missing.

    User and password are percent-decoded. They must not be a part of `Store.location` or `Store.reference`, which are shown
    and published.
    """

    scheme: str
    host: str
    name: str | None
    version: str | None
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def parse(cls, url: str) -> Self:
        """Return the parts of a URL.

        Raises:
            ValueError: the host is missing.
            RegistryError: a model cannot have this name.
        """
        scheme, _, rest = url.partition("://")
        authority, slash, path = rest.partition("/")
        user, at_sign, host = authority.rpartition("@")
        if not slash and at_sign and ":" not in user:
            # Without a name there is no version either: SCHEME://USER@HOST is not told from SCHEME://HOST@VERSION.
            user, host, path = "", user, f"@{host}"
        name, _, version = path.partition("@")
        name = name.rstrip("/")
        if not host:
            raise ValueError("the host is missing")
        login, _, password = user.partition(":")
        return cls(
            scheme,
            host,
            checked_name(name) if name else None,
            version or None,
            unquote(login) or None,
            unquote(password) or None,
        )

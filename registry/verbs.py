"""The other verbs of a registry, written once over every kind of store: list, show, verify, pull, diff, promote, remove."""

import re
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from paracosm.foundation.errors import RegistryError
from paracosm.registry.stores.local_folder import incoming, reporting, sweep
from paracosm.registry.stores.store import Address, Store, address
from paracosm.registry.versions.checks import check_complete, check_version
from paracosm.registry.versions.details import Details, details
from paracosm.registry.versions.difference import Difference, difference
from paracosm.registry.versions.manifest import Version
from paracosm.registry.versions.signature import check_key, check_signature

ALIAS = re.compile(r"(?!v?[0-9]+$)[a-z][a-z0-9-]{0,31}", re.ASCII)


def list_versions(*, name: str | None = None, url: str | None = None) -> list[Version]:
    """Return what is published, by name and then oldest first; only of `name` when given. No digest is checked.

    Raises:
        RegistryError: the registry cannot be read, has no `name`, or a manifest in it is damaged.
    """
    at = address(name, url=url)
    if at.name is not None:
        at.find()
    return [each.find() for each in every_version(at)]


def every_version(at: Address) -> list[Address]:
    """Return the address of every version of a registry, or of the one name that `at` holds."""
    names = at.store.names() if at.name is None else [at.name]
    return [Address(at.store, name, str(number)) for name in names for number in at.store.numbers(name)]


def show(*, name: str, url: str | None = None, key: Path | None = None) -> Details:
    """Return card, metrics and provenance of a version, after it was checked as `verify` does."""
    with checked(address(name, url=url), key=key) as version:
        return details(version)


def verify(*, name: str, url: str | None = None, key: Path | None = None) -> Version:
    """Check every file of a version against its manifest, and its verdict against its own figures.

    Args:
        name: `NAME`, `NAME@v3`, `NAME@alias`, or a URL that ends in one.
        url: the registry, where `name` is no URL.
        key: public key in a PEM file, by whose private half the version must be signed.

    Raises:
        RegistryError: there is no such version, it is not what its manifest says, or it lacks the signature.
    """
    at = address(name, url=url)
    found = at.find()
    with checked(replace(at, wanted=str(found.number)), key=key) as version:
        return replace(version, folder=found.folder)


def pull(*, name: str, into: Path, url: str | None = None, key: Path | None = None) -> Path:
    """Bring a version to the folder `into`, which appears only once everything was checked.

    Args:
        name: `NAME`, `NAME@v3`, `NAME@alias`, or a URL that ends in one.
        into: a folder that is empty or does not exist.
        url: the registry, where `name` is no URL.
        key: public key in a PEM file, by whose private half the version must be signed.

    Raises:
        RegistryError: there is no such version, it is damaged or not signed as asked, or `into` is not empty.
    """
    at = address(name, url=url)
    into = Path(into)
    if key is not None:
        check_key(key, private=False)
    with reporting(into):
        if into.is_symlink() or (into.exists() and (not into.is_dir() or any(into.iterdir()))):
            raise RegistryError(f"{into}: is there already; name a folder that is empty or does not exist")
        version = at.find()
        into.parent.mkdir(parents=True, exist_ok=True)
        sweep(into.parent)
        with incoming(into.parent) as folder:
            _fetched(at.store, version, folder, key)
            folder.rename(into)
    return into


def diff(*, old: str, new: str, url: str | None = None) -> Difference:
    """Return what changed from one version to another; both are checked first.

    Args:
        old: a version, as `verify` takes it.
        new: another one, also of another name or registry.
        url: the registry, where a name is no URL.
    """

    def found(name: str) -> Details:
        return show(name=name, url=None if "://" in name else url)

    return difference(found(old), found(new))


def promote(*, name: str, alias: str, url: str | None = None) -> Version:
    """Let `NAME@alias` name a version, after it was checked; the alias leaves any other version.

    Raises:
        RegistryError: there is no such version, it is damaged, or the alias is no word or looks like a number.
    """
    if not ALIAS.fullmatch(alias):
        raise RegistryError(
            f"{alias!r}: is no alias; a lower-case word such as 'stable' is allowed, and no version number"
        )
    at = address(name, url=url)
    version = at.find()
    with checked(replace(at, wanted=str(version.number)), key=None):
        at.store.promote(version, alias)
    return replace(version, aliases=tuple(sorted({*version.aliases, alias})))


def remove(*, name: str, url: str | None = None) -> Version:
    """Take one version away for good; its number is never given again.

    Raises:
        RegistryError: no version is named, there is no such one, or an alias still names it.
    """
    at = address(name, url=url)
    if at.wanted is None:
        raise RegistryError(f"{name}: name the version to remove, as in {name}@v3")
    version = at.find()
    if version.aliases:
        raise RegistryError(
            f"{version.reference}: is {', '.join(version.aliases)}; promote another version first"
        )
    at.store.remove(version)
    return version


@contextmanager
def checked(at: Address, *, key: Path | None) -> Iterator[Version]:
    """Yield a copy of a version that was checked, in a folder that goes away afterwards."""
    with tempfile.TemporaryDirectory(prefix="paracosm-") as folder, reporting(Path(folder)):
        yield _fetched(at.store, at.find(), Path(folder), key)


def _fetched(store: Store, listed: Version, folder: Path, key: Path | None) -> Version:
    where = f"{store.place}: {listed.reference}"
    check_complete(listed, where=where)
    free = shutil.disk_usage(folder).free
    if listed.size > free:
        raise RegistryError(
            f"{where} says that it has {listed.size:,} bytes, and {free:,} are free in {folder.parent}"
        )
    store.fetch(listed, folder)
    try:
        version = Version.load(folder)
        if version != replace(listed, folder=folder):
            raise RegistryError(f"{folder}: its manifest changed while it was read")
        check_version(version)
    except RegistryError as fault:
        # The copy is gone when somebody reads this.
        raise RegistryError(str(fault).replace(str(folder), where)) from fault
    if key is not None:
        check_signature(folder, key, reference=version.reference)
    return replace(version, aliases=listed.aliases)

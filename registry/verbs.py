"""Verbs on published versions, the same for every store: list, show, verify, pull, diff, promote and remove."""

import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from paracosm.foundation.errors import RegistryError
from paracosm.foundation.temporary import temporary_folder
from paracosm.registry.stores.addresses import address
from paracosm.registry.stores.local_folder import incoming, os_errors_in_one_line, sweep
from paracosm.registry.stores.store import Address, Store
from paracosm.registry.versions.checks import check_complete, check_version
from paracosm.registry.versions.details import Details, details
from paracosm.registry.versions.difference import Difference, difference
from paracosm.registry.versions.manifest import Version
from paracosm.registry.versions.signature import check_key, check_signature

ALIAS = re.compile(r"(?!v?[0-9]+$)[a-z][a-z0-9-]{0,31}", re.ASCII)


def list_versions(*, name: str | None = None, url: str | None = None) -> list[Version]:
    """Return the published versions, sorted by name and number. No digest is checked.

    Args:
        name: only versions of this model; a URL is allowed too.
        url: the registry; `./paracosm-registry` by default.

    Raises:
        RegistryError: the registry cannot be read, does not have `name`, or holds a damaged manifest.
    """
    at = address(name, url=url)
    if at.name is not None:
        at.find()
    return [version.find() for version in every_version(at)]


def every_version(at: Address) -> list[Address]:
    """Return the address of every version of the store, or of one model if `at` names it."""
    names = at.store.names() if at.name is None else [at.name]
    return [Address(at.store, name, str(number)) for name in names for number in at.store.numbers(name)]


def show(*, name: str, url: str | None = None, key: Path | None = None) -> Details:
    """Return card, metrics and provenance of a version. The version is checked first, as `verify` does.

    Args:
        name: `NAME`, `NAME@v3`, `NAME@alias`, or a URL that ends in one of these.
        url: the registry, unless `name` is a URL.
        key: public key in a PEM file; the version must be signed with its private key.

    Raises:
        RegistryError: as `verify`.
    """
    with checked(address(name, url=url), key=key) as version:
        return details(version)


def verify(*, name: str, url: str | None = None, key: Path | None = None) -> Version:
    """Check every file of a version against its manifest, and its verdict against its own metrics.

    Args:
        name: `NAME`, `NAME@v3`, `NAME@alias`, or a URL that ends in one of these.
        url: the registry, unless `name` is a URL.
        key: public key in a PEM file; the version must be signed with its private key.

    Raises:
        RegistryError: there is no such version, it differs from its manifest, or the signature is missing or wrong.
    """
    at = address(name, url=url)
    listed = at.find()
    with checked(replace(at, version=str(listed.number)), key=key) as version:
        return replace(version, folder=listed.folder)


def pull(*, name: str, into: Path, url: str | None = None, key: Path | None = None) -> Path:
    """Copy a version to the folder `into`, which appears only after all checks succeeded.

    Args:
        name: `NAME`, `NAME@v3`, `NAME@alias`, or a URL that ends in one of these.
        into: a folder that is empty or does not exist.
        url: the registry, unless `name` is a URL.
        key: public key in a PEM file; the version must be signed with its private key.

    Returns:
        `into`.

    Raises:
        RegistryError: there is no such version, a check of `verify` fails, or `into` is not empty.
    """
    at = address(name, url=url)
    into = Path(into)
    if key is not None:
        check_key(key, private=False)
    with os_errors_in_one_line(into):
        if into.is_symlink() or (into.exists() and (not into.is_dir() or any(into.iterdir()))):
            raise RegistryError(f"{into}: exists already; name a folder that is empty or does not exist")
        version = at.find()
        into.parent.mkdir(parents=True, exist_ok=True)
        sweep(into.parent)
        with incoming(into.parent) as folder:
            _fetch_and_check(at.store, version, folder, key)
            folder.rename(into)
    return into


def diff(*, old: str, new: str, url: str | None = None) -> Difference:
    """Return what changed from one version to another. Both are checked first, as `verify` does.

    Args:
        old: a version, as `verify` takes it.
        new: another version; it may have another name or be in another registry.
        url: the registry of names that are not URLs.

    Raises:
        RegistryError: as `verify`.
    """
    before, after = (show(name=name, url=None if "://" in name else url) for name in (old, new))
    return difference(before, after)


def promote(*, name: str, alias: str, url: str | None = None) -> Version:
    """Point an alias such as `stable` to a version, after checking the version; it leaves any other version.

    Args:
        name: a version, as `verify` takes it.
        alias: a lower-case word that does not look like a version number.
        url: the registry, unless `name` is a URL.

    Raises:
        RegistryError: the alias is not allowed, there is no such version, or a check fails.
    """
    if not ALIAS.fullmatch(alias):
        raise RegistryError(
            f"{alias!r}: is not an alias; a lower-case word such as 'stable' is allowed, a version number is not"
        )
    at = address(name, url=url)
    version = at.find()
    with checked(replace(at, version=str(version.number)), key=None):
        at.store.promote(version, alias)
    return replace(version, aliases=tuple(sorted({*version.aliases, alias})))


def remove(*, name: str, url: str | None = None) -> Version:
    """Remove one version permanently; its number is not used again.

    Args:
        name: a version with its number, such as `NAME@v3`.
        url: the registry, unless `name` is a URL.

    Raises:
        RegistryError: the version is missing in `name`, does not exist, or an alias still points to it.
    """
    at = address(name, url=url)
    if at.version is None:
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
    """Yield a checked copy of a version in a temporary folder.

    Args:
        at: the version.
        key: public key in a PEM file; the version must be signed with its private key.

    Raises:
        RegistryError: as `verify`.
    """
    with (
        temporary_folder() as folder,
        os_errors_in_one_line(folder),
    ):
        yield _fetch_and_check(at.store, at.find(), folder, key)


def _fetch_and_check(store: Store, listed: Version, folder: Path, key: Path | None) -> Version:
    """Copy a version into `folder`, check it there, and return it with this folder."""
    where = f"{store.location}: {listed.reference}"
    check_complete(listed, where=where)
    free = shutil.disk_usage(folder).free
    if listed.size > free:
        raise RegistryError(
            f"{where} has {listed.size:,} bytes according to its manifest; only {free:,} are free in {folder.parent}"
        )
    store.fetch(listed, folder)
    try:
        version = Version.load(folder)
        if version != replace(listed, folder=folder):
            raise RegistryError(f"{folder}: its manifest changed while it was read")
        check_version(version)
    except RegistryError as error:
        # The message must name the registry, because the temporary folder is deleted before anybody reads it.
        raise RegistryError(str(error).replace(str(folder), where)) from error
    if key is not None:
        check_signature(folder, key, reference=version.reference)
    return replace(version, aliases=listed.aliases)

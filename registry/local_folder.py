"""A registry in a folder: `<store>/<name>/v<number>/`, where a version is whole or not there.

A version is built beside its place and renamed into it. Renaming a folder onto one that holds files fails, so two
publishers who reach for the same number get two numbers, without a lock that a killed process could leave behind.
"""

import errno
import os
import re
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from paracosm.recipes.errors import RegistryError
from paracosm.recipes.nearest import did_you_mean
from paracosm.registry.manifest import (
    MANIFEST,
    Version,
    check_content,
    check_regular,
    check_version,
    file_entries,
    may_publish,
)

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,95}")
NUMBERED = re.compile(r"v([1-9][0-9]{0,8})")
INCOMING = ".incoming-"
ABANDONED_AFTER = 24 * 3600
"""Seconds after which a half-built version is taken for that of a killed publisher."""


@dataclass(frozen=True)
class LocalFolder:
    """A registry below `root`."""

    root: Path

    def add(self, files: dict[str, Path | str], about: Version) -> Version:
        """Publish `files` as the next version of `about.name`.

        Args:
            files: published name -> the file to copy, or the text to write.
            about: what the manifest says; number, files and folder are filled in here.

        Raises:
            RegistryError: the store cannot be written, or a file may not be published.
        """
        shelf = self.root / _checked_name(about.name)
        with _reporting(shelf):
            shelf.mkdir(parents=True, exist_ok=True)
            _sweep(shelf)
            with _incoming(shelf) as folder:
                for name, content in files.items():
                    _place(content, folder, name)
                about = replace(about, folder=folder, files=file_entries(folder))
                version = self._settle(about, shelf)
            _sync(shelf)
        return version

    def _settle(self, version: Version, shelf: Path) -> Version:
        incoming = version.folder
        number = max(self._numbers(version.name), default=0) + 1
        check_version(version)
        for path in incoming.iterdir():
            _sync(path)
        while True:
            version = replace(version, number=number)
            version.save()
            _sync(incoming / MANIFEST)
            _sync(incoming)
            try:
                incoming.rename(shelf / f"v{number}")
            except OSError as fault:
                if fault.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                    raise
                number += 1
            else:
                return replace(version, folder=shelf / f"v{number}")

    def names(self) -> list[str]:
        """Return the names that have a version, sorted."""
        with _reporting(self.root):
            if not self.root.is_dir():
                raise RegistryError(f"{self.root}: holds no registry; nothing was published there yet")
            return sorted(
                path.name
                for path in self.root.iterdir()
                if NAME.fullmatch(path.name) and self._numbers(path.name)
            )

    def versions(self, name: str) -> list[Version]:
        """Return the versions of `name`, oldest first; no digest is checked."""
        shelf = self.root / _checked_name(name)
        found = []
        with _reporting(shelf):
            numbers = self._numbers(name)
        for number in numbers:
            version = Version.load(shelf / f"v{number}")
            if (version.name, version.number) != (name, number):
                raise RegistryError(f"{version.folder}: its manifest says {version.reference}")
            found.append(version)
        return found

    def find(self, reference: str) -> Version:
        """Return the version that `NAME`, `NAME@v3` or `NAME@3` names; the newest without a number.

        Raises:
            RegistryError: there is no such name or version.
        """
        name, _, wanted = reference.partition("@")
        _checked_name(name)
        known = self.names()
        if name not in known:
            raise RegistryError(f"{self.root}: has no {name!r}{did_you_mean(name, known)}")
        versions = self.versions(name)
        if not wanted:
            return versions[-1]
        for version in versions:
            if wanted.removeprefix("v") == str(version.number):
                return version
        raise RegistryError(
            f"{self.root}: {name} has no version {wanted!r}; it has {', '.join(f'v{each.number}' for each in versions)}"
        )

    def copy(self, version: Version, into: Path) -> Path:
        """Copy a version to `into`, which appears only after every digest of the copy was checked.

        Raises:
            RegistryError: `into` is not empty, or the version is damaged.
        """
        with _reporting(into):
            if into.exists() and (not into.is_dir() or any(into.iterdir())):
                raise RegistryError(
                    f"{into}: is there already; name a folder that is empty or does not exist"
                )
            into.parent.mkdir(parents=True, exist_ok=True)
            with _incoming(into.parent) as folder:
                for name, entry in version.files.items():
                    check_regular(version.folder / name, largest=entry["bytes"])
                    _copy(version.folder / name, folder / name)
                version = replace(version, folder=folder)
                version.save()
                check_version(version)
                folder.rename(into)
        return into

    def _numbers(self, name: str) -> list[int]:
        shelf = self.root / name
        if not shelf.is_dir() or shelf.is_symlink():
            return []
        return sorted(
            int(match[1])
            for path in shelf.iterdir()
            if (match := NUMBERED.fullmatch(path.name)) and not path.is_symlink()
        )


def _checked_name(name: str) -> str:
    if not NAME.fullmatch(name):
        raise RegistryError(
            f"{name!r}: is no name of a model; lower-case letters, digits, '.', '_' and '-' are allowed"
        )
    return name


def _place(content: Path | str, folder: Path, name: str) -> None:
    if not may_publish(name):
        raise RegistryError(
            f"{content if isinstance(content, Path) else name}: is of a kind that is never published"
        )
    target = folder / name
    if isinstance(content, str):
        target.write_text(content, encoding="utf-8")
    else:
        _copy(content, target)
    check_content(target)


def _copy(source: Path, target: Path) -> None:
    try:
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as fault:
        if fault.errno == errno.ELOOP:
            raise RegistryError(f"{source}: is a link; links are refused") from fault
        raise
    with os.fdopen(handle, "rb") as reader, target.open("xb") as writer:
        shutil.copyfileobj(reader, writer, 2**20)


@contextmanager
def _incoming(beside: Path) -> Iterator[Path]:
    folder = beside / f"{INCOMING}{uuid.uuid4().hex}"
    folder.mkdir()
    try:
        yield folder
    finally:
        if folder.exists():
            shutil.rmtree(folder)


def _sweep(shelf: Path) -> None:
    for path in shelf.glob(f"{INCOMING}*"):
        if time.time() - path.stat().st_mtime > ABANDONED_AFTER:
            shutil.rmtree(path, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def _reporting(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        raise RegistryError(f"{fault.filename or place}: {fault.strerror or fault}") from fault

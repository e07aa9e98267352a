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

from paracosm.foundation.errors import RegistryError
from paracosm.foundation.files import write_text
from paracosm.registry.versions.manifest import (
    BESIDE,
    LARGEST_MANIFEST,
    LARGEST_TEXT,
    MANIFEST,
    NAME,
    SIGNATURE,
    Version,
    check_regular,
    names_in,
)
from paracosm.registry.versions.names import checked_name
from paracosm.registry.versions.release import Release, copy_regular

NUMBERED = re.compile(r"v([1-9][0-9]{0,8})", re.ASCII)
INCOMING = ".incoming-"
REMOVED = ".removed-"
ALIASES = ".aliases"
ABANDONED_AFTER = 24 * 3600
"""Seconds after which a half-built version is taken for that of a killed publisher."""


@dataclass(frozen=True)
class LocalFolder:
    """A registry below `root`."""

    root: Path

    @property
    def place(self) -> str:
        return str(self.root)

    def reference(self, name: str) -> str:
        """Return the name alone: the way to a folder of one machine is of no use on another."""
        return name

    def add(self, release: Release) -> Version:
        """Publish a release as the next version of its name.

        Raises:
            RegistryError: the store cannot be written, or a file may not be published.
        """
        shelf = self.root / checked_name(release.about.name)
        with reporting(shelf):
            shelf.mkdir(parents=True, exist_ok=True)
            sweep(shelf)
            with incoming(shelf) as folder:
                version = self._settle(release, release.lay_out(folder), shelf)
            _sync(shelf)
        return version

    def _settle(self, release: Release, version: Version, shelf: Path) -> Version:
        folder = version.folder
        for name in version.files:
            _sync(folder / name)
        number = max(_taken(shelf), default=0) + 1
        while True:
            version = release.seal(version, number)
            for path in (MANIFEST, *([SIGNATURE] if release.key else [])):
                _sync(folder / path)
            _sync(folder)
            if number not in _taken(shelf):
                try:
                    folder.rename(shelf / f"v{number}")
                except OSError as fault:
                    if fault.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                        raise
                else:
                    place = shelf / f"v{number}"
                    return replace(version, folder=place, where=str(place))
            number += 1

    def names(self) -> list[str]:
        with reporting(self.root):
            if not self.root.is_dir():
                raise RegistryError(f"{self.root}: holds no registry; nothing was published there yet")
            return sorted(
                path.name
                for path in self.root.iterdir()
                if NAME.fullmatch(path.name) and _numbers(self.root / path.name)
            )

    def numbers(self, name: str) -> dict[int, tuple[str, ...]]:
        shelf = self.root / checked_name(name)
        with reporting(shelf):
            aliases = _aliases(shelf)
            return {
                number: tuple(alias for alias, its in aliases.items() if its == number)
                for number in _numbers(shelf)
            }

    def version(self, name: str, number: int) -> Version:
        folder = self.root / checked_name(name) / f"v{number}"
        with reporting(folder):
            version = Version.load(folder)
        if (version.name, version.number) != (name, number):
            raise RegistryError(f"{folder}: its manifest says {version.reference}")
        return replace(version, where=str(folder))

    def fetch(self, version: Version, into: Path) -> None:
        with reporting(version.folder):
            if added := names_in(version.folder) - set(BESIDE) - set(version.files):
                raise RegistryError(
                    f"{version.folder}: holds {min(added)!r}, which its manifest does not name"
                )
            sizes = {name: entry["bytes"] for name, entry in version.files.items()}
            sizes[MANIFEST] = LARGEST_MANIFEST
            if (version.folder / SIGNATURE).exists():
                sizes[SIGNATURE] = LARGEST_TEXT
            for name, largest in sizes.items():
                check_regular(version.folder / name, largest=largest)
                (into / name).parent.mkdir(exist_ok=True)
                copy_regular(version.folder / name, into / name)

    def promote(self, version: Version, alias: str) -> None:
        shelf = self.root / version.name
        with reporting(shelf):
            (shelf / ALIASES).mkdir(exist_ok=True)
            write_text(shelf / ALIASES / alias, f"{version.number}\n")

    def remove(self, version: Version) -> None:
        shelf = self.root / version.name
        with reporting(shelf):
            # First the mark, so that no publisher takes the number in between.
            (shelf / f"{REMOVED}v{version.number}").touch()
            with incoming(shelf) as folder:
                (shelf / f"v{version.number}").rename(folder / "removed")


def _numbers(shelf: Path) -> list[int]:
    if not shelf.is_dir() or shelf.is_symlink():
        return []
    return sorted(
        int(match[1])
        for path in shelf.iterdir()
        if (match := NUMBERED.fullmatch(path.name)) and not path.is_symlink()
    )


def _taken(shelf: Path) -> set[int]:
    names = [path.name.removeprefix(REMOVED) for path in shelf.iterdir()]
    return {int(match[1]) for name in names if (match := NUMBERED.fullmatch(name))}


def _aliases(shelf: Path) -> dict[str, int]:
    folder = shelf / ALIASES
    if not folder.is_dir() or folder.is_symlink():
        return {}
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        check_regular(path, largest=20)
        content = path.read_text(encoding="ascii", errors="replace").strip()
        if not content.isdigit():
            raise RegistryError(f"{path}: names no version")
        found[path.name] = int(content)
    return found


@contextmanager
def incoming(beside: Path) -> Iterator[Path]:
    """Yield a new folder in `beside`, which is removed at the end unless it was renamed."""
    folder = beside / f"{INCOMING}{uuid.uuid4().hex}"
    folder.mkdir()
    try:
        yield folder
    finally:
        if folder.exists():
            shutil.rmtree(folder)


def sweep(folder: Path) -> None:
    """Remove what processes that were killed a day ago or earlier left half-built in `folder`."""
    for path in folder.glob(f"{INCOMING}*"):
        if time.time() - path.stat().st_mtime > ABANDONED_AFTER:
            shutil.rmtree(path, ignore_errors=True)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def reporting(place: Path) -> Iterator[None]:
    """Turn a fault of disk or permissions into one line that names the file."""
    try:
        yield
    except OSError as fault:
        raise RegistryError(f"{fault.filename or place}: {fault.strerror or fault}") from fault

"""Store in a local folder: each version is the folder `<store>/<name>/v<number>`.

A version is written to a hidden folder and then renamed, so that it appears complete or not at all. Renaming a folder to
the name of a folder that is not empty fails. Two publishers that choose the same number therefore get two numbers, without
a lock file that a killed process could leave behind.
"""

import errno
import fcntl
import os
import shutil
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import unquote

from paracosm.foundation.errors import RegistryError
from paracosm.foundation.files import write_text
from paracosm.registry.stores.store import Address, StoreFactory
from paracosm.registry.versions.manifest import (
    BESIDE,
    LARGEST_TEXT,
    MANIFEST,
    NAME,
    SIGNATURE,
    Version,
    check_regular,
    names_in,
)
from paracosm.registry.versions.names import checked_name, version_number
from paracosm.registry.versions.release import Release, copy_regular

INCOMING = ".incoming-"
REMOVED = ".removed-"
ALIASES = ".aliases"
ABANDONED_AFTER = 24 * 3600
"""Age in seconds at which an incomplete version counts as left behind by a killed publisher."""


@dataclass(frozen=True)
class LocalFolder:
    """Store in the folder `root`, which is created when the first version is published."""

    root: Path

    @property
    def location(self) -> str:
        return str(self.root)

    def reference(self, name: str) -> str:
        """Return the name alone, because the path of a folder on this machine is of no use on another one."""
        return name

    def add(self, release: Release) -> Version:
        """Publish a release as the next version of its name.

        Raises:
            RegistryError: the folder cannot be written, or a file is not allowed in a version.
        """
        model_folder = self.root / checked_name(release.about.name)
        with os_errors_in_one_line(model_folder):
            model_folder.mkdir(parents=True, exist_ok=True)
            sweep(model_folder)
            with incoming(model_folder) as folder:
                version = self._rename(release, release.lay_out(folder), model_folder)
            _sync(model_folder)
        return version

    def _rename(self, release: Release, version: Version, model_folder: Path) -> Version:
        """Number a version that was laid out, and rename its folder to the number; try the next while it is taken."""
        folder = version.folder
        for name in version.files:
            _sync(folder / name)
        number = max(_taken(model_folder), default=0) + 1
        while True:
            version = release.seal(version, number)
            for path in (MANIFEST, *([SIGNATURE] if release.key else [])):
                _sync(folder / path)
            _sync(folder)
            if number not in _taken(model_folder):
                try:
                    folder.rename(model_folder / f"v{number}")
                except OSError as error:
                    if error.errno not in (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR):
                        raise
                else:
                    target = model_folder / f"v{number}"
                    return replace(version, folder=target, where=str(target))
            number += 1

    def names(self) -> list[str]:
        with os_errors_in_one_line(self.root):
            if not self.root.is_dir():
                raise RegistryError(f"{self.root}: does not hold a registry; nothing was published there yet")
            return sorted(
                path.name
                for path in self.root.iterdir()
                if NAME.fullmatch(path.name) and _numbers(self.root / path.name)
            )

    def numbers(self, name: str) -> dict[int, tuple[str, ...]]:
        model_folder = self.root / checked_name(name)
        with os_errors_in_one_line(model_folder):
            aliases = _aliases(model_folder)
            return {
                number: tuple(alias for alias, target in aliases.items() if target == number)
                for number in _numbers(model_folder)
            }

    def version(self, name: str, number: int) -> Version:
        folder = self.root / checked_name(name) / f"v{number}"
        with os_errors_in_one_line(folder):
            return Version.load(folder).expected(name, number, where=str(folder))

    def fetch(self, version: Version, into: Path) -> None:
        with os_errors_in_one_line(version.folder):
            if added := names_in(version.folder) - set(BESIDE) - set(version.files):
                raise RegistryError(
                    f"{version.folder}: holds {min(added)!r}, which its manifest does not list"
                )
            limits = version.download_limits()
            if (version.folder / SIGNATURE).exists():
                limits[SIGNATURE] = LARGEST_TEXT
            for name, largest in limits.items():
                check_regular(version.folder / name, largest=largest)
                (into / name).parent.mkdir(exist_ok=True)
                copy_regular(version.folder / name, into / name)

    def promote(self, version: Version, alias: str) -> None:
        model_folder = self.root / version.name
        with os_errors_in_one_line(model_folder):
            (model_folder / ALIASES).mkdir(exist_ok=True)
            write_text(model_folder / ALIASES / alias, f"{version.number}\n")

    def remove(self, version: Version) -> None:
        model_folder = self.root / version.name
        with os_errors_in_one_line(model_folder):
            # The mark comes first, so that no publisher takes the number in between.
            (model_folder / f"{REMOVED}v{version.number}").touch()
            with incoming(model_folder) as folder:
                (model_folder / f"v{version.number}").rename(folder / "removed")


def _numbers(model_folder: Path) -> list[int]:
    if not model_folder.is_dir() or model_folder.is_symlink():
        return []
    numbers = [version_number(path.name) for path in model_folder.iterdir() if not path.is_symlink()]
    return sorted(number for number in numbers if number is not None)


def _taken(model_folder: Path) -> set[int]:
    """Return the numbers of all versions, removed ones included."""
    numbers = [version_number(path.name.removeprefix(REMOVED)) for path in model_folder.iterdir()]
    return {number for number in numbers if number is not None}


def _aliases(model_folder: Path) -> dict[str, int]:
    folder = model_folder / ALIASES
    if not folder.is_dir() or folder.is_symlink():
        return {}
    aliases = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("."):
            continue
        check_regular(path, largest=20)
        content = path.read_text(encoding="ascii", errors="replace").strip()
        if not content.isdigit():
            raise RegistryError(f"{path}: does not hold the number of a version")
        aliases[path.name] = int(content)
    return aliases


@contextmanager
def incoming(parent: Path) -> Iterator[Path]:
    """Yield a new hidden folder in `parent`; remove it at the end unless the block renamed it."""
    folder = parent / f"{INCOMING}{uuid.uuid4().hex}"
    folder.mkdir()
    handle = os.open(folder, os.O_RDONLY)
    try:
        # The operating system releases the lock when the process dies; some network file systems have none.
        with suppress(OSError):
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield folder
    finally:
        os.close(handle)
        if folder.exists():
            shutil.rmtree(folder)


def sweep(folder: Path) -> None:
    """Remove incomplete versions in `folder` whose process was killed.

    They are a day old, or a day ahead of a clock that went back, and nobody holds their lock: a clock alone would take the folder
    of a publisher at work for an old one once it is set forward.
    """
    for path in folder.glob(f"{INCOMING}*"):
        with suppress(OSError):
            if abs(time.time() - path.stat().st_mtime) <= ABANDONED_AFTER:
                continue
            handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(path, ignore_errors=True)
            finally:
                os.close(handle)


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def os_errors_in_one_line(path: Path) -> Iterator[None]:
    """Raise an OSError of the block as a RegistryError of one line that names the file, or `path`."""
    try:
        yield
    except OSError as error:
        raise RegistryError(f"{error.filename or path}: {error.strerror or error}") from error


def _open(url: str) -> Address:
    """Return the address of a path, of `file:PATH`, or of `file:///PATH` with percent escapes."""
    path = url
    if url.startswith("file:"):
        path = url.removeprefix("file:")
        if not path or (path.startswith("//") and not path.startswith("///")):
            raise ValueError("the folder must be on this machine")
        path = unquote(path.removeprefix("//"))
    return Address(LocalFolder(Path(path).expanduser()), None, None)


FACTORY = StoreFactory(schemes=("file",), form="a folder or file:FOLDER", open=_open)

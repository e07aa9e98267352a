"""Globs that look at a bounded number of entries and follow no circle of links."""

import fnmatch
import os
from collections.abc import Iterator
from pathlib import Path

WILD = frozenset("*?[")
ANY_FOLDERS = "**"


class TooManyEntriesError(Exception):
    """A glob looked at more entries of folders than it may."""


def bounded_glob(pattern: Path, most: int) -> Iterator[Path]:
    """Yield the files that a pattern matches; `**` stands for any number of folders.

    As in the shell, hidden entries are matched only by a pattern that begins with a point.

    Args:
        pattern: an absolute path with `*`, `?`, `[...]` or `**`.
        most: entries of folders that are looked at.

    Raises:
        TooManyEntriesError: there are more.
    """
    anchor, parts = Path(pattern.anchor), pattern.parts[1:]
    fixed = next((index for index, part in enumerate(parts) if WILD.intersection(part)), len(parts))
    return _Walk(most).matches(anchor.joinpath(*parts[:fixed]), parts[fixed:])


class _Walk:
    def __init__(self, most: int) -> None:
        self.left = most

    def matches(self, folder: Path, parts: tuple[str, ...]) -> Iterator[Path]:
        if not parts:
            if folder.is_file():
                yield folder
        elif parts[0] == ANY_FOLDERS:
            for inside in self.folders(folder, set()):
                yield from self.matches(inside, parts[1:] or ("*",))
        elif WILD.intersection(parts[0]):
            for name in self.names(folder):
                if fnmatch.fnmatchcase(name, parts[0]) and _is_shown(name, parts[0]):
                    yield from self.matches(folder / name, parts[1:])
        elif os.path.lexists(folder / parts[0]):
            yield from self.matches(folder / parts[0], parts[1:])

    def folders(self, folder: Path, seen: set[tuple[int, int]]) -> Iterator[Path]:
        """Yield a folder and those below it, each once even if links form a circle."""
        try:
            status = folder.stat()
        except OSError:
            return
        if (status.st_dev, status.st_ino) in seen:
            return
        seen.add((status.st_dev, status.st_ino))
        yield folder
        for name in self.names(folder):
            if not name.startswith(".") and (folder / name).is_dir():
                yield from self.folders(folder / name, seen)

    def names(self, folder: Path) -> list[str]:
        """Return the names in a folder; none where it is not a folder, or not readable."""
        names = []
        try:
            with os.scandir(folder) as entries:
                for entry in entries:
                    self.left -= 1
                    if self.left < 0:
                        raise TooManyEntriesError
                    names.append(entry.name)
        except OSError:
            return []
        return sorted(names)


def _is_shown(name: str, pattern: str) -> bool:
    return not name.startswith(".") or pattern.startswith(".")

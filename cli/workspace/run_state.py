"""State of a run in words: how far it is, its verdict, its size on disk, and what to do next."""

import fcntl
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paracosm.foundation.errors import RunError
from paracosm.recipes.run.directory import STAGES, Run


@dataclass(frozen=True)
class RunState:
    """A run as its journal describes it.

    Attributes:
        run: its directory.
        stages: the records of its stages.
        in_use: whether a process works in it.
    """

    run: Run
    stages: dict[str, Any]
    in_use: bool

    @classmethod
    def of(cls, folder: Path) -> "RunState":
        """Read the state of a run.

        Raises:
            RunError: there is no run in `folder`, or its journal is damaged.
        """
        run = Run.open(folder)
        return cls(run, run.journal.read()["stages"], _in_use(folder))

    @property
    def unfinished(self) -> str | None:
        """The first stage that is not done; None if all are."""
        return next((name for name in STAGES if self.stages.get(name, {}).get("status") != "done"), None)

    @property
    def words(self) -> str:
        """How far the run is."""
        name = self.unfinished
        if name is None:
            return "complete"
        begun = self.stages.get(name, {}).get("status") == "started"
        if self.in_use:
            return f"running: {name}"
        return f"stopped in {name}" if begun else f"before {name}"

    @property
    def verdict(self) -> str:
        """The verdict of the evaluation, or an empty text."""
        record = self.stages.get("eval", {})
        return record["facts"].get("verdict", "") if record.get("status") == "done" else ""

    @property
    def records(self) -> int | None:
        """The number of synthetic records; None if there are none yet."""
        record = self.stages.get("generate", {})
        return record["facts"].get("records") if record.get("status") == "done" else None

    @property
    def next_step(self) -> str:
        """The command to give next."""
        root = self.run.root
        if self.in_use:
            return "wait; another process works in it"
        if self.unfinished is not None:
            return f"paracosm run {root}"
        if self.verdict == "PASS":
            return f"paracosm publish {root} ./store"
        return f"paracosm report {root}"


def runs_in(folder: Path) -> list[RunState]:
    """Return the runs directly in a folder, by name; a folder with a damaged journal is left out."""

    def readable() -> Iterator[RunState]:
        for path in sorted(folder.iterdir()):
            if (path / "run.json").is_file():
                try:
                    yield RunState.of(path)
                except RunError:
                    continue

    return list(readable()) if folder.is_dir() else []


def bytes_in(path: Path) -> int:
    """Return the bytes of a file, or of all files in a folder; 0 if there is nothing."""
    if path.is_dir():
        return sum(each.stat().st_size for each in path.rglob("*") if each.is_file())
    return path.stat().st_size if path.is_file() else 0


def size_words(count: int) -> str:
    """Return a number of bytes in the largest unit that leaves at least one, such as `12 MB`."""
    for factor, unit in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if count >= factor:
            value = count / factor
            return f"{value:.1f} {unit}" if value < 10 else f"{value:.0f} {unit}"
    return f"{count} B"


def _in_use(folder: Path) -> bool:
    """Return whether a process holds the lock of a run."""
    try:
        handle = os.open(folder / ".lock", os.O_RDONLY)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        return True
    finally:
        os.close(handle)
    return False

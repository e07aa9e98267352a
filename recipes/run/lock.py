"""The lock of a run directory: one process works in it at a time."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from paracosm.foundation.errors import RunError


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process; the operating system releases it when the process dies.

    Raises:
        RunError: another process holds it, or the lock file cannot be opened.
    """
    try:
        handle = os.open(folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        raise RunError(f"{folder}: cannot lock the run: {error.strerror}") from error
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
            raise RunError(f"{folder}: another process (pid {holder}) is working in this run") from error
        os.ftruncate(handle, 0)
        os.pwrite(handle, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(handle)

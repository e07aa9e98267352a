"""Atomic writes: a file or folder is either complete or absent."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; rename it to `path` on success, remove it on failure.

    The caller writes a file or a folder to the temporary path. Missing parent folders are created.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        yield partial
        if partial.is_dir():
            if path.exists():
                shutil.rmtree(path)
        else:
            with partial.open("rb") as file:
                os.fsync(file.fileno())
        partial.rename(path)
    except OSError as error:
        # A write to an open file raises an error without a file name.
        if error.errno is not None and error.filename is None:
            error.filename = str(path)
        raise
    finally:
        if partial.is_dir():
            shutil.rmtree(partial)
        else:
            partial.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` to `path` atomically as UTF-8."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")

"""SHA-256 digests of files, folders and plain values, by which a run detects that its inputs changed."""

import hashlib
import json
from pathlib import Path
from typing import Any


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes as hexadecimal text."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_digest(folder: Path) -> str:
    """Return one SHA-256 over the relative names and the bytes of all files below `folder`."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return value_digest({path.relative_to(folder).as_posix(): file_digest(path) for path in files})


def value_digest(value: Any) -> str:
    """Return the SHA-256 of a JSON-serialisable value; the order of keys does not matter.

    Raises:
        TypeError: a part of the value has no JSON form, such as a `Path`.
    """
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()

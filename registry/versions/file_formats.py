"""Checks that a file of a version has the format that its name states, and holds or names no code."""

import json
from pathlib import Path
from typing import Any

from paracosm.finetune.models.pretrained import foreign_code
from paracosm.foundation.errors import RegistryError
from paracosm.registry.versions.manifest import LARGEST_TEXT, check_regular
from paracosm.registry.versions.page import check_page

EXECUTABLES = {
    b"#!/": "a script",
    b"#! /": "a script",
    b"\x7fELF": "a program",
    b"MZ\x90\x00": "a program",
    b"\xcf\xfa\xed\xfe": "a program",
    b"PK\x03\x04": "an archive or a pickle",
    b"\x1f\x8b": "an archive",
    b"\x80\x02": "a pickle",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"\x00asm": "a program",
}
"""First bytes of files that can run code, by what they are; no text and no tokenizer model begins with them."""
EXECUTABLE_HEAD = 8


def check_content(path: Path) -> None:
    """Check that a file has the format that its name states, and does not ask for foreign code. Nothing is run.

    Raises:
        RegistryError: it does not.
    """
    try:
        if path.suffix == ".safetensors":
            _read_tensor_names(path)
        elif path.suffix == ".json":
            check_regular(path, largest=LARGEST_TEXT)
            content = json.loads(path.read_text(encoding="utf-8"))
            if path.name.endswith("config.json"):
                _check_configuration(path, content)
        elif path.suffix == ".parquet":
            _check_ends(path, b"PAR1", b"PAR1")
        elif path.suffix == ".png":
            _check_ends(path, b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82")
        elif path.suffix == ".html":
            check_regular(path, largest=LARGEST_TEXT)
            check_page(path)
        else:
            _check_not_executable(path)
    except (ValueError, RecursionError) as error:
        raise RegistryError(f"{path}: is not a valid {path.suffix[1:]} file ({error})") from error


def _check_configuration(path: Path, content: Any) -> None:
    if not isinstance(content, dict):
        raise ValueError("it is not an object")
    if key := foreign_code(content):
        raise RegistryError(
            f"{path}: asks to load code with the model ({key!r}); a version must not contain or name code"
        )


def _check_not_executable(path: Path) -> None:
    with path.open("rb") as file:
        first = file.read(EXECUTABLE_HEAD)
    if kind := next((kind for begin, kind in EXECUTABLES.items() if first.startswith(begin)), None):
        raise RegistryError(f"{path}: is {kind}; a version must not contain code")


def _read_tensor_names(path: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as tensors:
            tensors.keys()
    except SafetensorError as error:
        raise ValueError(error) from error


def _check_ends(path: Path, first: bytes, last: bytes) -> None:
    content = path.read_bytes()
    if not (content.startswith(first) and content.endswith(last)):
        raise ValueError("its first or last bytes are wrong")

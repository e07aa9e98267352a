"""The safetensors files from which transformers loads a model, and whether their values are finite numbers."""

import errno
import json
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from paracosm.foundation.errors import ModelError

SINGLE = "model.safetensors"
INDEX = "model.safetensors.index.json"
OTHER_NAME = "transformers_weights"
"""Key of `config.json` by which transformers loads a file of another name."""
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl", "*.bin.index.json")
EXPONENT_BITS = {
    "F64": ("<u8", 0x7FF0_0000_0000_0000),
    "F32": ("<u4", 0x7F80_0000),
    "F16": ("<u2", 0x7C00),
    "BF16": ("<u2", 0x7F80),
}
"""Per type of float: its bits as an integer, and those of the exponent. A value with all of them set is not finite."""
POINTER = b"version https://git-lfs"
"""Beginning of a pointer that Git LFS leaves in place of a large file."""
OTHER_FORMATS = ("*.onnx", "*.h5", "*.msgpack", "*.tflite", "*.mlmodel", "*.npz", "*.engine")
"""Weights of other libraries."""
VALUES_AT_ONCE = 2**22
LARGEST_HEADER = 100 * 2**20
OS_ERROR = re.compile(r"\(os error (\d+)\)")
"""How the writer of safetensors names an error of the system."""
TORCH_WRITER = re.compile(r"inline_container|PytorchStreamWriter|iostream error")
"""Parts of what torch's writer says when a write fails; it does not say why."""


def weight_files(folder: Path) -> list[Path]:
    """Return the files that transformers loads from a model folder: one file, or the shards that the index lists.

    Other `.safetensors` files in the folder are not loaded, so they do not count.

    Raises:
        ModelError: the folder has no such file, its configuration names another one, or the index is damaged or lists a file
            outside of the folder.
    """
    config = folder / "config.json"
    if config.is_file() and _names_weights(config):
        raise ModelError(f"{config}: names its weights ({OTHER_NAME}); {SINGLE} or {INDEX} is allowed")
    if (folder / SINGLE).is_file():
        return [folder / SINGLE]
    index = folder / INDEX
    if not index.is_file():
        raise ModelError(_without_weights(folder))
    try:
        shards = set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values())
        if not shards or not all(isinstance(name, str) for name in shards):
            raise ValueError("its weight_map does not name files")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise ModelError(f"{index}: is not an index of safetensors files") from error
    for name in sorted(shards):
        if Path(name).name != name or not name.endswith(".safetensors"):
            raise ModelError(
                f"{index}: names {name[:80]!r}; a .safetensors file in the same folder is allowed"
            )
        if not (folder / name).is_file():
            raise ModelError(f"{folder / name}: is missing, although {INDEX} lists it")
    return [folder / name for name in sorted(shards)]


def _names_weights(config: Path) -> bool:
    try:
        plain = json.loads(config.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{config}: is not valid JSON") from error
    return isinstance(plain, dict) and plain.get(OTHER_NAME) is not None


def has_weights(folder: Path) -> bool:
    """Return whether a folder holds the safetensors weights of a model."""
    return (folder / SINGLE).is_file() or (folder / INDEX).is_file()


CONVERSION = "convert it once: where you trust it, load it in transformers with use_safetensors=False and call save_pretrained(FOLDER)"
"""Advice for a model that has pickled weights only."""


def gguf_cure(folder: Path, name: str) -> str:
    """Return how a GGUF file becomes a model folder."""
    return (
        f"convert it once: load it in transformers with from_pretrained({str(folder)!r}, gguf_file={name!r}), for the model and for"
        " AutoTokenizer, and call save_pretrained(FOLDER) of both"
    )


def _without_weights(folder: Path) -> str:
    pickles = sorted(path.name for pattern in PICKLES for path in folder.glob(pattern))
    if pickles:
        return (
            f"{folder}: has its weights only as a pickle ({pickles[0]}), which can run code and is never loaded;"
            f" {CONVERSION}"
        )
    if found := sorted(path.name for path in folder.glob("*.gguf")):
        return f"{folder}: has its weights only as GGUF ({found[0]}); {gguf_cure(folder, found[0])}"
    if found := sorted(path.name for pattern in OTHER_FORMATS for path in folder.glob(pattern)):
        return f"{folder}: has its weights only for another library ({found[0]}); download the .safetensors files of the model"
    return f"{folder}: has no .safetensors weights ({SINGLE} or {INDEX})"


def tensor_shapes(path: Path) -> dict[str, tuple[int, ...]]:
    """Return the shape of every tensor in a safetensors file.

    Raises:
        ModelError: it is not a valid safetensors file.
    """
    return {name: tuple(entry["shape"]) for name, entry in _header(path)[0].items()}


def tensor_kinds(path: Path) -> dict[str, str]:
    """Return the type of every tensor in a safetensors file, such as `BF16`.

    Raises:
        ModelError: it is not a valid safetensors file.
    """
    return {name: entry["dtype"] for name, entry in _header(path)[0].items()}


def refuse_pointer(path: Path) -> None:
    """Check that a file is the file itself.

    Raises:
        ModelError: it is a pointer of Git LFS.
    """
    with path.open("rb") as file:
        if file.read(len(POINTER)) == POINTER:
            raise ModelError(
                f"{path}: is a pointer of Git LFS and not the file; run `git lfs pull` in the repository, or download the file"
            )


def check_finite(path: Path) -> None:
    """Check that no value in a safetensors file is NaN or infinite.

    Raises:
        ModelError: a value is, or it is not a valid safetensors file.
    """
    header, start = _header(path)
    for name, entry in header.items():
        if entry["dtype"] in EXPONENT_BITS:
            kind, mask = EXPONENT_BITS[entry["dtype"]]
            begin, end = entry["data_offsets"]
            for bits in _chunks(path, start + begin, end - begin, kind):
                if ((bits & bits.dtype.type(mask)) == mask).any():
                    raise ModelError(f"{path}: tensor {name[:200]!r} holds NaN or infinite values")


def _chunks(path: Path, start: int, length: int, kind: str) -> Iterator[np.ndarray]:
    count = length // np.dtype(kind).itemsize
    with path.open("rb") as file:
        file.seek(start)
        while count > 0:
            chunk = np.fromfile(file, dtype=kind, count=min(count, VALUES_AT_ONCE))
            if not len(chunk):
                raise ModelError(f"{path}: is truncated")
            count -= len(chunk)
            yield chunk


def _header(path: Path) -> tuple[dict[str, dict], int]:
    """Return the entries of a safetensors file by tensor, and the offset of the first byte of their values."""
    from safetensors import SafetensorError, safe_open

    refuse_pointer(path)
    try:
        # The library checks shapes, types and offsets against the size of the file.
        with safe_open(path, framework="numpy"):
            pass
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            entries = json.loads(file.read(min(length, LARGEST_HEADER)))
    except (SafetensorError, ValueError, RecursionError) as error:
        raise ModelError(f"{path}: is not a valid safetensors file ({error})") from error
    entries.pop("__metadata__", None)
    return entries, 8 + length


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Raise what safetensors and torch raise when a file cannot be written as an OSError.

    Args:
        path: file or folder that is written, for the message.

    Raises:
        OSError: a write failed, such as on a full disk.
    """
    from safetensors import SafetensorError

    try:
        yield
    except SafetensorError as error:
        number = OS_ERROR.search(str(error))
        if number is None:
            raise
        raise OSError(int(number[1]), os.strerror(int(number[1])), str(path)) from error
    except RuntimeError as error:
        if not TORCH_WRITER.search(str(error)):
            raise
        why = "cannot be written (the disk is full, or files of this size are not allowed)"
        raise OSError(errno.ENOSPC, why, str(path)) from error

"""Streams of files: decompressed, bounded in size, and with one-line errors."""

import bz2
import gzip
import io
import lzma
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, BinaryIO, cast

import pyarrow as pa

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Bounds

FREE = 64 * 2**20
"""Bytes of a decompressed file from which on `bounds.expansion` counts."""
BLOCK = 1 << 20
SIGNATURE = 6
"""Bytes of the longest signature."""
BROKEN = (EOFError, OSError, zlib.error, lzma.LZMAError, zipfile.BadZipFile, pa.ArrowException)
UNREADABLE_ZIP = (NotImplementedError, RuntimeError)
"""What `zipfile` raises for other compressions and for passwords."""


def _zstd(file: BinaryIO) -> IO[bytes]:
    return cast(IO[bytes], pa.CompressedInputStream(pa.PythonFile(file, mode="r"), "zstd"))


def _xz(file: BinaryIO) -> IO[bytes]:
    return cast(IO[bytes], lzma.LZMAFile(file))


def _zip(file: BinaryIO) -> IO[bytes]:
    archive = zipfile.ZipFile(file)
    members = [name for name in archive.namelist() if not name.endswith("/")]
    if len(members) != 1:
        raise DataError(f"holds {len(members)} files; unpack it and name one of them")
    return archive.open(members[0])


COMPRESSED: dict[bytes, tuple[str, Callable[[BinaryIO], IO[bytes]]]] = {
    b"\x1f\x8b": ("gzip", lambda file: cast(IO[bytes], gzip.GzipFile(fileobj=file))),
    b"\x28\xb5\x2f\xfd": ("zstd", _zstd),
    b"BZh": ("bzip2", lambda file: cast(IO[bytes], bz2.BZ2File(file))),
    b"\xfd7zXZ\0": ("xz", _xz),
    b"PK\x03\x04": ("zip", _zip),
}
"""Signature -> name and decompressor."""


class BoundedStream(io.RawIOBase):
    """The bytes of an open file, decompressed if they begin with a known signature, up to the bounds.

    Raises:
        DataError: while reading, the file turns out to be larger than allowed, or its compressed stream is broken.
    """

    def __init__(self, file: BinaryIO, path: Path, bounds: Bounds) -> None:
        self._path, self._bounds = path, bounds
        self._read = 0
        self._size = path.stat().st_size
        beginning = file.read(SIGNATURE)
        file.seek(0)
        self.kind = next((COMPRESSED[start][0] for start in COMPRESSED if beginning.startswith(start)), "")
        self._source: IO[bytes] = file
        if self.kind:
            opener = next(opener for name, opener in COMPRESSED.values() if name == self.kind)
            with self._one_line():
                self._source = opener(file)
        elif path.suffix.lower() == ".gz" and beginning:
            raise DataError(f"{path}: ends in .gz but is not gzipped")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: "memoryview | bytearray", /) -> int:  # type: ignore[override]  # a writable buffer
        """Read bytes into a buffer; return their number, 0 at the end."""
        with self._one_line():
            block = self._source.read(min(len(buffer), BLOCK))
        buffer[: len(block)] = block
        self._read += len(block)
        self._check()
        return len(block)

    @contextmanager
    def _one_line(self) -> Iterator[None]:
        try:
            yield
        except DataError as error:
            raise DataError(f"{self._path}: {error}") from error
        except (*BROKEN, *UNREADABLE_ZIP) as error:
            if not self.kind:
                raise
            reason = next(iter(str(error).splitlines()), type(error).__name__)
            raise DataError(
                f"{self._path}: the {self.kind} stream is broken or cut off ({reason})"
            ) from error

    def _check(self) -> None:
        largest = self._bounds.gigabytes * 1e9
        if self._read > largest:
            raise too_large(self._path, self._bounds, " decompressed" if self.kind else "")
        if self.kind and self._read > FREE and self._read - FREE > self._bounds.expansion * self._size:
            raise DataError(
                f"{self._path}: its {self._size:,} bytes become more than {self._bounds.expansion:g} times as many when decompressed;"
                " if that is right, raise data.bounds.expansion"
            )


def too_large(path: Path, bounds: Bounds, how: str = "") -> DataError:
    """Return the error of a file that is larger than `bounds.gigabytes`."""
    return DataError(
        f"{path}: is larger than {bounds.gigabytes:g} GB{how}; if that is right, raise data.bounds.gigabytes"
    )


@contextmanager
def open_decompressed(path: Path, bounds: Bounds) -> Iterator[BinaryIO]:
    """Open a file for reading its bytes, decompressed if they begin with the signature of gzip, zstd, bzip2, xz or zip.

    Args:
        path: the file.
        bounds: reading beyond them raises.

    Raises:
        DataError: the file is empty; or, while reading, it is larger than allowed or its compressed stream is broken.
        OSError: the file cannot be read.
    """
    with ExitStack() as opened:
        file = opened.enter_context(path.open("rb"))
        if path.stat().st_size == 0:
            raise DataError(f"{path}: is empty")
        yield cast(
            BinaryIO,
            opened.enter_context(io.BufferedReader(BoundedStream(file, path, bounds), buffer_size=BLOCK)),
        )


def check_size(path: Path, bounds: Bounds) -> None:
    """Check a file that is read to its end, before its first row is: a compressed one is decompressed for it.

    Raises:
        DataError: the file is larger than allowed, or its compressed stream is broken.
    """
    if path.stat().st_size > bounds.gigabytes * 1e9:
        raise too_large(path, bounds)
    with path.open("rb") as file:
        if not is_compressed(file.read(SIGNATURE)):
            return
    with open_decompressed(path, bounds) as stream:
        while stream.read(BLOCK):
            pass


def is_compressed(beginning: bytes) -> bool:
    """Return whether a file that begins so is compressed."""
    return beginning.startswith(tuple(COMPRESSED))


def read_bytes(path: Path, bounds: Bounds) -> bytes:
    """Return the bytes of a file, decompressed.

    Raises:
        DataError: the file is empty or larger than allowed, or its compressed stream is broken.
        OSError: the file cannot be read.
    """
    with open_decompressed(path, bounds) as stream:
        content = stream.read()
    if not content.strip():
        raise DataError(f"{path}: is empty")
    return content

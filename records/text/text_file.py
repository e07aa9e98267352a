"""Reader of whole text files: decompressed, and decoded as UTF-8, UTF-16 or, with a warning, Windows-1252."""

import bz2
import gzip
import io
import lzma
import re
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from paracosm.foundation.errors import DataError

GZIP = b"\x1f\x8b"
UTF16 = (b"\xff\xfe", b"\xfe\xff")
MOSTLY = 0.4
"""Share of zero bytes at even or odd positions from which on a file is UTF-16 without a byte order mark."""
SNIFFED = 4096
FOREIGN = re.compile(r"[^\W\d_\x00-\x7f]{4}")
"""Letters above ASCII in a row that Western European languages do not have, but Cyrillic and Greek read as Windows-1252 do."""
WESTERN = set("€‚„…‰‘’“”•–—™š›œžŸŽŠŒ\u00a0°§²³µ·½¼¾¹ºª«»¡¿£¥©®±´¨×÷¶")


@dataclass(frozen=True)
class DecodedText:
    """The text of a file, and warnings about its encoding."""

    text: str
    warnings: tuple[str, ...] = ()


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file, decompressed if they begin with the signature of gzip, zstd, bzip2, xz or zip.

    Raises:
        DataError: the file is empty, or its compressed stream is broken.
        OSError: the file cannot be read.
    """
    content = path.read_bytes()
    for signature, (name, decompress) in COMPRESSED.items():
        if content.startswith(signature):
            try:
                content = decompress(content)
            except DataError as error:
                raise DataError(f"{path}: {error}") from error
            except (
                EOFError,
                OSError,
                zlib.error,
                lzma.LZMAError,
                zipfile.BadZipFile,
                pa.ArrowException,
            ) as error:
                reason = next(iter(str(error).splitlines()), type(error).__name__)
                raise DataError(f"{path}: the {name} stream is broken or cut off ({reason})") from error
            break
    else:
        if path.suffix.lower() == ".gz" and content:
            raise DataError(f"{path}: ends in .gz but is not gzipped")
    if not content.strip():
        raise DataError(f"{path}: is empty")
    return content


def read_text(path: Path) -> str:
    """Return a file's text, which must be UTF-8, without a byte order mark.

    Raises:
        DataError: the file is not UTF-8 text; the message names the line.
    """
    content = read_bytes(path)
    if content.startswith(UTF16) or _wide(content):
        return _utf16(content, path)
    try:
        return _without_zeros(content.decode("utf-8-sig"), path)
    except UnicodeDecodeError as error:
        raise _not_utf8(path, content, error) from error


def read_any_text(path: Path) -> DecodedText:
    """Return a file's text in UTF-8, UTF-16 or Windows-1252; the last one gives a warning, because it is a guess.

    Raises:
        DataError: the file is not a text, or in another encoding; the message names the line.
    """
    content = read_bytes(path)
    if content.startswith(UTF16) or _wide(content):
        return DecodedText(_utf16(content, path))
    try:
        return DecodedText(_without_zeros(content.decode("utf-8-sig"), path))
    except UnicodeDecodeError as error:
        text = _western(content)
        if text is None:
            raise _not_utf8(path, content, error) from error
        line = content.count(b"\n", 0, error.start) + 1
        warning = (
            f"{path}: is not UTF-8 (line {line}); read as Windows-1252. If letters come out wrong, convert it:"
            f" iconv -f ENCODING -t UTF-8 {path.name}"
        )
        return DecodedText(_without_zeros(text, path), (warning,))


def _western(content: bytes) -> str | None:
    """Return the content in Windows-1252 if it has the letters and signs of a Western European text, else None."""
    if any(mark not in "\ufffd" and ord(mark) > 127 for mark in content.decode("utf-8", errors="replace")):
        # Some letters are UTF-8, so the file is damaged.
        return None
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        return None
    special = [letter for letter in text if letter > "\x7f"]
    is_western = all(letter.isalpha() or letter in WESTERN for letter in special)
    controls = any(letter < " " and letter not in "\t\n\r\f\v" for letter in text[:SNIFFED])
    return text if is_western and not controls and FOREIGN.search(text) is None else None


def _wide(content: bytes) -> bool:
    """Return whether every second byte is mostly zero, as in UTF-16 of Latin letters."""
    start = content[:SNIFFED]
    return len(start) >= 8 and (
        start[1::2].count(0) > MOSTLY * len(start) / 2 > 0 == start[::2].count(0)
        or start[::2].count(0) > MOSTLY * len(start) / 2 > 0 == start[1::2].count(0)
    )


def _utf16(content: bytes, path: Path) -> str:
    name = "utf-16" if content.startswith(UTF16) else "utf-16-le" if content[1] == 0 else "utf-16-be"
    try:
        return _without_zeros(content.decode(name), path)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: looks like UTF-16, but is cut off or damaged; save it as UTF-8") from error


def _without_zeros(text: str, path: Path) -> str:
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{path}:{line}: holds a zero byte, so it is not a text file")
    return text


def _not_utf8(path: Path, content: bytes, error: UnicodeDecodeError) -> DataError:
    line = content.count(b"\n", 0, error.start) + 1
    byte = content[error.start]
    return DataError(
        f"{path}:{line}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8"
        f" (for example: iconv -f ENCODING -t UTF-8 {path.name})"
    )


def _unzstd(content: bytes) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(content), "zstd") as stream:
        return stream.read()


def _unzip(content: bytes) -> bytes:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        members = [name for name in archive.namelist() if not name.endswith("/")]
        if len(members) != 1:
            raise DataError(f"holds {len(members)} files; unpack it and name one of them")
        return archive.read(members[0])


COMPRESSED: dict[bytes, tuple[str, Callable[[bytes], bytes]]] = {
    GZIP: ("gzip", gzip.decompress),
    b"\x28\xb5\x2f\xfd": ("zstd", _unzstd),
    b"BZh": ("bzip2", bz2.decompress),
    b"\xfd7zXZ\0": ("xz", lzma.decompress),
    b"PK\x03\x04": ("zip", _unzip),
}
"""Signature -> name and decompressor."""

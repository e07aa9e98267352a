"""Reader of whole text files: decompressed, and decoded as UTF-8, UTF-16 or, with a warning, Windows-1252."""

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Bounds
from paracosm.records.text.decompressed import open_decompressed, read_bytes

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


def read_text(path: Path, bounds: Bounds) -> str:
    """Return a file's text, which must be UTF-8, without a byte order mark.

    Raises:
        DataError: the file is not UTF-8 text; the message names the line.
    """
    content = read_bytes(path, bounds)
    if content.startswith(UTF16) or _wide(content):
        return _utf16(content, path)
    try:
        return _without_zeros(content.decode("utf-8-sig"), path)
    except UnicodeDecodeError as error:
        raise _not_utf8(path, content, error) from error


def read_any_text(path: Path, bounds: Bounds) -> DecodedText:
    """Return a file's text in UTF-8, UTF-16 or Windows-1252; the last one gives a warning, because it is a guess.

    Raises:
        DataError: the file is not a text, or in another encoding; the message names the line.
    """
    content = read_bytes(path, bounds)
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


@contextmanager
def text_stream(path: Path, bounds: Bounds) -> Iterator[io.TextIOWrapper]:
    """Open a text in UTF-8 or UTF-16 for reading line by line; line ends stay as they are.

    Raises:
        DataError: the file is empty; or, while reading, it is larger than allowed, broken, or holds a zero byte.
        UnicodeDecodeError: while reading, a byte is in another encoding.
    """
    with open_decompressed(path, bounds) as stream:
        buffered = cast(io.BufferedReader, stream)
        beginning = buffered.peek(SNIFFED)[:SNIFFED]
        encoding = "utf-8-sig"
        if beginning.startswith(UTF16) or _wide(beginning):
            encoding = _utf16_name(beginning)
        elif b"\0" in beginning:
            beginning.partition(b"\0")[0].decode(encoding)
            raise zero_byte(path, beginning.count(b"\n", 0, beginning.index(b"\0")) + 1)
        with io.TextIOWrapper(buffered, encoding=encoding, newline="") as text:
            yield text


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
    try:
        return _without_zeros(content.decode(_utf16_name(content)), path)
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: looks like UTF-16, but is cut off or damaged; save it as UTF-8") from error


def _utf16_name(content: bytes) -> str:
    if content.startswith(UTF16):
        return "utf-16"
    return "utf-16-le" if content[1] == 0 else "utf-16-be"


def _without_zeros(text: str, path: Path) -> str:
    if "\0" in text:
        raise zero_byte(path, text.count("\n", 0, text.index("\0")) + 1)
    return text


def zero_byte(path: Path, line: int) -> DataError:
    """Return the error of a zero byte in a text."""
    return DataError(f"{path}:{line}: holds a zero byte, so it is not a text file")


def _not_utf8(path: Path, content: bytes, error: UnicodeDecodeError) -> DataError:
    line = content.count(b"\n", 0, error.start) + 1
    byte = content[error.start]
    return DataError(
        f"{path}:{line}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8"
        f" (for example: iconv -f ENCODING -t UTF-8 {path.name})"
    )

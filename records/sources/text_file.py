"""Reader of whole text files: decompressed if they are gzipped, and decoded strictly as UTF-8."""

import gzip
import zlib
from pathlib import Path

from paracosm.foundation.errors import DataError

GZIP = b"\x1f\x8b"
UTF16 = (b"\xff\xfe", b"\xfe\xff")


def read_bytes(path: Path) -> bytes:
    """Return the bytes of a file, decompressed if they begin with the signature of gzip.

    Raises:
        DataError: the file is empty, or its gzip stream is broken.
        OSError: the file cannot be read.
    """
    content = path.read_bytes()
    if content.startswith(GZIP):
        try:
            content = gzip.decompress(content)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise DataError(f"{path}: the gzip stream is broken or cut off ({error})") from error
    elif path.suffix.lower() == ".gz" and content:
        raise DataError(f"{path}: ends in .gz but is not gzipped")
    if not content.strip():
        raise DataError(f"{path}: is empty")
    return content


def read_text(path: Path) -> str:
    """Return a file's text, without a byte order mark.

    Raises:
        DataError: the file is not UTF-8 text; the message names the line.
    """
    content = read_bytes(path)
    if content.startswith(UTF16):
        raise DataError(f"{path}: is UTF-16; save it as UTF-8")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        byte = content[error.start]
        raise DataError(f"{path}:{line}: byte 0x{byte:02x} is not UTF-8; save the file as UTF-8") from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise DataError(f"{path}:{line}: holds a zero byte, so it is not a text file")
    return text

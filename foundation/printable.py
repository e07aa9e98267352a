"""Removal of control characters from text that reaches a terminal.

Column names, cells and files of a published version are foreign text. A terminal obeys control characters in it: it may
change its title, hide lines, or show text in another order than it is stored in.
"""

import re
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any

JOINERS = "\u200c\u200d"
"""Invisible characters that Persian and Indic words need; terminals do not act on them."""
STYLE = re.compile(r"(\x1b\[[0-9;]{0,32}m)")
"""Colour and weight, as `rich` writes them."""


def printable(text: str, keep: str = "\n\t") -> str:
    r"""Return a text with characters that control a terminal as escapes such as `\x1b`.

    Args:
        text: any text.
        keep: control characters that stay.
    """
    if text.isprintable():
        return text
    return "".join(
        character if _is_harmless(character) or character in keep else ascii(character)[1:-1]
        for character in text
    )


def _is_harmless(character: str) -> bool:
    # Other spaces than U+0020, such as the no-break space, count as not printable in Python.
    return character.isprintable() or character in JOINERS or unicodedata.category(character) == "Zs"


class PrintableStream:
    """A text stream that writes control characters as escapes, except styles. Everything else is the stream's own."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        """Write a text without control characters; return its length."""
        # Odd parts are styles.
        parts = STYLE.split(text)
        parts[::2] = [printable(part, keep="\n\r\t") for part in parts[::2]]
        self._stream.write("".join(parts))
        return len(text)

    def writelines(self, lines: Any) -> None:
        """Write several texts without control characters."""
        for line in lines:
            self.write(line)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextmanager
def printable_streams() -> Iterator[None]:
    """Write control characters of standard output and standard error as escapes."""
    before = sys.stdout, sys.stderr
    sys.stdout, sys.stderr = PrintableStream(sys.stdout), PrintableStream(sys.stderr)  # type: ignore[assignment]  # text streams by delegation
    try:
        yield
    finally:
        sys.stdout, sys.stderr = before

"""Deterministic random numbers under a secret key: the HMAC-SHA256 of what a number is drawn for."""

import hashlib
import hmac
import re
from collections.abc import Collection

import pandas as pd

from paracosm.records.formats.cells import to_source_strings
from paracosm.records.formats.identifier_pattern import DIGITS, SMALL

HEX = "0123456789abcdef"


class KeyedRandom:
    """Random numbers that depend on a secret key and on their purpose alone.

    A run therefore gives the same bytes when it is resumed, and nobody without the key can reproduce a number.
    """

    def __init__(self, key: bytes) -> None:
        self._key = key

    def number(self, *purpose: object) -> int:
        """Return an integer in [0, 2**96)."""
        return int.from_bytes(self._digest(purpose)[:12], "big")

    def characters(self, text: str, purpose: tuple[str, ...], attempt: int) -> str:
        """Return `text` with random digits in place of its digits, and random letters in place of its letters.

        Letters stay if they are only a prefix of the digits. The rest of the text stays.

        Args:
            text: digits, letters and other characters.
            purpose: what the characters are drawn for.
            attempt: number of the draw, for another result.
        """
        body = re.sub(r"^\D+", "", text)
        mixed = not body or sum(map(str.isalpha, body)) > 2
        stream = self._stream((*purpose, str(attempt)), len(text))
        is_hex = len(text) >= 8 and set(text.lower()) <= {*HEX, "-"}
        new = []
        for index, (letter, drawn) in enumerate(zip(text, stream, strict=True)):
            if letter.isdecimal():
                # A number keeps its length when it is read as one.
                first = index == 0 and letter != "0" and text.isdecimal()
                new.append(DIGITS[1 + drawn % 9] if first else DIGITS[drawn % 10])
            elif not mixed or not letter.isalpha():
                new.append(letter)
            else:
                alphabet = HEX[10:] if is_hex else SMALL
                chosen = alphabet[drawn % len(alphabet)]
                new.append(chosen.upper() if letter.isupper() else chosen)
        return "".join(new)

    def _stream(self, purpose: tuple[str, ...], count: int) -> bytes:
        """Return `count` bytes below 250, so that every last digit is equally likely."""
        stream, block = b"", 0
        while len(stream) < count:
            stream += bytes(byte for byte in self._digest((*purpose, block)) if byte < 250)
            block += 1
        return stream[:count]

    def _digest(self, purpose: tuple[object, ...]) -> bytes:
        return hmac.digest(self._key, repr(purpose).encode(), hashlib.sha256)


def value_hash(key: bytes, column: str, value: str) -> str:
    """Return a keyed hash of a value, by which generation avoids it without knowing it."""
    return hmac.digest(
        key, repr((column, " ".join(value.split()).casefold())).encode(), hashlib.sha256
    ).hex()[:24]


def hashes_of(fields: Collection[str], raw: pd.DataFrame, key: bytes) -> dict[str, list[str]]:
    """Return the keyed hashes of all cells of some columns, sorted."""
    return {
        name: sorted(
            {value_hash(key, name, str(cell)) for cell in to_source_strings(raw[name]).dropna().unique()}
        )
        for name in fields
    }

"""Words of a text in any script: the one tokenisation of splits, copy filter, copy metrics, topics and text features.

Words are runs of letters, digits and marks between blanks and punctuation. Chinese, Japanese, Thai, Lao, Khmer, Burmese and
Tibetan put no blanks between words. A run of such characters is divided into overlapping pairs of characters instead, the usual
unit of search engines for these scripts (Nie, Gao, Zhang and Zhou 2000, On the use of words and n-grams for Chinese information
retrieval). Korean and Arabic put blanks between words.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise
from typing import Any

UNDIVIDED = (
    "\u0e00-\u0eff"  # Thai, Lao
    "\u0f00-\u0fff"  # Tibetan
    "\u1000-\u109f"  # Burmese
    "\u1780-\u17ff"  # Khmer
    "\u3005-\u3007\u3031-\u3035\u303b\u303c"  # iteration marks and the like
    "\u3040-\u30ff\u31f0-\u31ff\uff66-\uff9f"  # Hiragana, Katakana
    "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"  # Chinese characters
)
"""Character ranges of scripts without blanks between words."""
HAS_UNDIVIDED = re.compile(f"[{UNDIVIDED}]")
ASCII_WORD = re.compile(r"\w+", re.ASCII)
MARKS = range(0x300, 0x10000)
"""Code points that are searched for combining marks."""

NO_PATTERN: Any = None
"""`token_pattern` of a vectorizer that has a tokenizer; scikit-learn asks for None, and its type annotation forbids it."""


def words(text: str) -> list[str]:
    """Return the words of a text: runs of letters, digits, marks and underscores, case-folded, without punctuation.

    A run of a script without blanks between words gives its overlapping pairs of characters.
    """
    folded = text.casefold()
    if folded.isascii():
        return ASCII_WORD.findall(folded)
    # Composed and decomposed letters look alike, so a text in the other form is the same text.
    folded = unicodedata.normalize("NFC", folded)
    tokens = _word().findall(folded)
    return tokens if HAS_UNDIVIDED.search(folded) is None else list(_paired(tokens))


def verbatim_words(text: str) -> list[str]:
    """Return what stands between blanks, with its case and punctuation.

    A run of a script without blanks between words gives its overlapping pairs of characters, punctuation included.
    """
    chunks = text.split()
    if HAS_UNDIVIDED.search(text) is None:
        return chunks
    return [word for chunk in chunks for word in _chunk_words(chunk)]


def count_words(text: str) -> int:
    """Return the number of verbatim words of a text."""
    return len(verbatim_words(text))


def pieces(text: str) -> list[str]:
    """Return what stands between blanks, divided into single characters in scripts without blanks between words."""
    chunks = text.split()
    if HAS_UNDIVIDED.search(text) is None:
        return chunks
    return [piece for chunk in chunks for piece in _runs().findall(chunk)]


def joined(texts: Sequence[str]) -> str:
    """Return pieces as one text, with blanks except between two characters of a script without blanks."""
    parts: list[str] = []
    for before, piece in zip(["", *texts], texts, strict=False):
        if before and not (HAS_UNDIVIDED.match(before) and HAS_UNDIVIDED.match(piece)):
            parts.append(" ")
        parts.append(piece)
    return "".join(parts)


def _chunk_words(chunk: str) -> Iterator[str]:
    if HAS_UNDIVIDED.search(chunk) is None:
        yield chunk
    else:
        yield from _paired(_runs().findall(chunk))


def _paired(tokens: Iterable[str]) -> Iterator[str]:
    """Yield tokens, with each run of undivided characters as its overlapping pairs."""
    run: list[str] = []
    for token in tokens:
        if HAS_UNDIVIDED.match(token):
            run.append(token)
            continue
        yield from _pairs(run)
        run = []
        yield token
    yield from _pairs(run)


def _pairs(run: Sequence[str]) -> Iterable[str]:
    return run if len(run) < 2 else map("".join, pairwise(run))


@cache
def _word() -> re.Pattern[str]:
    """Return the pattern of a word, or of one character of an undivided script with the marks on it."""
    marks = _marks()
    return re.compile(rf"[{UNDIVIDED}][{marks}]*|[^\W{UNDIVIDED}](?:[^\W{UNDIVIDED}]|[{marks}])*")


@cache
def _runs() -> re.Pattern[str]:
    """Return the pattern of one character of an undivided script with its marks, or a run of anything else."""
    return re.compile(rf"[{UNDIVIDED}][{_marks()}]*|[^{UNDIVIDED}]+")


@cache
def _marks() -> str:
    """Return the combining marks of Unicode as character ranges: vowel signs and accents, which `\\w` leaves out."""
    codes = {code for code in MARKS if unicodedata.category(chr(code)) in ("Mn", "Mc")}
    starts = sorted(code for code in codes if code - 1 not in codes)
    ends = sorted(code for code in codes if code + 1 not in codes)
    return "".join(f"{chr(start)}-{chr(end)}" for start, end in zip(starts, ends, strict=True))

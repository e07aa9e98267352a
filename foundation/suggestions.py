"""Suggestions of the nearest allowed word, for error messages."""

import difflib
from collections.abc import Iterable

CUTOFF = 0.6
"""Least similarity (difflib ratio) of a suggested word, which is difflib's default."""


def did_you_mean(word: str, allowed: Iterable[str]) -> str:
    """Return `; did you mean 'x'?` for the most similar of `allowed`, or an empty string if none is similar."""
    close = difflib.get_close_matches(word, list(allowed), n=1, cutoff=CUTOFF)
    return f"; did you mean {close[0]!r}?" if close else ""

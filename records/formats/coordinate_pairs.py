"""Pairs of numbers in one cell, such as latitude and longitude: no key, and no number either."""

import re
from collections.abc import Iterable

DECIMAL_PAIR = re.compile(r"\(?[+-]?\d{1,3}[.,]\d+[ ,;/]+[+-]?\d{1,3}[.,]\d+\)?")


def are_pairs(cells: Iterable[str]) -> bool:
    """Return whether all cells hold two decimal numbers."""
    return all(map(DECIMAL_PAIR.fullmatch, cells))

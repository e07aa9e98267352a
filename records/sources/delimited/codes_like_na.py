"""Columns of two-letter codes in which `NA` is read as missing, although it may be one of the codes."""

import re

import pandas as pd

MISSING = "NA"
CODE = re.compile(r"[A-Z]{2}")
FEWEST = 3
"""Fewest other codes of a column that make `NA` look like one of them."""


def na_warning(name: str, cells: pd.Series, path: object) -> str | None:
    """Return a warning if the cells of a column beside `NA` are codes such as those of countries, of which Namibia's is `NA`.

    Args:
        name: the column's name.
        cells: its cells, of which those with `NA` are missing already.
        path: the file, for the warning.
    """
    codes = cells.dropna().unique()
    if len(codes) < FEWEST or not all(map(CODE.fullmatch, codes)):
        return None
    return (
        f"{path}: column {name!r}: NA is read as missing, but the other cells are codes of two letters; if it is a code (Namibia,"
        " North America), list data.missing without NA"
    )

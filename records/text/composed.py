"""Texts in composed Unicode (NFC), the form in which common tokenizers read: a letter and its accent are one character."""

import unicodedata
from collections.abc import Sequence

import pandas as pd

from paracosm.records.formats.cells import to_source_strings, with_columns


def composed(raw: pd.DataFrame, names: Sequence[str]) -> tuple[pd.DataFrame, list[str]]:
    """Return a raw table with composed texts, and a warning for each column that had others.

    Many tokenizers compose letters themselves, so that a decomposed text could not be read back from its tokens. A cell depends
    on this cell alone.

    Args:
        raw: the raw table.
        names: columns of texts.
    """
    changed, warnings = {}, []
    for name in names:
        cells = to_source_strings(raw[name])
        decomposed = [
            not cell.isascii() and not unicodedata.is_normalized("NFC", cell) for cell in cells.fillna("")
        ]
        if any(decomposed):
            changed[name] = cells.map(lambda cell: unicodedata.normalize("NFC", cell), na_action="ignore")
            warnings.append(
                f"column {name!r}: {sum(decomposed)} texts hold decomposed letters (Unicode NFD); read and written in composed"
                " form (NFC)"
            )
    return with_columns(raw, changed), warnings

"""Texts of a bounded length: longer ones end after a sentence or a word, or their records are left out."""

import re

import numpy as np
import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.formats.cells import with_columns
from paracosm.records.text.words import UNDIVIDED

SENTENCE_END = re.compile(r"[.!?…]+[\"'”’)\]]*(?=\s)|[。！？]+[」』”’]*|\n(?=\s*\n)")
FINAL_MARK = re.compile(r"[.!?…。！？]+[\"'”’)\]」』]*\s*$")
WORD_END = re.compile(rf"(?<=\S)(?=\s)|(?<=[{UNDIVIDED}])")
LEAST = 0.5
"""Share of the allowed length that a text keeps at least if it ends after a sentence."""


def ends_sentence(text: str) -> bool:
    """Return whether a text ends with the end of a sentence, whatever follows."""
    return FINAL_MARK.search(text) is not None


def cut_text(text: str, longest: int) -> str:
    """Return the beginning of a text, of at most `longest` characters, without a part of a word.

    It ends after the last sentence if that keeps at least half of the length, else after the last word. A single word that is
    longer is kept up to `longest`.
    """
    if len(text) <= longest:
        return text
    # One character more shows whether a word ends exactly at the limit.
    beginning = text[: longest + 1]
    sentences = [match.end() for match in SENTENCE_END.finditer(beginning) if match.end() <= longest]
    if sentences and sentences[-1] >= LEAST * longest:
        return beginning[: sentences[-1]].rstrip()
    words = [match.end() for match in WORD_END.finditer(beginning) if match.end() <= longest]
    return beginning[: words[-1] if words else longest].rstrip()


def with_bounded_texts(
    raw: pd.DataFrame, part: np.ndarray, names: list[str], data: Data
) -> tuple[pd.DataFrame, np.ndarray, tuple[str, ...]]:
    """Return a raw table whose texts have at most `data.longest_text` characters, where its rows are from, and a warning per column.

    What becomes of a row depends on this row alone, as privacy demands.

    Args:
        raw: the raw table.
        part: where each row is from; shape (rows,).
        names: its text columns.
        data: `longest_text` and `long_texts` are read.

    Raises:
        DataError: every record has a longer text and would be left out.
    """
    longest, warnings = data.longest_text, []
    if longest is None:
        return raw, part, ()
    rows = len(raw)
    for name in names:
        above = (raw[name].astype("string").str.len() > longest).fillna(False).to_numpy(bool)
        if not above.any():
            continue
        if data.long_texts == "drop":
            raw, part = raw[~above].reset_index(drop=True), part[~above]
            what = "their records are left out"
        else:
            cells = [None if pd.isna(text) else cut_text(text, longest) for text in raw[name]]
            raw = with_columns(raw, {name: pd.Series(cells, index=raw.index, dtype="string")})
            what = "cut after a sentence or a word"
        warnings.append(
            f"column {name!r}: {int(above.sum()):,} of {rows:,} texts have more than {longest:,} characters; {what} (data.long_texts)"
        )
    if raw.empty:
        raise DataError(
            f"data.longest_text: every record has a text of more than {longest:,} characters; raise it, or set data.long_texts to cut"
        )
    return raw, part, tuple(warnings)

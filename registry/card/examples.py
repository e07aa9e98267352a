"""Example records for a card: ten synthetic records, as text, with as many columns as a page shows."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from paracosm.recipes.sections.release import What

MOST_COLUMNS = 8
ROWS = 10
LONGEST = 60
"""Characters of a cell; a longer text ends in an ellipsis."""


@dataclass(frozen=True)
class Examples:
    """Synthetic records as text.

    Attributes:
        columns: names of the columns shown.
        rows: cells of each record.
        hidden: number of columns that are not shown.
    """

    columns: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = ()
    hidden: int = 0


def examples_of(shards: Sequence[Path], what: What) -> Examples:
    """Return the first ten synthetic records; none where the adapter alone is released."""
    if what == "adapter" or not shards:
        return Examples()
    table = pd.read_parquet(shards[0]).head(ROWS)
    shown = list(table.columns[:MOST_COLUMNS])
    rows = [[_text(row[name]) for name in shown] for _, row in table.iterrows()]
    return Examples(shown, rows, len(table.columns) - len(shown))


def _text(cell: Any) -> str:
    text = "" if pd.api.types.is_scalar(cell) and pd.isna(cell) else str(cell)
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

"""How often the text of a record spells one of its cells, compared with real records."""

import re
from collections.abc import Sequence

import numpy as np
import pandas as pd

from paracosm.eval.measuring.metric import Estimate
from paracosm.eval.statistics.intervals import around
from paracosm.records.schema.schema import Field

LEAST_MENTIONED = 0.05
"""Share of real texts that spell a column's cell from which the column is compared."""

Side = tuple[pd.DataFrame, Sequence[str]]
"""Records and their texts."""


def cell_mentions(fields: Sequence[Field], synthetic: Side, real: Side) -> dict[str, Estimate]:
    """Return `mentions`: 1 - the mean difference in the share of texts that spell a cell of their record.

    Returns nothing where no column is ever spelled in real texts.
    """
    similarity, variances = {}, []
    for field in fields:
        if field.is_text or (field.discrete and not field.kind.words):
            continue
        first, second = (_spelled(field, *side) for side in (synthetic, real))
        if not len(first) or not len(second) or second.mean() < LEAST_MENTIONED:
            continue
        similarity[field.name] = 1 - abs(float(first.mean() - second.mean()))
        variances.append(first.var() / len(first) + second.var() / len(second))
    if not similarity:
        return {}
    variance = float(np.sum(variances)) / len(similarity) ** 2
    mean = float(np.mean(list(similarity.values())))
    return {"mentions": around(mean, variance, (0.0, 1.0), breakdown=similarity)}


def _spelled(field: Field, rows: pd.DataFrame, texts: Sequence[str]) -> np.ndarray:
    """Return for each row with a cell whether its text spells the cell between word boundaries (0 or 1)."""
    spelled = []
    for cell, text in zip(rows[field.name], texts, strict=True):
        if not pd.isna(cell):
            word = re.escape(_written(field, cell))
            spelled.append(re.search(rf"(?<!\w){word}(?!\w)", text) is not None)
    return np.array(spelled, dtype=float)


def _written(field: Field, cell: object) -> str:
    """Return a cell as its field writes it, case-folded."""
    return str(field.write(field.kind.plain(cell))).casefold()

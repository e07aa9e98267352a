"""Known cells: can the synthetic records be compared with the real ones at all?

A copy of train under other labels resembles nothing. A distance then says that nothing leaks, although nothing was compared.
"""

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import leakage_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import KNOWN_CELLS as NAME
from paracosm.eval.measuring.gate import Gate
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import Estimate, Metric, Obstacle, Result
from paracosm.eval.measuring.number_format import percentage
from paracosm.eval.statistics.intervals import wilson


def _interpret(result: Result) -> str:
    worst = min(result.synthetic.breakdown.items(), key=lambda item: item[1])
    text = f"{percentage(result.synthetic.value, 1)} of cells have a value that real records have too"
    return f"{text}; in column {worst[0]!r}, {percentage(worst[1], 1)}."


KNOWN_CELLS = Metric(
    name=NAME,
    title="Known cells: share with a value of the real records",
    section="privacy",
    goal="up",
    range=(0.0, 1.0),
    source="Share of cells; Wilson's interval with one trial a record",
    what="Share of cells that are a category of the real records, or a number where they have one; otherwise nothing can be compared.",
    formula="mean over columns that are not text of the share of cells that are known, or missing as often as in real records",
    read=_interpret,
    zero=None,
    gates=(
        Gate(
            "at least",
            0.5,
            0.5,
            0.5,
            settled_by="synthetic records with the labels of the real ones",
            why="An attack by comparison does not see a copy under other labels.",
        ),
    ),
)


def known_cells(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `known_cells`: the mean over columns of the share of cells that can be compared."""
    from paracosm.eval.representations.features import MISSING, as_words

    shares = {}
    for field in context.fields:
        if field.is_text:
            continue
        cells, real = candidate[field.name], context.real[field.name]
        absent = float(cells.isna().mean())
        known = 1 - absent
        if not field.ordered:
            words = as_words(cells)
            known = float(np.mean(np.isin(words, np.unique(as_words(real))) & (words != MISSING)))
        shares[field.name] = min(1.0, known + min(absent, float(real.isna().mean())))
    value = float(np.mean(list(shares.values())))
    low, high = wilson(value * len(candidate), len(candidate))
    return {NAME: Estimate(value, low, high, breakdown=shares)}


def columns_obstacle(context: Context) -> Obstacle | None:
    """Return an obstacle where there are no cells to recognise, or None."""
    if all(field.is_text for field in context.fields):
        return Obstacle("every column is a text", curable=False)
    return None


MEASURE = Measure(known_cells, (KNOWN_CELLS,), leakage_candidates, columns_obstacle)

"""Means, spreads, quantiles, shares and correlations in train, in fresh real and in synthetic records."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import fidelity_candidates
from paracosm.eval.measuring.context import Context, drawn_rows, subsample
from paracosm.eval.measuring.measure import Measure, same_context, too_few
from paracosm.eval.measuring.metric import NORMAL_95, Estimate, Metric, Result
from paracosm.eval.measuring.number_format import percentage
from paracosm.eval.measuring.readings import beside_anchor
from paracosm.eval.statistics.intervals import wilson
from paracosm.eval.statistics.sampling_noise import (
    FEWEST_RECORDS,
    Measured,
    correlation,
    cramers_v,
    mean,
    share,
    spread,
)
from paracosm.records.schema.schema import Field

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
MOST_SHARES = 8
MOST_PAIRS = 300
STEPS = 20
"""Quantiles are rounded to a round fraction of the standard deviation near this part of it: a quantile is one person's value."""


def _interpret(result: Result) -> str:
    facts = result.synthetic.facts
    return (
        f"{percentage(result.synthetic.value)} of {facts['compared']} means, spreads, quantiles, shares and correlations are "
        f"within sampling noise of train{beside_anchor(result.ceiling, 'of fresh real records {} are')}."
    )


STATISTICS = Metric(
    name="statistics",
    title="Summary statistics within sampling noise",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Two-sample comparisons at 95% each: of means, standard deviations, shares, and of Pearson's, Spearman's and Cramér's "
    "coefficients by their influence functions",
    what="How many means, spreads, quantiles, shares and correlations of the synthetic records differ from train by no more than "
    "chance explains; 95% is perfect.",
    formula="share of statistics with |synthetic - train| at most 1.96 standard errors of the difference",
    read=_interpret,
)


def summary_statistics(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `statistics` of a candidate; the table itself is the fact `statistics`, a list of rows.

    Each row: `column` (`A × B` for a correlation), `statistic`, `train`, `fresh`, `synthetic` (the candidate; null where fewer than
    5 real records would show) and `within_noise` (null where nothing is compared).
    """
    settings = context.settings
    tables = {
        "train": context.reference,
        "fresh": context.held_out,
        "synthetic": subsample(candidate, settings.max_rows, settings.seed + 4),
    }
    rows = [row for field in context.fields for row in _of_column(field, tables)]
    rows += _of_pairs(context, tables)
    compared = [row for row in rows if row["within_noise"] is not None]
    within = sum(row["within_noise"] for row in compared)
    if not compared:
        return {}
    low, high = wilson(within, len(compared))
    facts = {"compared": len(compared), "within_noise": within, "statistics": rows}
    return {"statistics": Estimate(within / len(compared), low, high, {}, facts)}


def _of_column(field: Field, tables: dict[str, pd.DataFrame]) -> Iterator[dict[str, Any]]:
    from paracosm.eval.representations.features import as_words
    from paracosm.eval.statistics.column_functions import ordered_values

    missing = {name: table[field.name].isna().to_numpy() for name, table in tables.items()}
    if any(side.any() for side in missing.values()):
        yield _row(field.name, "missing", {name: share(side) for name, side in missing.items()})
    if field.discrete:
        words = {name: as_words(table[field.name].dropna()) for name, table in tables.items()}
        counts = pd.Series(words["train"]).value_counts()
        for word in counts.index[counts >= FEWEST_RECORDS][:MOST_SHARES]:
            yield _row(
                field.name, f"share of {word}", {name: share(side == word) for name, side in words.items()}
            )
        return
    values = {name: ordered_values(field, table[field.name]) for name, table in tables.items()}
    present = {name: side[~np.isnan(side)] for name, side in values.items()}
    if any(len(side) < FEWEST_RECORDS for side in present.values()):
        return
    label = field.kind.label if field.is_moment else None
    yield _row(field.name, "mean", {name: mean(side) for name, side in present.items()}, label)
    yield _row(field.name, "standard deviation", {name: spread(side) for name, side in present.items()})
    train = present["train"]
    step = _round_step(float(train.std()) / STEPS)
    for level in QUANTILES:
        if min(level, 1 - level) * len(train) < FEWEST_RECORDS:
            continue
        cut = float(np.quantile(train, level))
        row = _row(
            field.name,
            f"quantile {level:.0%}",
            {name: share((side < cut) + (side == cut) / 2) for name, side in present.items()},
        )
        shown = {
            name: round(float(np.quantile(side, level)) / step) * step
            if min(level, 1 - level) * len(side) >= FEWEST_RECORDS
            else None
            for name, side in present.items()
        }
        yield row | {name: _shown(value, label) for name, value in shown.items()}


def _of_pairs(context: Context, tables: dict[str, pd.DataFrame]) -> list[dict[str, Any]]:
    """Return the correlations of numbers and Cramér's V of categories; of very many pairs a random part."""
    from paracosm.eval.representations.features import as_words
    from paracosm.eval.statistics.column_functions import ordered_values

    rows: list[dict[str, Any]] = []
    every = [
        (one, other)
        for one, other in combinations([field for field in context.fields if not field.is_text], 2)
        if one.discrete == other.discrete
    ]
    for number in drawn_rows(len(every), MOST_PAIRS, context.settings.seed):
        one, other = every[number]
        name = f"{one.name} × {other.name}"
        if one.discrete:
            found = {
                side: cramers_v(as_words(table[one.name]), as_words(table[other.name]))
                for side, table in tables.items()
            }
            rows.append(_row(name, "Cramér's V", found, square=True))
            continue
        values = {
            side: [ordered_values(field, table[field.name]) for field in (one, other)]
            for side, table in tables.items()
        }
        for ranked, statistic in ((False, "Pearson correlation"), (True, "Spearman correlation")):
            found = {side: correlation(*both, ranked=ranked) for side, both in values.items()}
            rows.append(_row(name, statistic, found))
    return rows


def _row(
    column: str,
    statistic: str,
    found: dict[str, Measured],
    label: Any = None,
    *,
    square: bool = False,
) -> dict[str, Any]:
    """Return one row of the table.

    Args:
        column: one or two columns.
        statistic: its name.
        found: the statistic on every side.
        label: writes a value as text; numbers stay numbers without it.
        square: whether the statistic that is compared is the square of the one that is shown.
    """
    train, synthetic = found["train"], found["synthetic"]
    known = train.shown and np.isfinite([train.value, synthetic.value]).all()
    noise = np.sqrt(train.variance + synthetic.variance)
    within = bool(abs(synthetic.value - train.value) <= NORMAL_95 * noise + 1e-12) if known else None

    def shown(side: str) -> Any:
        one = found[side]
        if not np.isfinite(one.value) or (side != "synthetic" and not one.shown):
            return None
        return _shown(float(np.sqrt(max(one.value, 0.0))) if square else one.value, label)

    return {
        "column": column,
        "statistic": statistic,
        **{side: shown(side) for side in ("train", "fresh", "synthetic")},
        "within_noise": within,
    }


def _shown(value: float | None, label: Any) -> Any:
    if value is None:
        return None
    return float(f"{value:.6g}") if label is None else label(value)


def _round_step(size: float) -> float:
    if not size > 0:
        return 1e-9
    power = 10.0 ** np.floor(np.log10(size))
    return float(power * max(factor for factor in (1, 2, 5) if factor * power <= size * 1.0000001))


MEASURE = Measure(summary_statistics, (STATISTICS,), same_context(fidelity_candidates), too_few)

"""Distance to closest record (DCR): are synthetic records closer to train than fresh real records are?"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context, subsample
from paracosm.eval.measuring.found_counts import interpret_count
from paracosm.eval.measuring.gate import COPIES, HELD_OUT, Gate
from paracosm.eval.measuring.measure import Measure, too_few_control
from paracosm.eval.measuring.metric import Estimate, Metric, Result
from paracosm.eval.measuring.non_members import non_member_candidates
from paracosm.eval.measuring.number_format import of_100
from paracosm.eval.privacy.copies.match_weight import MATCH_WEIGHT
from paracosm.eval.privacy.copies.repeated_records import NNDR, REPEATED_PEOPLE, repeated_records
from paracosm.eval.statistics.intervals import around
from paracosm.recipes.sections.evaluate import Evaluate

if TYPE_CHECKING:
    from paracosm.eval.representations.row_distance import Nearest, RowVectors

MOST_TARGETS = 40_000
CONTROL_NEIGHBOURS = 16
MOST_HALVES = 400


def _interpret_dcr(result: Result) -> str:
    text = (
        f"For {of_100(result.synthetic.value)} of 100 synthetic records the nearest real record is one of train "
        "rather than one of as many unseen ones; 50 is chance"
    )
    worst = result.estimates.get("worst")
    if worst is not None:
        text += f"; a verbatim copy of train would score {of_100(worst.value)} here"
    return text + "."


DCR_SHARE = Metric(
    name="dcr_share",
    title="Distance to closest record (DCR): share nearer to train",
    section="privacy",
    goal="down",
    range=(0.0, 1.0),
    source="Platzer & Reutterer 2021, holdout-based assessment; Yao et al. 2025 (arXiv 2505.01524) on why it cannot clear a release",
    what="How often the record nearest to a synthetic one is a training record rather than one of equally many unseen ones.",
    formula="P(d to train < d to control) + P(=) / 2 at equal sizes, mean over all subsamples of train in closed form",
    read=_interpret_dcr,
    zero="worst",
    gates=(
        Gate(
            "at most",
            0.55,
            0.55,
            0.55,
            settled_by=HELD_OUT,
            proof_for=(),
            guarded=True,
            why="Sets that keep this limit were attacked with success (arXiv 2505.01524), so it clears nothing.",
        ),
    ),
)
NO_COPY = Gate(
    "at most",
    0.01,
    0.005,
    0.001,
    settled_by=COPIES,
    why="A released copy of a record is a disclosure to any reader, and few records suffice to rule it out.",
    excludes="{one_in} released records",
)
"""The gate on exact copies, and on near ones."""
EXACT_COPIES = Metric(
    name="exact_copies",
    title="Exact copies of training records",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="Rate minus that by chance (Esty 1983); interval: Newcombe 1998, method 10",
    what="Share of synthetic records that equal a training record in every field, minus the share that would by chance.",
    formula="share equal to a training record in all cells - share of training records that equal another one; Newcombe",
    read=interpret_count,
    unit="points",
    zero="worst",
    gates=(NO_COPY,),
)
NEAR_COPIES = Metric(
    name="near_copies",
    title="Exact and near copies of training records",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="Nearest-neighbour distance ratio (NNDR), minus that within train; interval: Newcombe 1998",
    what="Share of synthetic records that repeat or nearly repeat one training record, minus the share that would by chance.",
    formula="share equal to a training record, or with a distance ratio (`nndr`) of at most 0.1 in columns, 0.2 in rare cells or 0.3 in texts, - that of "
    "training records among each other",
    read=interpret_count,
    unit="points",
    zero="worst",
    gates=(NO_COPY,),
)


def leakage(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `dcr_share`, and what `repeated_records` measures, of a candidate against train."""
    from paracosm.eval.representations.row_distance import nearest

    real: _Real = context.once("leakage", lambda: _Real.of(context))
    synthetic = real.vectors(candidate)
    to_train = nearest(synthetic, real.train_rows, real.deep)
    to_control = nearest(synthetic, real.control_rows, CONTROL_NEIGHBOURS)
    return {
        "dcr_share": _dcr_share(real, to_train, to_control, context.settings),
        **repeated_records(context, candidate),
    }


@dataclass(frozen=True)
class _Real:
    """The real side of the comparison, the same for all candidates."""

    vectors: RowVectors
    train_rows: np.ndarray
    control_rows: np.ndarray
    deep: int
    """Number of nearest training records that are searched: enough for subsamples of half of control's size."""

    @classmethod
    def of(cls, context: Context) -> _Real:
        """Prepare train and control."""
        from paracosm.eval.representations.row_distance import RowVectors

        train = subsample(context.train, MOST_TARGETS, context.settings.seed)
        control = subsample(context.control, len(train), context.settings.seed)
        vectors = RowVectors(context.fields, pd.concat([train, control], ignore_index=True))
        deep = min(len(train), 12 * -(-len(train) // max(1, len(control) // 2)))
        return cls(vectors, vectors(train), vectors(control), deep)


def _dcr_share(real: _Real, to_train: Nearest, to_control: Nearest, settings: Evaluate) -> Estimate:
    """Return P(d_train < d_control) + P(d_train = d_control) / 2 with as many train as control records.

    The mean over all subsamples of train with the size of control is computed in closed form: a training record at rank r is
    the nearest of a random subsample with a hypergeometric probability. The interval adds the variance over candidate rows and
    that over control rows (halves of control against subsamples of train of the same size).
    """
    train_rows, control_rows = len(real.train_rows), len(real.control_rows)
    closer, as_close = _train_ranks(to_train.distance, to_control.distance)
    shares = _shares(closer[:, 0], as_close[:, 0], train_rows, control_rows)
    half = max(1, control_rows // 2)
    by_neighbour = _shares(closer, as_close, train_rows, half)
    random = np.random.default_rng([settings.seed, 23])
    values = []
    for _ in range(min(settings.bootstrap, MOST_HALVES)):
        drawn = np.zeros(control_rows, dtype=bool)
        drawn[random.choice(control_rows, half, replace=False)] = True
        first = drawn[to_control.index].argmax(axis=1)
        values.append(by_neighbour[np.arange(len(first)), first].mean())
    control_variance = np.var(values, ddof=1) * (1 + control_rows / train_rows)
    variance = shares.var(ddof=1) / len(shares) + control_variance
    facts = {"rows": len(shares), "rows_each_side": control_rows, "targets": train_rows}
    return around(float(shares.mean()), float(variance), (0.0, 1.0), facts=facts)


def _train_ranks(to_train: np.ndarray, to_control: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many training records are closer than, and at most as far as, each control neighbour (rows x k)."""
    columns = range(to_control.shape[1])
    closer = np.stack([(to_train < to_control[:, [k]]).sum(axis=1) for k in columns], axis=1)
    as_close = np.stack([(to_train <= to_control[:, [k]]).sum(axis=1) for k in columns], axis=1)
    return closer, as_close


def _shares(closer: np.ndarray, as_close: np.ndarray, train_rows: int, drawn: int) -> np.ndarray:
    """Return the probability that the nearest of `drawn` training records is closer than control; ties count half."""
    return 1 - (_none_drawn(closer, train_rows, drawn) + _none_drawn(as_close, train_rows, drawn)) / 2


def _none_drawn(ranks: np.ndarray, rows: int, drawn: int) -> np.ndarray:
    """Return the probability that `drawn` of `rows` records, without replacement, include none of the first `ranks`."""
    from scipy.special import gammaln

    rest = rows - ranks
    possible = rest >= drawn
    rest = np.where(possible, rest, drawn)
    logarithm = gammaln(rest + 1) - gammaln(rest - drawn + 1) - gammaln(rows + 1) + gammaln(rows - drawn + 1)
    return np.where(possible, np.exp(logarithm), 0.0)


MEASURE = Measure(
    leakage,
    (DCR_SHARE, EXACT_COPIES, NEAR_COPIES, NNDR, MATCH_WEIGHT, REPEATED_PEOPLE),
    non_member_candidates,
    too_few_control,
)

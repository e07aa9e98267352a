"""Are synthetic records closer to the training records than fresh real records are?"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.special import gammaln

from paracosm.eval.measuring.context import Context, subsample
from paracosm.eval.measuring.metric import Estimate
from paracosm.eval.privacy.copies import exact_flags, text_flags
from paracosm.eval.representations.row_distance import Nearest, RowVectors, nearest
from paracosm.eval.statistics.intervals import around, excess
from paracosm.recipes.sections.evaluate import Evaluate

MOST_TARGETS = 40_000
CONTROL_NEIGHBOURS = 16
RADIUS_SHARE = 0.5
SMALLEST_RADIUS = 0.02
MOST_HALVES = 400


def leakage(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `dcr_share`, `exact_copies` and `near_copies` of a candidate against train, with control as reference."""
    real: _Real = context.once("leakage", lambda: _Real.of(context))
    ours = real.vectors(candidate)
    to_train = nearest(ours, real.train_rows, real.deep)
    to_control = nearest(ours, real.control_rows, CONTROL_NEIGHBOURS)
    exact = exact_flags(candidate, context.train, context.fields)
    closest = nearest(real.vectors_of_train(candidate), real.train_alone, 1)
    near = closest.distance[:, 0] <= real.radius
    near |= text_flags(candidate, real.train, closest.index[:, 0], context.fields)
    facts = {"radius": round(real.radius, 6)}
    return {
        "dcr_share": _dcr_share(real, to_train, to_control, context.settings),
        "exact_copies": _excess(exact, real.control_exact, {}),
        "near_copies": _excess(near | exact, real.control_near | real.control_exact, facts),
    }


@dataclass(frozen=True)
class _Real:
    """The real records' side of every leakage metric, the same for all candidates."""

    train: pd.DataFrame
    vectors: RowVectors
    train_rows: np.ndarray
    control_rows: np.ndarray
    vectors_of_train: RowVectors
    """Of ranks among train alone, so that control's records are no nearer to the ranks than the candidate's."""
    train_alone: np.ndarray
    deep: int
    """How many nearest training records are looked at: enough for subsamples of half of control's size."""
    radius: float
    """A near copy lies within half of the distance that only 1% of control come to train."""
    control_exact: np.ndarray
    control_near: np.ndarray

    @classmethod
    def of(cls, context: Context) -> "_Real":
        train = subsample(context.train, MOST_TARGETS, context.settings.seed)
        control = subsample(context.control, len(train), context.settings.seed)
        vectors = RowVectors(context.fields, pd.concat([train, control], ignore_index=True))
        known, unseen = vectors(train), vectors(control)
        of_train = RowVectors(context.fields, train)
        alone = of_train(train)
        found = nearest(of_train(control), alone, 1)
        radius = max(SMALLEST_RADIUS, RADIUS_SHARE * float(np.quantile(found.distance[:, 0], 0.01)))
        near = found.distance[:, 0] <= radius
        near |= text_flags(control, train, found.index[:, 0], context.fields)
        exact = exact_flags(control, context.train, context.fields)
        deep = min(len(known), 12 * -(-len(known) // max(1, len(control) // 2)))
        return cls(train, vectors, known, unseen, of_train, alone, deep, radius, exact, near)


def _dcr_share(real: _Real, to_train: Nearest, to_control: Nearest, settings: Evaluate) -> Estimate:
    """Return P(d_train < d_control) + P(d_train = d_control) / 2 with as many train as control records.

    The mean over all subsamples of train of control's size is taken in closed form: a training record at rank r is the
    nearest of a random subsample with a hypergeometric probability. The interval adds the variance over candidate rows
    and that over control rows (halves of control against halves of the same size of train).
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


def _train_ranks(known: np.ndarray, unseen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return how many training records lie closer than (and as close as) each control neighbour (rows x k)."""
    columns = range(unseen.shape[1])
    closer = np.stack([(known < unseen[:, [k]]).sum(axis=1) for k in columns], axis=1)
    as_close = np.stack([(known <= unseen[:, [k]]).sum(axis=1) for k in columns], axis=1)
    return closer, as_close


def _shares(closer: np.ndarray, as_close: np.ndarray, train_rows: int, drawn: int) -> np.ndarray:
    return 1 - (_none_drawn(closer, train_rows, drawn) + _none_drawn(as_close, train_rows, drawn)) / 2


def _none_drawn(ranks: np.ndarray, rows: int, drawn: int) -> np.ndarray:
    """Return the probability that `drawn` of `rows` records, without replacement, hold none of the first `ranks`."""
    rest = rows - ranks
    possible = rest >= drawn
    rest = np.where(possible, rest, drawn)
    logarithm = gammaln(rest + 1) - gammaln(rest - drawn + 1) - gammaln(rows + 1) + gammaln(rows - drawn + 1)
    return np.where(possible, np.exp(logarithm), 0.0)


def _excess(flags: np.ndarray, control_flags: np.ndarray, facts: dict[str, float]) -> Estimate:
    """Return the candidate's rate of copies minus control's."""
    counts = {
        "copies": int(flags.sum()),
        "rows": len(flags),
        "control_copies": int(control_flags.sum()),
        "control_rows": len(control_flags),
    }
    found = excess(counts["copies"], len(flags), counts["control_copies"], len(control_flags))
    return replace(found, facts=counts | facts)

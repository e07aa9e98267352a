"""Are synthetic records closer to the training records than fresh real records are?"""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from scipy.special import gammaln

from paracosm.eval.context import Context, subsample
from paracosm.eval.copies import exact_flags, text_flags
from paracosm.eval.distances import Nearest, RowVectors, nearest
from paracosm.eval.metric import NORMAL_95, Estimate, around

MOST_TARGETS = 40_000
CONTROL_NEIGHBOURS = 16
RADIUS_SHARE = 0.5
SMALLEST_RADIUS = 0.02
MOST_HALVES = 400


def leakage(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `dcr_share`, `exact_copies` and `near_copies` of a candidate against train, with control as reference."""
    train = subsample(context.train, MOST_TARGETS, context.settings.seed)
    geometry = _Geometry.of(context, train, candidate)
    copies = exact_flags(candidate, context.train, context.fields)
    control_copies = exact_flags(context.control, context.train, context.fields)
    near, control_near, radius = _near_flags(context, train, candidate, geometry)
    return {
        "dcr_share": _dcr_share(geometry, context.settings.bootstrap, context.settings.seed),
        "exact_copies": _excess(copies, control_copies, {}),
        "near_copies": _excess(near | copies, control_near | control_copies, {"radius": round(radius, 6)}),
    }


@dataclass(frozen=True)
class _Geometry:
    """Nearest training and control records of the candidate, and nearest training records of control."""

    to_train: Nearest
    to_control: Nearest
    control_to_train: Nearest
    train_rows: int
    control_rows: int

    @classmethod
    def of(cls, context: Context, train: pd.DataFrame, candidate: pd.DataFrame) -> "_Geometry":
        control = subsample(context.control, len(train), context.settings.seed)
        vectors = RowVectors(context.fields, pd.concat([train, control], ignore_index=True))
        ours, known, unseen = vectors(candidate), vectors(train), vectors(control)
        half = max(1, len(control) // 2)
        deep = min(len(known), 12 * -(-len(known) // half))
        return cls(
            nearest(ours, known, deep),
            nearest(ours, unseen, CONTROL_NEIGHBOURS),
            nearest(unseen, known, 1),
            len(known),
            len(unseen),
        )


def _dcr_share(geometry: _Geometry, bootstrap: int, seed: int) -> Estimate:
    """Return P(d_train < d_control) + P(d_train = d_control) / 2 with as many train as control records.

    The mean over all subsamples of train of control's size is taken in closed form: a training record at rank r is the
    nearest of a random subsample with a hypergeometric probability. The interval adds the variance over candidate rows
    and that over control rows (halves of control against halves of the same size of train).
    """
    closer, as_close = _train_ranks(geometry)
    shares = _shares(closer[:, 0], as_close[:, 0], geometry.train_rows, geometry.control_rows)
    half = max(1, geometry.control_rows // 2)
    by_neighbour = _shares(closer, as_close, geometry.train_rows, half)
    random = np.random.default_rng([seed, 23])
    values = []
    for _ in range(min(bootstrap, MOST_HALVES)):
        drawn = np.zeros(geometry.control_rows, dtype=bool)
        drawn[random.choice(geometry.control_rows, half, replace=False)] = True
        first = drawn[geometry.to_control.index].argmax(axis=1)
        values.append(by_neighbour[np.arange(len(first)), first].mean())
    control_variance = np.var(values, ddof=1) * (1 + geometry.control_rows / geometry.train_rows)
    variance = shares.var(ddof=1) / len(shares) + control_variance
    facts = {"rows": len(shares), "rows_each_side": geometry.control_rows, "targets": geometry.train_rows}
    return around(float(shares.mean()), float(variance), (0.0, 1.0), facts=facts)


def _train_ranks(geometry: _Geometry) -> tuple[np.ndarray, np.ndarray]:
    """Return how many training records lie closer than (and as close as) each control neighbour (rows x k)."""
    known, unseen = geometry.to_train.distance, geometry.to_control.distance
    closer = np.stack([(known < unseen[:, [k]]).sum(axis=1) for k in range(unseen.shape[1])], axis=1)
    as_close = np.stack([(known <= unseen[:, [k]]).sum(axis=1) for k in range(unseen.shape[1])], axis=1)
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


def _near_flags(
    context: Context, train: pd.DataFrame, candidate: pd.DataFrame, geometry: _Geometry
) -> tuple[np.ndarray, np.ndarray, float]:
    """Return which candidate and which control rows are near copies of a training record, and the radius.

    Near: within half of the distance that only 1% of control come to train, or a long text that is nearly the same.
    """
    ours, control = geometry.to_train, geometry.control_to_train
    radius = max(SMALLEST_RADIUS, RADIUS_SHARE * float(np.quantile(control.distance[:, 0], 0.01)))
    unseen = subsample(context.control, len(train), context.settings.seed)
    near = (ours.distance[:, 0] <= radius) | text_flags(candidate, train, ours.index[:, 0], context.fields)
    control_near = (control.distance[:, 0] <= radius) | text_flags(
        unseen, train, control.index[:, 0], context.fields
    )
    return near, control_near, radius


def _excess(flags: np.ndarray, control_flags: np.ndarray, facts: dict[str, float]) -> Estimate:
    """Return the candidate's rate minus control's, with Newcombe's interval (1998, method 10), sound at 0 events."""
    ours, theirs = float(flags.mean()), float(control_flags.mean())
    low, high = wilson(int(flags.sum()), len(flags))
    control_low, control_high = wilson(int(control_flags.sum()), len(control_flags))
    value = ours - theirs
    counts = {
        "copies": int(flags.sum()),
        "rows": len(flags),
        "control_copies": int(control_flags.sum()),
        "control_rows": len(control_flags),
    }
    return Estimate(
        value,
        value - float(np.hypot(ours - low, control_high - theirs)),
        value + float(np.hypot(high - ours, theirs - control_low)),
        facts=counts | facts,
    )


def wilson(events: int, trials: int) -> tuple[float, float]:
    """Return Wilson's 95% interval of a proportion (Wilson 1927)."""
    square = NORMAL_95**2
    centre = (events + square / 2) / (trials + square)
    margin = NORMAL_95 / (trials + square) * np.sqrt(events * (trials - events) / trials + square / 4)
    return max(0.0, float(centre - margin)), min(1.0, float(centre + margin))

"""Singling out: do combinations of cells that are unique among synthetic records pick out training records?"""

import math
from collections.abc import Iterator

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import HELD_OUT, OUTSIDE, Gate
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import Estimate, Metric, Result
from paracosm.eval.measuring.non_members import non_member_candidates
from paracosm.eval.measuring.number_format import percentage
from paracosm.eval.privacy.gdpr_risks.targets import RiskTargets, risks_obstacle
from paracosm.eval.statistics.intervals import wilson

COMBINATIONS = 100
PREDICATE_FIELDS = (2, 3, 4, 5)
CELL_WIDTH = 2.0
"""In units of `SAME_RANK`: numbers are the same within a fiftieth of the ranks."""
MIXER = np.uint64(0x9E3779B97F4A7C15)


def _interpret(result: Result) -> str:
    share = (1 + result.synthetic.value) / 2
    return (
        f"Of the records that {result.synthetic.facts['predicates']:,} combinations of cells single out, "
        f"{percentage(share)} are training records rather than one of as many non-members; 50% is chance."
    )


SINGLING_OUT = Metric(
    name="singling_out",
    title="Singling-out risk",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="WP216 (Article 29 Working Party 2014); predicates as in Giomi et al. 2023, at equal sizes",
    what="Whether a combination of cells that is unique among synthetic records picks out a training record rather than a non-member.",
    formula="2 s - 1, s: share of train among the records singled out by predicates of 2 to 5 cells, at equal sizes",
    read=_interpret,
    zero="worst",
    gates=(
        Gate(
            "at most",
            0.15,
            0.1,
            0.05,
            settled_by=HELD_OUT,
            guarded=True,
            proof_for=OUTSIDE,
            why="It takes an attacker who searches the released records for rare people; inside, access rules stand against that, outside nothing does.",
        ),
    ),
)


def singling_out(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `singling_out`: 2 s - 1, where s is the share of train among the records that predicates single out.

    A predicate states a few cells of one synthetic record and holds for no other; numbers and dates count as the same within a
    fiftieth of the ranks. It singles out a record if it holds for exactly one record of a subsample of train with the size of the
    non-members and all non-members together; the mean over such subsamples is computed in closed form. Both sides are equally
    large, so s is 1/2 without a leak. All predicates of a combination of columns are looked up at once, so that they are tens
    of thousands and most people are reached.
    """
    real = RiskTargets.of(context)
    codes, train, others = real.codes(candidate), real.train_codes, real.control_codes
    random = np.random.default_rng([context.settings.seed, 41])
    by_train, by_other, predicates = np.zeros(len(train)), np.zeros(len(others)), 0
    for columns in _combinations(codes.shape[1], random):
        shift = random.random(len(columns)) * CELL_WIDTH
        keys, train_keys, other_keys = (_keys(side[:, columns], shift) for side in (codes, train, others))
        distinct, counts = np.unique(keys, return_counts=True)
        alone = distinct[counts == 1]
        predicates += len(alone)
        in_train, in_others = _matches(train_keys, alone), _matches(other_keys, alone)
        hits, other_hits = (
            np.bincount(side[side >= 0], minlength=len(alone)) for side in (in_train, in_others)
        )
        one, none = _probabilities(hits, len(train), min(len(train), len(others)))
        shares = np.where(other_hits == 0, one, 0.0) / np.maximum(hits, 1)
        by_train[in_train >= 0] += shares[in_train[in_train >= 0]]
        by_other[in_others >= 0] += np.where(other_hits == 1, none, 0.0)[in_others[in_others >= 0]]
    facts = {
        "predicates": predicates,
        "people_singled_out": int((by_train > 0).sum() + (by_other > 0).sum()),
    }
    return {"singling_out": _estimate(by_train, by_other, facts)}


def _combinations(columns: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Yield different random combinations of 2 to 5 columns, at most 100."""
    sizes = [size for size in PREDICATE_FIELDS if size <= columns]
    possible = sum(math.comb(columns, size) for size in sizes)
    seen: set[tuple[int, ...]] = set()
    while len(seen) < min(COMBINATIONS, possible):
        size = random.choice(sizes)
        chosen = np.sort(random.choice(columns, size, replace=False))
        if tuple(chosen) not in seen:
            seen.add(tuple(chosen))
            yield chosen


def _keys(codes: np.ndarray, shift: np.ndarray) -> np.ndarray:
    """Return a number for each row that rows with the same cells share (codes: rows x chosen columns)."""
    cells = np.floor((codes + shift) / CELL_WIDTH).astype(np.int64).astype(np.uint64)
    keys = np.zeros(len(codes), dtype=np.uint64)
    for column in cells.T:
        keys = (keys ^ column) * MIXER
        keys ^= keys >> np.uint64(29)
    return keys


def _matches(keys: np.ndarray, alone: np.ndarray) -> np.ndarray:
    """Return the number of the key in sorted `alone` that each row has, -1 for none."""
    if not len(alone):
        return np.full(len(keys), -1)
    place = np.minimum(np.searchsorted(alone, keys), len(alone) - 1)
    return np.where(alone[place] == keys, place, -1)


def _probabilities(hits: np.ndarray, rows: int, drawn: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the probabilities that `drawn` of `rows` records include exactly one of `hits`, and none (hypergeometric)."""
    from scipy.stats import hypergeom

    distinct, places = np.unique(hits, return_inverse=True)
    one, none = (hypergeom.pmf(number, rows, distinct, drawn)[places] for number in (1, 0))
    return one, none


def _estimate(by_train: np.ndarray, by_other: np.ndarray, facts: dict[str, int]) -> Estimate:
    """Return 2 s - 1 with its interval.

    The interval is Wilson's, with as many trials as the variance of s over the people of both sides implies. Where nobody varies
    (all on one side), every person is one trial.

    Args:
        by_train: expected number of predicates that single out each record of train.
        by_other: the same for non-members.
        facts: of the estimate.
    """
    train_total, other_total = by_train.sum(), by_other.sum()
    total = train_total + other_total
    if total == 0:
        return Estimate(0.0, -1.0, 1.0, facts=facts)
    share = train_total / total
    variance = (
        other_total**2 * by_train.var() * len(by_train) + train_total**2 * by_other.var() * len(by_other)
    ) / total**4
    people = float((by_train > 0).sum() + (by_other > 0).sum())
    trials = max(1.0, share * (1 - share) / variance) if variance > 0 else people
    low, high = wilson(share * trials, trials)
    return Estimate(float(2 * share - 1), float(2 * low - 1), float(2 * high - 1), facts=facts)


MEASURE = Measure(singling_out, (SINGLING_OUT,), non_member_candidates, risks_obstacle)

"""Released records that repeat or name one training record, and training records that are repeated or named.

Two sides of the same leak: a rate among released records, against that by which training records repeat each other; and a rate
among people, those of train against non-members. Further released records lower the first, but
not the second.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context, drawn_rows, subsample
from paracosm.eval.measuring.found_counts import FoundCount, interpret_count
from paracosm.eval.measuring.gate import COPIES, HELD_OUT, Gate
from paracosm.eval.measuring.metric import Estimate, Metric
from paracosm.eval.privacy.copies.exact import (
    Rate,
    distinct_units,
    exact_flags,
    rate_of,
    row_hashes,
    share_of_repeats,
)
from paracosm.eval.privacy.copies.match_weight import matches
from paracosm.eval.privacy.copies.natural_rate import THREE_TESTS, NaturalRate, beyond_chance
from paracosm.eval.privacy.copies.rare_combinations import RareCombinations
from paracosm.eval.statistics.intervals import excess

if TYPE_CHECKING:
    from paracosm.eval.privacy.copies.distance_ratio import Beside, RealRecords

MOST_TRAIN = 40_000
NAMED = 0.5
"""Distance ratio up to which a record names the one beside it."""
EXACT = "released records {repeats|repeat} a training record"
NEAR = "released records {repeats or nearly repeats|repeat or nearly repeat} a training record"
BESIDE = "released records {lies|lie} beside one training record, far from any other"
REPEATED = "training records {is|are} repeated or nearly repeated"

NNDR = Metric(
    name="nndr",
    title="Nearest-neighbour distance ratio (NNDR): records beside one training record",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="Nearest-neighbour distance ratio as in Zhao et al. 2021 (CTAB-GAN), as an attack on each record; Newcombe 1998",
    what="Share of synthetic records that lie at most half as far from one training record as from any other real one, minus the share "
    "that would by chance.",
    formula="share with d1 / d2 <= 0.5, d1: to the nearest real record, one of train; d2: to the second nearest - that of training "
    "records among each other; lower bound at 99%",
    read=interpret_count,
    unit="points",
    zero="worst",
    gates=(
        Gate(
            "at most",
            0.01,
            0.005,
            0.001,
            settled_by=COPIES,
            proof_for=(),
            why="Real records lie beside each other by chance too, in a table of few columns often; `near_copies` gives the proof.",
        ),
    ),
)
REPEATED_PEOPLE = Metric(
    name="repeated_people",
    title="Training records repeated: share of the people",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="Rate minus that of non-members; intervals: Newcombe 1998, the largest of three lower bounds (Bonferroni)",
    what="Share of training records that a synthetic record repeats or nearly repeats, minus the share of non-members; more synthetic "
    "records do not lower it.",
    formula="share of train that `near_copies` finds repeated - that of control and test; lower bound: also those of `near_copies` and `exact_copies`",
    read=interpret_count,
    unit="points",
    zero="worst",
    gates=(
        Gate(
            "at most",
            0.0,
            0.0,
            0.0,
            settled_by=HELD_OUT,
            proof_for=(),
            guarded=True,
            why="One person is too many, so it FAILs as soon as the count is beyond chance; a count of 0 cannot be proven by sampling.",
        ),
    ),
)


def repeated_records(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `exact_copies`, `near_copies`, `nndr`, `repeated_people` and, where there are columns, `match_weight`."""
    real: _Reference = context.once("repeated records", lambda: _Reference.of(context))
    beside = real.records.beside(candidate)
    exact = exact_flags(candidate, context.train, context.fields)
    near = exact | _near(beside, 0, real.train_count)
    named = beside.within(NAMED, 0, real.train_count)
    rows, record, rare = (
        row_hashes(candidate, context.fields),
        beside.record,
        real.combinations.rare(candidate),
    )
    found = {
        "exact_copies": real.exact.beyond(exact, rows, rare, EXACT),
        "near_copies": real.near_rate.beyond(near, np.where(exact, rows, record), rare, NEAR),
        "nndr": beyond_chance(named, record, real.named_rate, BESIDE, THREE_TESTS),
        "repeated_people": real.people(
            beside, near, [real.near_rate.fewest(near, rare), real.exact.fewest(exact, rare)]
        ),
    }
    weights = real.records.match_weights(candidate, real.train_count)
    if weights is not None and real.weights is not None:
        found["match_weight"] = matches(weights, real.weights, independent=real.independent)
    return found


@dataclass(frozen=True)
class _Reference:
    """The real records, and how often they repeat and name each other."""

    records: RealRecords
    combinations: RareCombinations
    train_count: int
    other_count: int
    exact: NaturalRate
    near_rate: NaturalRate
    named_rate: Rate
    weights: np.ndarray | None
    """Match weights of the reference records; None without columns."""
    independent: float
    """Share of the reference records whose matches are independent: one half within train, where two records match each other."""

    @classmethod
    def of(cls, context: Context) -> _Reference:
        from paracosm.eval.privacy.copies.distance_ratio import RealRecords

        units, sizes, exact = distinct_units(context.train, context.fields)
        drawn = drawn_rows(len(units), MOST_TRAIN, context.settings.seed)
        train, sizes = context.train.iloc[units[drawn]].reset_index(drop=True), sizes[drawn]
        others = subsample(context.control, len(train), context.settings.seed)
        records = RealRecords(context.fields, pd.concat([train, others], ignore_index=True))
        combinations = RareCombinations(context.fields, records.real)
        rare, own = combinations.rare(records.real), np.arange(len(records.real))
        of_train, of_others = slice(len(train)), slice(len(train), None)
        among = records.among_themselves()
        beside = _near(among, 0, len(train))
        named = among.within(NAMED, 0, len(train))
        copied = exact_flags(others, context.train, context.fields)
        flags = ((copied, copied | beside[of_others]), (sizes > 1, beside[of_train] | (sizes > 1)))
        by_others = [rate_of(each, 1.0) for each in (*flags[0], named[of_others])]
        # Two records that lie beside each other are one event.
        within = [exact, *(rate_of(each, 0.5) for each in (flags[1][1], named[of_train]))]
        # Records of one subject resemble each other; and where copies of one record are divided at random, non-members repeat
        # train too, and so do fresh records.
        divided = any(_is_higher(*pair) for pair in zip(by_others, within, strict=True))
        apart = bool(context.subjects) or divided
        side, rates = (of_others, by_others) if apart else (of_train, within)
        of_rare: list[Rate | None] = [None, None]
        if rare[side].any():
            equal, nearly = (each[rare[side]] for each in flags[0 if apart else 1])
            independent = rate_of(equal, 1.0) if apart else share_of_repeats(sizes[rare[of_train]])
            of_rare = [independent, rate_of(nearly, 1.0 if apart else 0.5)]
        weights = records.match_weights(records.real, len(train), own)
        return cls(
            records,
            combinations,
            len(train),
            len(others),
            NaturalRate.of(rates[0], of_rare[0]),
            NaturalRate.of(rates[1], of_rare[1]),
            rates[2],
            None if weights is None else weights.weight[side],
            1.0 if apart else 0.5,
        )

    def people(self, beside: Beside, near: np.ndarray, released: Sequence[float]) -> Estimate:
        """Return `repeated_people`: the share of training records that are nearly repeated, minus that of non-members.

        Args:
            beside: what each released record lies beside.
            near: whether it repeats or nearly repeats a training record.
            released: lower bounds of the number of released records that repeat train beyond chance.
        """
        total = self.train_count + self.other_count
        repeated = np.unique(beside.record[_near(beside, 0, total)])
        inside = int((repeated < self.train_count).sum())
        outside = len(repeated) - inside
        people = (inside, self.train_count, outside, self.other_count)
        estimate, bounds = excess(*people), excess(*people, THREE_TESTS)
        low = max(bounds.low, min(max(released) / self.train_count, estimate.value))
        chance = self.train_count * outside / self.other_count
        count = FoundCount(inside, self.train_count, chance, REPEATED)
        return replace(estimate, low=low, facts={"others_repeated": outside} | count.fact)


def _near(beside: Beside, first: int, last: int) -> np.ndarray:
    """Return which rows nearly repeat a real record with a number from `first` up to `last`."""
    return beside.is_near & (beside.record >= first) & (beside.record < last)


def _is_higher(rate: Rate, other: Rate) -> bool:
    """Return whether a rate is higher than another one beyond chance; three such tests decide, so each is at 99%."""
    counts = rate.share * rate.trials, rate.trials, other.share * other.trials, other.trials
    return excess(*counts, THREE_TESTS).low > 0

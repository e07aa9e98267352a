"""Released records that repeat or name one training record, and training records that are repeated or named.

Two sides of the same leak: a rate among released records, against that by which training records repeat each other; and a rate
among people, those of train against non-members. Further released records lower the first, but
not the second.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context, drawn_rows, subsample
from paracosm.eval.measuring.found_counts import FoundCount, interpret_count
from paracosm.eval.measuring.gate import COPIES, HELD_OUT, Gate
from paracosm.eval.measuring.metric import NORMAL_95, Estimate, Metric
from paracosm.eval.privacy.copies.exact import Rate, distinct_units, exact_flags, rate_of, row_hashes
from paracosm.eval.statistics.intervals import excess

if TYPE_CHECKING:
    from paracosm.eval.privacy.copies.distance_ratio import Beside, RealRecords

MOST_TRAIN = 40_000
NAMED = 0.5
"""Distance ratio up to which a record names the one beside it."""
THREE_TESTS = 2.576
"""Two-sided 99% of the normal distribution. The largest of three lower bounds counts, and without a limit above 0 every false alarm
fails a release: together they have at most 1.5%."""
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
    """Return `exact_copies`, `near_copies`, `nndr` and `repeated_people` of a candidate."""
    real: _Reference = context.once("repeated records", lambda: _Reference.of(context))
    beside = real.records.beside(candidate)
    exact = exact_flags(candidate, context.train, context.fields)
    near = exact | real.near(beside, 0, real.train_count)
    named = beside.within(NAMED, 0, real.train_count)
    rows, record = row_hashes(candidate, context.fields), beside.record
    return {
        "exact_copies": beyond_chance(exact, rows, real.exact, EXACT),
        "near_copies": beyond_chance(near, np.where(exact, rows, record), real.near_rate, NEAR),
        "nndr": beyond_chance(named, record, real.named_rate, BESIDE, THREE_TESTS),
        "repeated_people": real.people(beside, near, exact),
    }


@dataclass(frozen=True)
class _Reference:
    """The real records, and how often they repeat and name each other."""

    records: RealRecords
    train_count: int
    other_count: int
    exact: Rate
    near_rate: Rate
    named_rate: Rate

    @classmethod
    def of(cls, context: Context) -> _Reference:
        from paracosm.eval.privacy.copies.distance_ratio import RealRecords

        units, repeats, exact = distinct_units(context.train, context.fields)
        drawn = drawn_rows(len(units), MOST_TRAIN, context.settings.seed)
        train, repeats = context.train.iloc[units[drawn]].reset_index(drop=True), repeats[drawn]
        others = subsample(context.control, len(train), context.settings.seed)
        records = RealRecords(context.fields, pd.concat([train, others], ignore_index=True))
        among = records.among_themselves()
        found = cls(records, len(train), len(others), exact, exact, exact)
        near, named = found.near(among, 0, len(train)), among.within(NAMED, 0, len(train))
        of_others = slice(len(train), None)
        copied = exact_flags(others, context.train, context.fields)
        by_others = [rate_of(flags, 1.0) for flags in (copied, copied | near[of_others], named[of_others])]
        # Two records that lie beside each other are one event.
        of_train = slice(len(train))
        within = [exact, *(rate_of(flags, 0.5) for flags in (near[of_train] | repeats, named[of_train]))]
        # Records of one subject resemble each other; and where copies of one record are divided at random, non-members repeat
        # train too, and so do fresh records.
        divided = any(_is_higher(*pair) for pair in zip(by_others, within, strict=True))
        exact, near_rate, named_rate = by_others if context.subjects or divided else within
        return replace(found, exact=exact, near_rate=near_rate, named_rate=named_rate)

    def near(self, beside: Beside, first: int, last: int) -> np.ndarray:
        """Return which rows nearly repeat a real record with a number from `first` up to `last`."""
        return beside.is_near & (beside.record >= first) & (beside.record < last)

    def people(self, beside: Beside, near: np.ndarray, exact: np.ndarray) -> Estimate:
        """Return `repeated_people`: the share of training records that are nearly repeated, minus that of non-members.

        Args:
            beside: what each released record lies beside.
            near: whether it repeats or nearly repeats a training record.
            exact: whether it repeats one in every cell, which hardly any record does by chance.
        """
        total = self.train_count + self.other_count
        repeated = np.unique(beside.record[self.near(beside, 0, total)])
        inside = int((repeated < self.train_count).sum())
        outside = len(repeated) - inside
        people = (inside, self.train_count, outside, self.other_count)
        released = [
            excess(flags.sum(), len(flags), rate.share * rate.trials, rate.trials, THREE_TESTS).low
            for flags, rate in ((near, self.near_rate), (exact, self.exact))
        ]
        estimate, bounds = excess(*people), excess(*people, THREE_TESTS)
        low = max(bounds.low, min(max(released) * len(near) / self.train_count, estimate.value))
        chance = self.train_count * outside / self.other_count
        count = FoundCount(inside, self.train_count, chance, REPEATED)
        return replace(estimate, low=low, facts={"others_repeated": outside} | count.fact)


def beyond_chance(
    flags: np.ndarray, of: np.ndarray, by_nature: Rate, what: str, objecting: float = NORMAL_95
) -> Estimate:
    """Return the rate of released records minus the rate by nature.

    Args:
        flags: which released records were found.
        of: what each of them repeats; records that repeat the same are one event, however often they are released.
        by_nature: the rate of the reference.
        what: of the count.
        objecting: standard deviations to the lower bound, which decides whether the release fails.
    """
    found = int(flags.sum())
    sizes = np.unique(of[flags], return_counts=True)[1]
    dependence = float((sizes**2).sum() / sizes.sum()) if found else 1.0
    rates = (
        found / dependence,
        len(flags) / dependence,
        by_nature.share * by_nature.trials,
        by_nature.trials,
    )
    rate = replace(excess(*rates), low=excess(*rates, objecting).low)
    counts = {
        "copies": found,
        "rows": len(flags),
        "by_nature": by_nature.events,
        "compared_records": by_nature.records,
    }
    count = FoundCount(found, len(flags), by_nature.share * len(flags), what)
    return replace(rate, facts=counts | count.fact)


def _is_higher(rate: Rate, other: Rate) -> bool:
    """Return whether a rate is higher than another one beyond chance; three such tests decide, so each is at 99%."""
    counts = rate.share * rate.trials, rate.trials, other.share * other.trials, other.trials
    return excess(*counts, THREE_TESTS).low > 0

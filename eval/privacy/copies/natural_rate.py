"""Rates of released records that repeat train, minus the rate at which records repeat each other by nature."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from paracosm.eval.measuring.found_counts import KEY, RARE, FoundCount
from paracosm.eval.measuring.metric import NORMAL_95, Estimate
from paracosm.eval.privacy.copies.exact import Rate
from paracosm.eval.statistics.intervals import excess

THREE_TESTS = 2.576
"""Two-sided 99% of the normal distribution. The largest of three lower bounds counts, and without a limit above 0 every false alarm
fails a release: together they have at most 1.5%."""


@dataclass(frozen=True)
class NaturalRate:
    """How often records repeat by nature.

    Attributes:
        whole: of all reference records.
        rare: of those with a rare combination of cells; None where copies are counted among all records.
    """

    whole: Rate
    rare: Rate | None

    @classmethod
    def of(cls, whole: Rate, rare: Rate | None) -> NaturalRate:
        """Return the rate at which a leak shows most sharply; what is released plays no part in the choice."""
        return cls(whole, rare if rare is not None and _blur(rare) < _blur(whole) else None)

    def beyond(self, flags: np.ndarray, of: np.ndarray, rare: np.ndarray, what: str) -> Estimate:
        """Return the share of copies beyond chance: among all records, or among those with a rare combination.

        Args:
            flags: which released records repeat a training record.
            of: what each of them repeats.
            rare: which of them have a rare combination of cells.
            what: of the count; its numbers are always those of all records.
        """
        whole = beyond_chance(flags, of, self.whole, what)
        if self.rare is None or not rare.any():
            return whole
        found = beyond_chance(flags[rare], of[rare], self.rare, what)
        among = {
            "found": int(flags[rare].sum()),
            "of": int(rare.sum()),
            "by_chance": round(self.rare.share * float(rare.sum()), 2),
        }
        return replace(found, facts=found.facts | {KEY: whole.facts[KEY], RARE: among})

    def fewest(self, flags: np.ndarray, rare: np.ndarray) -> float:
        """Return a lower bound, at 99.5%, of the number of released records that repeat train beyond chance."""
        if self.rare is None or not rare.any():
            rate = self.whole
        else:
            flags, rate = flags[rare], self.rare
        counts = flags.sum(), len(flags), rate.share * rate.trials, rate.trials
        return excess(*counts, THREE_TESTS).low * len(flags)


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


def _blur(rate: Rate) -> float:
    """Return the standard error of a share of copied records, for as many released as reference records.

    One event more than there are keeps a few records without an event from looking sharper than many.
    """
    chance = (rate.events + 1) / (rate.records + 2)
    return float(np.sqrt(chance * (1 - chance) * (1 / rate.records + 1 / rate.trials)) / (1 - chance))

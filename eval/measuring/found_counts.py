"""Counts of what stands in a release, for the first line of a verdict: found, of how many, and how many chance would give.

A count does not fall when more records are released, as a rate does.
"""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from paracosm.eval.measuring.metric import Result
from paracosm.eval.measuring.readings import agreeing

KEY = "counts"
"""The fact of an estimate that holds its count."""
RARE = "rare"
"""The fact that counts copies among records with a rare combination of cells, where the gate reads these alone."""
ORDER = (
    "exact_copies",
    "near_copies",
    "nndr",
    "match_weight",
    "repeated_people",
    "run_50",
    "run_13",
    "run_8",
    "pii_replay",
    "identifier_count",
)


@dataclass(frozen=True)
class FoundCount:
    """What was found in a release.

    Attributes:
        found: how many.
        of: among how many.
        by_chance: how many of them a release that knows nothing of train would give.
        what: what they are and do, with `{one|several}` where the number decides, for example
            `released records {repeats|repeat} a training record`.
    """

    found: int
    of: int
    by_chance: float
    what: str

    @property
    def fact(self) -> dict[str, Any]:
        """The count as plain values, for the facts of an estimate."""
        return {KEY: asdict(self) | {"by_chance": round(self.by_chance, 2)}}

    @property
    def sentence(self) -> str:
        """For example `3 of 200 released records repeat a training record; 0 would by chance`."""
        chance = (
            f"{self.by_chance:.0f}"
            if self.by_chance >= 10 or self.by_chance < 0.05
            else f"{self.by_chance:.1f}"
        )
        return f"{self.found:,} of {self.of:,} {agreeing(self.what, self.found)}; {chance} would by chance"


def found_counts(results: Iterable[Result]) -> dict[str, FoundCount]:
    """Return the counts of the synthetic records by metric, in the order in which they are read."""
    by_name = {result.metric.name: result.synthetic.facts for result in results}
    return {name: FoundCount(**by_name[name][KEY]) for name in ORDER if KEY in by_name.get(name, {})}


def interpret_count(result: Result) -> str:
    """Return the sentence of a metric that counts, and that of the records among which a few copies show."""
    facts = result.synthetic.facts
    sentence = f"{FoundCount(**facts[KEY]).sentence}."
    if RARE in facts:
        among = facts[RARE]
        sentence += (
            f" Records of this table repeat each other by nature; among the {among['of']:,} with a rare combination of cells "
            f"{among['found']:,} do, {among['by_chance']:.1f} would by chance."
        )
    return sentence

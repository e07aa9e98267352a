"""Repeated draws of records with weights: accepted by their weight, or the best of many by importance resampling.

A record is accepted with the probability that is its weight, which gives exactly the distribution that the conditions ask for. Where
so many draws were refused as the recipe allows per record, one of them is chosen in proportion to its weight instead.
Source: Rubin 1988, Using the SIR algorithm to simulate posterior distributions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paracosm.generate.constraints.request import Request, Tally
from paracosm.records.schema.schema import Record


@dataclass(frozen=True)
class Candidate:
    """A record that keeps all constraints.

    Attributes:
        record: its values.
        weight: probability in [0, 1] of the values that were set instead of drawn.
        acceptance: random number in [0, 1) that decides whether it is accepted.
        choice: random number in [0, 1) that decides whether it replaces an earlier candidate.
    """

    record: Record
    weight: float
    acceptance: float
    choice: float


@dataclass
class _Pool:
    """The candidates of one record that were not accepted: how many, their weights together, and one drawn by them."""

    count: int = 0
    total: float = 0.0
    chosen: Record | None = None

    def add(self, candidate: Candidate) -> None:
        # Refused candidates lack those that were likely to be accepted; their odds put this right.
        odds = candidate.weight / max(1.0 - candidate.weight, 1e-12)
        self.count += 1
        self.total += odds
        if odds > 0 and candidate.choice * self.total < odds:
            self.chosen = candidate.record


def draw_by_weight(
    requests: Sequence[Request],
    draw: Callable[[Sequence[Request], int], Sequence[Candidate | None]],
    tally: Tally,
    *,
    attempts: int,
) -> list[Record]:
    """Return one record per request.

    Args:
        requests: for the records.
        draw: draws each request once and counts the attempt in `tally`; the second argument counts the rounds from 0. Returns None
            for a refused record.
        tally: attempts, accepted records, refusals, and records that are chosen from refused ones.
        attempts: most attempts per record, on average; also the candidates among which one is chosen.

    Raises:
        DataError: constraints refuse nearly every attempt; the message gives the share that each refuses.
    """
    accepted: dict[int, Record] = {}
    pools: dict[int, _Pool] = {}
    for attempt in range(10 * attempts):
        missing = [index for index in range(len(requests)) if index not in accepted]
        if not missing:
            break
        for index, candidate in zip(
            missing, draw([requests[index] for index in missing], attempt), strict=True
        ):
            if candidate is None:
                continue
            if candidate.acceptance < candidate.weight:
                accepted[index] = candidate.record
                tally.finished += 1
                continue
            pool = pools.setdefault(index, _Pool())
            pool.add(candidate)
            if pool.count >= attempts and pool.chosen is not None:
                accepted[index] = pool.chosen
                tally.finished += 1
                tally.resampled += 1
        if tally.is_infeasible(attempts):
            break
    if len(accepted) < len(requests):
        raise tally.infeasible(attempts)
    return [accepted[index] for index in range(len(requests))]

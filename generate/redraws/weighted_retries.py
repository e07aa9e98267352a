"""Repeated draws of records with weights: accepted by their weight, or the best of many by importance resampling.

A record is accepted with the probability that is its weight, which gives exactly the distribution that the conditions ask for. Where
so many draws were refused as the recipe allows per record, one of them is chosen in proportion to its weight instead.
Source: Rubin 1988, Using the SIR algorithm to simulate posterior distributions.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from paracosm.generate.constraints.request import Request, Tally
from paracosm.records.schema.schema import Record

WIDTHS = (1, 4, 16, 64)
"""Candidates per record that are drawn at once in each round, since many together take little longer than one."""
MOST_AT_ONCE = 4096
"""Candidates in one call, which limits its memory."""


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
    """The candidates of one record that were not accepted: their odds together, and one drawn by them."""

    total: float = 0.0
    chosen: Record | None = None

    def add(self, candidate: Candidate) -> None:
        # Refused candidates lack those that were likely to be accepted; their odds put this right.
        odds = candidate.weight / max(1.0 - candidate.weight, 1e-12)
        self.total += odds
        if odds > 0 and candidate.choice * self.total < odds:
            self.chosen = candidate.record


def draw_by_weight(
    requests: Sequence[Request],
    draw: Callable[[Sequence[Request], Sequence[int]], Sequence[Candidate | None]],
    tally: Tally,
    *,
    attempts: int,
    weighed: Callable[[Request], bool],
) -> list[Record]:
    """Return one record per request.

    Args:
        requests: for the records.
        draw: draws each request once and counts the attempt in `tally`; the second argument numbers the attempts at each from 0.
            Returns None for a refused record.
        tally: attempts, accepted records, refusals, and records that are chosen from refused ones.
        attempts: most attempts per record, on average; after as many at one record, one of its candidates is chosen.
        weighed: whether candidates for a request have weights below 1, so that several are drawn at once.

    Raises:
        DataError: constraints refuse nearly every attempt; the message gives the share that each refuses.
    """
    accepted: dict[int, Record] = {}
    pools = {index: _Pool() for index, request in enumerate(requests) if weighed(request)}
    begun = [0] * len(requests)
    for round_number in range(10 * attempts):
        missing = [index for index in range(len(requests)) if index not in accepted]
        if not missing:
            break
        width = WIDTHS[min(round_number, len(WIDTHS) - 1)]
        entries: list[tuple[int, int]] = []
        drawn: list[Candidate | None] = []
        # All candidates of a record are drawn in one call, so that it does not depend on how many others are drawn.
        part = max(1, MOST_AT_ONCE // width)
        for begin in range(0, len(missing), part):
            of_part = [
                (index, begun[index] + ahead)
                for index in missing[begin : begin + part]
                for ahead in range(width if index in pools else 1)
            ]
            entries += of_part
            drawn += draw([requests[index] for index, _ in of_part], [attempt for _, attempt in of_part])
        for (index, attempt), candidate in zip(entries, drawn, strict=True):
            begun[index] = attempt + 1
            if candidate is None or index in accepted:
                continue
            if candidate.acceptance < candidate.weight:
                accepted[index] = candidate.record
                tally.finished += 1
                continue
            pools[index].add(candidate)
        for index, pool in pools.items():
            if index not in accepted and begun[index] >= attempts and pool.chosen is not None:
                accepted[index] = pool.chosen
                tally.finished += 1
                tally.resampled += 1
        waiting = sum(index not in accepted and pool.chosen is not None for index, pool in pools.items())
        if tally.is_infeasible(attempts, in_progress=waiting):
            break
    if len(accepted) < len(requests):
        raise tally.infeasible(attempts)
    return [accepted[index] for index in range(len(requests))]

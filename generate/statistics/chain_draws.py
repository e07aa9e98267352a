"""Draws of records from a chain under constraints, each with the weight that its conditions give it.

Constraints that follow from the fields before a field restrict its draw. A condition on a field after others restricts it as
well; the record then weighs as much as the field had probability to meet the condition, so that the records by their weights
have the distribution of records that meet it.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from paracosm.generate.constraints.allowed_values import AllowedValues
from paracosm.generate.constraints.guide import Guide, NoConstraints
from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.redraws.weighted_retries import Candidate, draw_by_weight
from paracosm.generate.statistics.chain import UNIFORMS, Chain
from paracosm.records.schema.schema import Record, Value

Group = tuple[AllowedValues, AllowedValues | None]
"""What constraints leave a field, and what conditions leave of it; None without a condition."""


def draw(
    chain: Chain, requests: Sequence[Request], seed: int, attempt: int, tally: Tally
) -> list[Record | None]:
    """Draw every request once; None for a record that a constraint refuses. Conditions on later fields are only checked.

    Args:
        chain: the fitted statistics.
        requests: for the records.
        seed: of the random numbers.
        attempt: 0, or how often these requests were refused before.
        tally: counts attempts, accepted records and refusals.
    """
    drawn = _drawn(chain, requests, seed, [attempt] * len(requests), tally, weigh=False)
    tally.finished += sum(candidate is not None for candidate in drawn)
    return [None if candidate is None else candidate.record for candidate in drawn]


def draw_weighted(
    chain: Chain, requests: Sequence[Request], seed: int, tally: Tally, attempts: int
) -> list[Record]:
    """Return one record per request, whose conditions on any field are met by weight; see `draw_by_weight`."""

    def weighed(request: Request) -> bool:
        guide = request.guide
        return guide is not None and any(map(guide.is_checked_later, range(len(chain.columns))))

    return draw_by_weight(
        requests,
        lambda missing, numbers: _drawn(chain, missing, seed, numbers, tally, weigh=True),
        tally,
        attempts=attempts,
        weighed=weighed,
    )


def _drawn(
    chain: Chain,
    requests: Sequence[Request],
    seed: int,
    attempts: Sequence[int],
    tally: Tally,
    *,
    weigh: bool,
) -> list[Candidate | None]:
    fields = chain.schema.modelled
    uniforms = _uniforms(requests, seed, attempts, UNIFORMS * len(fields) + 2)
    weights = np.ones(len(requests))
    known = np.full((len(requests), len(fields)), np.nan)
    guides: list[Guide] = [request.guide or NoConstraints() for request in requests]
    records: list[dict[str, Value]] = [{} for _ in requests]
    left = np.arange(len(requests))
    tally.attempts += len(requests)
    for index, field in enumerate(fields):
        groups, refused = _grouped(index, left, guides, records, tally, weigh)
        left = np.setdiff1d(left, refused, assume_unique=True)
        column = chain.columns[index]
        for (allowed, conditioned), rows in groups.items():
            of_field = uniforms[rows, UNIFORMS * index : UNIFORMS * (index + 1)]
            left_over = allowed if conditioned is None else conditioned
            if conditioned is not None:
                weights[rows] *= chain.weight(index, known[rows, :index], allowed, conditioned)
            if left_over.everything:
                drawn = chain.draw(index, known[rows, :index], of_field)
            else:
                drawn = chain.draw_allowed(index, known[rows, :index], of_field, left_over)
            known[rows, index] = column.positions(drawn.numbers, drawn.absent)
            value = column.grid.value
            for row, number, absent in zip(
                rows.tolist(), drawn.numbers.tolist(), drawn.absent.tolist(), strict=True
            ):
                records[row][field.name] = None if absent else value(number)
        left = _unviolated(index, left, guides, records, tally)
    accepted = set(left.tolist())
    return [
        Candidate(record, float(weights[row]), float(uniforms[row, -2]), float(uniforms[row, -1]))
        if row in accepted
        else None
        for row, record in enumerate(records)
    ]


def _uniforms(requests: Sequence[Request], seed: int, attempts: Sequence[int], count: int) -> np.ndarray:
    """Return the random numbers of each record, which follow from its number, its redraw and the attempt alone."""
    return np.stack(
        [
            np.random.Generator(
                np.random.Philox(
                    key=[seed % 2**64, request.number + (request.redraw << 48)], counter=[0, 0, 0, attempt]
                )
            ).random(count)
            for request, attempt in zip(requests, attempts, strict=True)
        ]
    )


def _grouped(
    index: int,
    rows: np.ndarray,
    guides: Sequence[Guide],
    records: Sequence[Mapping[str, Value]],
    tally: Tally,
    weigh: bool,
) -> tuple[dict[Group, np.ndarray], list[int]]:
    """Return the rows by the values that their constraints leave the field, and the rows that are left none."""
    groups: dict[Group, list[int]] = {}
    refused = []
    for row in rows.tolist():
        guide, conditioned = guides[row], None
        allowed = guide.allowed(index, records[row], {})
        late = weigh and allowed is not None and guide.is_checked_later(index)
        if late:
            conditioned = guide.allowed(index, records[row], {}, every_condition=True)
        if allowed is None or (late and conditioned is None):
            tally.refusals[guide.conflict(index, records[row])] += 1
            refused.append(row)
        else:
            groups.setdefault((allowed, conditioned), []).append(row)
    return {group: np.array(members) for group, members in groups.items()}, refused


def _unviolated(
    index: int,
    rows: np.ndarray,
    guides: Sequence[Guide],
    records: Sequence[Mapping[str, Value]],
    tally: Tally,
) -> np.ndarray:
    """Return the rows that violate no constraint now that the field at `index` is known."""
    kept = []
    for row in rows.tolist():
        violation = guides[row].violation(index, records[row])
        if violation is None:
            kept.append(row)
        else:
            tally.refusals[violation] += 1
    return np.array(kept, dtype=np.int64)

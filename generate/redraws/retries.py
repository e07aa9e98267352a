"""Repeated draws of refused records, for generators that check constraints only after the draw or refuse in the middle."""

from collections.abc import Callable, Sequence

from paracosm.generate.constraints.request import Request, Tally
from paracosm.records.schema.schema import Record


def draw_until_accepted(
    requests: Sequence[Request],
    draw: Callable[[Sequence[Request], int], Sequence[Record | None]],
    tally: Tally,
    *,
    attempts: int,
) -> list[Record]:
    """Return one record per request; for generators that check constraints only after the draw.

    Args:
        requests: for the records.
        draw: draws each request once and counts it in `tally`; the second argument counts the rounds from 0. Returns
            None for a refused record.
        tally: attempts, accepted records and refusals.
        attempts: most attempts per accepted record, on average.

    Raises:
        DataError: conditions and rules refuse nearly every attempt; the message gives the share that each refuses.
    """
    accepted: dict[int, Record] = {}
    # A record may be less likely than the average one, hence more rounds than attempts.
    for attempt in range(10 * attempts):
        missing = [index for index in range(len(requests)) if index not in accepted]
        if not missing:
            break
        drawn = draw([requests[index] for index in missing], attempt)
        accepted |= {
            index: record for index, record in zip(missing, drawn, strict=True) if record is not None
        }
        if tally.is_infeasible(attempts):
            break
    if len(accepted) < len(requests):
        raise tally.infeasible(attempts)
    return [accepted[index] for index in range(len(requests))]

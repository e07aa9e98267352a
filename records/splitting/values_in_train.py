"""Values that train must hold: no category, and no common combination of cells, is in control or test alone."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence

import numpy as np

PARTS = ("train", "control", "test")


def keep_in_train(
    part_of: dict[int, str],
    members: Mapping[int, list[int]],
    order: Sequence[int],
    needed: Sequence[np.ndarray],
    *,
    stratum: Callable[[int], str],
) -> dict[str, list[int]]:
    """Move clusters to train that hold values which train lacks, in exchange for others; return the rows of each split.

    Args:
        part_of: cluster -> its split; changed in place.
        members: cluster -> its rows.
        order: the clusters in random order.
        needed: numbers of the values of each row, one array per field; -1 where a value is not needed.
        stratum: returns the stratum of a row; an exchange prefers clusters of one stratum.
    """
    counts = _counts(part_of, members, needed)
    absent = _rows_with_absent_values(needed, counts)
    exchangeable: dict[str, list[int]] | None = None
    for cluster in order if absent else ():
        part, rows = part_of[cluster], members[cluster]
        if part == "train" or absent.isdisjoint(rows) or not _lacking(rows, needed, counts):
            continue
        if exchangeable is None:
            exchangeable = defaultdict(list)
            for other in reversed(order):
                if part_of[other] == "train":
                    exchangeable[stratum(members[other][0])].append(other)
        _add(counts, needed, rows, 1)
        partners = _partners(rows, exchangeable, members, needed, counts, stratum(rows[0]))
        brought = [row for partner in partners for row in members[partner]]
        part_rows = sum(len(members[other]) for other in order if part_of[other] == part)
        if 2 * (len(rows) - len(brought)) > part_rows:
            _add(counts, needed, rows, -1)
            _add(counts, needed, brought, 1)
            continue
        part_of[cluster] = "train"
        part_of.update(dict.fromkeys(partners, part))
    return {
        part: [row for cluster in order if part_of[cluster] == part for row in members[cluster]]
        for part in PARTS
    }


def _rows_with_absent_values(needed: Sequence[np.ndarray], counts: Sequence[np.ndarray]) -> set[int]:
    absent: set[int] = set()
    for code, count in zip(needed, counts, strict=True):
        if (count == 0).any():
            absent.update(np.flatnonzero((code >= 0) & (count[np.maximum(code, 0)] == 0)).tolist())
    return absent


def _lacking(rows: Sequence[int], needed: Sequence[np.ndarray], counts: Sequence[np.ndarray]) -> bool:
    """Return whether train lacks a value of these rows."""
    pairs = list(zip(needed, counts, strict=True))
    return any(code[row] >= 0 and count[code[row]] == 0 for row in rows for code, count in pairs)


def _counts(
    part_of: Mapping[int, str], members: Mapping[int, list[int]], needed: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Return how often each value of each field occurs in train."""
    train = [row for cluster, part in part_of.items() if part == "train" for row in members[cluster]]
    counts = []
    for code in needed:
        of_train = code[train]
        counts.append(np.bincount(of_train[of_train >= 0], minlength=int(code.max(initial=-1)) + 1))
    return counts


def _add(counts: Sequence[np.ndarray], needed: Sequence[np.ndarray], rows: Sequence[int], sign: int) -> None:
    for count, code in zip(counts, needed, strict=True):
        for row in rows:
            if code[row] >= 0:
                count[code[row]] += sign


def _partners(
    rows: Sequence[int],
    exchangeable: Mapping[str, list[int]],
    members: Mapping[int, list[int]],
    needed: Sequence[np.ndarray],
    counts: Sequence[np.ndarray],
    stratum: str,
) -> list[int]:
    """Take clusters with as many rows as `rows` that train can spare from `exchangeable`, and their values from `counts`."""
    partners: list[int] = []
    missing = len(rows)
    for name in (stratum, *(other for other in sorted(exchangeable) if other != stratum)):
        rest = []
        for other in exchangeable.get(name, ()):
            held = members[other]
            if missing and len(held) <= missing and _spared(held, needed, counts):
                partners.append(other)
                missing -= len(held)
                _add(counts, needed, held, -1)
            else:
                rest.append(other)
        if name in exchangeable:
            exchangeable[name][:] = rest
        if not missing:
            break
    return partners


def _spared(rows: Sequence[int], needed: Sequence[np.ndarray], counts: Sequence[np.ndarray]) -> bool:
    """Return whether train keeps every value without these rows."""
    for count, code in zip(counts, needed, strict=True):
        held = code[list(rows)]
        values, times = np.unique(held[held >= 0], return_counts=True)
        if (count[values] <= times).any():
            return False
    return True

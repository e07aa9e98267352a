"""Equal rows: which groups are copies of one record, and which come about by chance.

Two people with the same age group, sex and answer are not copies of each other; two rows that agree in ten measured numbers are.
The size of each group is compared with the number of equal rows that the columns lead to expect. Two estimates are made, and the
larger one counts: a tree of pairwise dependent columns (Chow and Liu 1968), and the number of other rows that differ from the
group in a single column.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from paracosm.records.schema.schema import Field
from paracosm.records.splitting.near_duplicates import FEWEST_SHINGLES, shingles

COARSE = 0.05
"""Share of distinct rows below which all equal rows come about by chance: records are not exported twenty times."""
FEWEST_GROUPS = 20
"""Groups from which a common divisor of all sizes means that the whole table is repeated; 20 even sizes have probability 1e-6."""
CLOSED_LIST = 10
"""Rows of the median value from which a column is a closed list, so that its values recur by nature."""
BY_CHANCE, SHARE_BY_CHANCE = 0.0005, 0.05
"""Rows that chance may explain among those that are called copies: 1 in 2,000 of the table, or 1 in 20 of the copies. Copies that
chance made are absent from control, so they shift the copy metrics, whose strictest limit is 1 in 1,000."""
UNDERESTIMATED = 10.0
"""Factor by which the estimates may be too low where more than two columns depend on each other."""
FAR_ABOVE = 20
"""Factor above the expected size from which a group is copies however common its values are."""
SAMPLE = 20_000
"""Rows from which the dependence of two columns is measured."""
MOST_COLUMNS = 40
"""Columns of the tree, those with the most information; the dependence of all pairs is measured."""
MIXER = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class EqualRows:
    """Groups of equal rows.

    Attributes:
        group: number of each row's group; shape (rows,).
        copies: whether the rows of a group are copies of one record; shape (groups,).
        repeats: how often the whole table is repeated, usually once.
    """

    group: np.ndarray
    copies: np.ndarray
    repeats: int

    @property
    def sizes(self) -> np.ndarray:
        """Number of rows of each group."""
        return np.bincount(self.group, minlength=len(self.copies))

    def units(self) -> np.ndarray:
        """Return the number of each row's unit: all copies of one record are one unit, other rows one each."""
        order = np.argsort(self.group, kind="stable")
        starts = np.repeat(np.cumsum(self.sizes) - self.sizes, self.sizes)
        number = np.empty(len(order), dtype=np.int64)
        number[order] = (np.arange(len(order)) - starts) // self.repeats
        number[self.copies[self.group]] = 0
        return number


def equal_rows(table: pd.DataFrame, fields: Sequence[Field]) -> EqualRows:
    """Return the groups of equal rows of a typed table, and which of them are copies.

    Args:
        table: the rows.
        fields: the fields in which rows are compared.
    """
    codes = [pd.factorize(table[field.name], use_na_sentinel=False)[0] for field in fields]
    hashes = [_spread(code, number) for number, code in enumerate(codes)]
    whole = np.sum(hashes, axis=0, dtype=np.uint64)
    _, first, group, sizes = np.unique(whole, return_index=True, return_inverse=True, return_counts=True)
    repeats = math.gcd(*sizes.tolist()) if len(sizes) >= FEWEST_GROUPS else 1
    sizes = sizes // repeats
    copies = np.zeros(len(sizes), dtype=bool)
    if sizes.max() > 1:
        copies = _long_texts(table, fields, first, sizes)
        if len(sizes) >= COARSE * sizes.sum():
            informative = [code[first] for code in codes if code.max() > 0]
            copies |= _beyond_chance(
                informative, [h[first] for h, c in zip(hashes, codes, strict=True) if c.max() > 0], sizes
            )
    return EqualRows(group, copies, repeats)


def _spread(codes: np.ndarray, column: int) -> np.ndarray:
    """Return pseudo-random numbers (uint64) of the values of a column, so that their sum identifies a row."""
    mixed = (codes.astype(np.uint64) + np.uint64(column << 32) + np.uint64(1)) * MIXER
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


def _long_texts(
    table: pd.DataFrame, fields: Sequence[Field], first: np.ndarray, sizes: np.ndarray
) -> np.ndarray:
    """Return which repeated groups hold a text that is too long to repeat by chance."""
    copies = np.zeros(len(sizes), dtype=bool)
    for field in fields:
        if field.is_text:
            column = table[field.name]
            for group in np.flatnonzero((sizes > 1) & ~copies):
                text = column.iloc[first[group]]
                copies[group] = not pd.isna(text) and len(shingles(text)) >= FEWEST_SHINGLES
    return copies


def _beyond_chance(codes: list[np.ndarray], hashes: list[np.ndarray], sizes: np.ndarray) -> np.ndarray:
    """Return which groups of distinct rows are larger than chance explains.

    Args:
        codes: values of each column in each distinct row, as numbers.
        hashes: the same values as pseudo-random numbers.
        sizes: number of rows of each group.
    """
    if len(codes) < 2:
        # Equal cells of a single column say nothing about a person.
        return np.zeros(len(sizes), dtype=bool)
    expected = np.maximum(_by_tree(codes, sizes), _by_neighbours(codes, hashes, sizes))
    order = np.argsort(expected, kind="stable")
    more = UNDERESTIMATED * expected
    by_chance = np.cumsum((np.minimum(sizes, 1 + more) * (1 - np.exp(-more)))[order])
    repeated = np.cumsum(np.where(sizes > 1, sizes, 0)[order])
    allowed = by_chance <= np.maximum(BY_CHANCE * sizes.sum(), SHARE_BY_CHANCE * repeated)
    limit = expected[order[np.flatnonzero(allowed)[-1]]] if allowed.any() else -1.0
    far_above = sizes - 1 > FAR_ABOVE * (expected + 0.5)
    return (sizes > 1) & ((expected <= limit) | far_above)


def _by_neighbours(codes: list[np.ndarray], hashes: list[np.ndarray], sizes: np.ndarray) -> np.ndarray:
    """Return how many rows are expected to equal each group, from rows that differ from it in one column alone.

    The second largest estimate of all columns counts: one edited cell in a copy is not evidence of chance.
    """
    rows = sizes.sum()
    whole = np.sum(hashes, axis=0, dtype=np.uint64)
    largest, second = np.zeros(len(sizes)), np.zeros(len(sizes))
    for code, hashed in zip(codes, hashes, strict=True):
        _, rest = np.unique(whole - hashed, return_inverse=True)
        differing = np.bincount(rest, sizes)[rest] - sizes
        others = _others(code, sizes)
        estimate = differing * others / (rows - others - sizes + 1)
        second = np.maximum(second, np.minimum(largest, estimate))
        largest = np.maximum(largest, estimate)
    return largest if len(codes) == 2 else second


def _by_tree(codes: list[np.ndarray], sizes: np.ndarray) -> np.ndarray:
    """Return how many rows are expected to equal each group if each column depends on one other column.

    The rows of the group itself do not count as evidence, except in columns that are closed lists.
    """
    rows = sizes.sum()
    listed = [np.median(np.bincount(code, sizes)) >= CLOSED_LIST for code in codes]
    share = []
    for code, closed in zip(codes, listed, strict=True):
        share.append(
            np.bincount(code, sizes)[code] / rows if closed else _others(code, sizes) / (rows - sizes)
        )
    logarithm = np.zeros(len(sizes))
    with np.errstate(divide="ignore"):
        for column, parent in _tree(codes, sizes):
            probability = share[column]
            if parent is not None:
                own = 0 if listed[column] and listed[parent] else sizes
                both = _pair_counts(codes[column], codes[parent], sizes) - own
                whole = np.bincount(codes[parent], sizes)[codes[parent]] - own
                # One pseudo-row of the column alone, for pairs that the rest of the sample does not have.
                probability = (both + probability) / (whole + 1)
            logarithm += np.log(probability)
    return rows * np.exp(logarithm)


def _others(code: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Return how many rows outside its own group have the value of each group, in a column.

    Where there is none in the sample, the expected number in another one is that of Good and Turing: twice the number of values
    that occur in two distinct rows, over that of those in one.
    """
    distinct = np.bincount(code)
    unseen = min(1.0, 2 * float((distinct == 2).sum()) / max(1, int((distinct == 1).sum())))
    others = np.bincount(code, sizes)[code] - sizes
    return np.where(others > 0, others, unseen)


def _pair_counts(one: np.ndarray, other: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    _, pair = np.unique(one.astype(np.int64) * (int(other.max()) + 1) + other, return_inverse=True)
    return np.bincount(pair, sizes)[pair]


def _tree(codes: list[np.ndarray], sizes: np.ndarray) -> list[tuple[int, int | None]]:
    """Return each column with the column that it depends on most: a maximum spanning tree of the mutual information."""
    drawn = slice(None)
    if len(sizes) > SAMPLE:
        drawn = np.random.default_rng(0).choice(len(sizes), SAMPLE, replace=False)
    weights = sizes[drawn]
    narrowed = [np.unique(code[drawn], return_inverse=True)[1] for code in codes]
    entropy = [_entropy(code, weights) for code in narrowed]
    inner = sorted(range(len(codes)), key=lambda column: -entropy[column][0])[:MOST_COLUMNS]
    edges: list[tuple[int, int | None]] = [(inner[0], None)]
    nearest: dict[int, tuple[float, int]] = dict.fromkeys(inner[1:], (-math.inf, inner[0]))
    newest = inner[0]
    while nearest:
        for column in nearest:
            information = _information(narrowed, entropy, column, newest, weights)
            nearest[column] = max(nearest[column], (information, newest))
        newest = max(nearest, key=lambda column: nearest[column])
        edges.append((newest, nearest.pop(newest)[1]))
    return edges + [(column, None) for column in range(len(codes)) if column not in inner]


def _information(
    codes: list[np.ndarray],
    entropy: list[tuple[float, int]],
    one: int,
    other: int,
    weights: np.ndarray,
) -> float:
    """Return the mutual information of two columns, with the bias of rare pairs removed (Miller 1955)."""
    pair = codes[one].astype(np.int64) * (int(codes[other].max()) + 1) + codes[other]
    joint, cells = _entropy(np.unique(pair, return_inverse=True)[1], weights)
    excess = cells - entropy[one][1] - entropy[other][1] + 1
    return entropy[one][0] + entropy[other][0] - joint - excess / (2 * weights.sum())


def _entropy(codes: np.ndarray, weights: np.ndarray) -> tuple[float, int]:
    """Return the entropy of a column in nats, and the number of its values."""
    counts = np.bincount(codes, weights)
    shares = counts / counts.sum()
    return float(-(shares * np.log(shares)).sum()), len(counts)

"""Splits into train, control and test: grouped by subject and by clusters of copies, and stratified on the target.

A split depends on the records and the seed alone, not on the order of the rows.
"""

import hashlib
import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data, Split
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import to_records
from paracosm.records.splitting.equal_rows import equal_rows
from paracosm.records.splitting.near_duplicates import near_duplicates
from paracosm.records.splitting.shared_rows import are_shared
from paracosm.records.splitting.values_in_train import keep_in_train

FEWEST_ROWS = 10
QUANTILES = 10
"""Strata of a numeric target."""
COMMON = 0.1
"""Share of control or test above which a combination of cells is not absent from train."""


@dataclass(frozen=True)
class Clusters:
    """Clusters of rows that must stay in one split.

    Attributes:
        of: number of each row's cluster; shape (rows,).
        keys: digest of each row's content, which decides on the random draw; equal rows that are not copies are numbered.
        equal: number of each row's group of equal rows; shape (rows,).
        exact: number of rows that equal an earlier row.
        copies: how many of them are copies, more than chance explains.
        near: number of joined pairs of near-duplicates.
    """

    of: np.ndarray
    keys: list[str]
    equal: np.ndarray
    exact: int
    copies: int
    near: int


def split_table(table: pd.DataFrame, schema: Schema, data: Data) -> dict[str, pd.DataFrame]:
    """Return the splits `train`, `control` and `test` of a typed table; rows keep their order.

    Raises:
        DataError: there are too few rows, or too few clusters, for three splits.
    """
    return divide(table, schema, data, find_clusters(table, schema, data))


def find_clusters(table: pd.DataFrame, schema: Schema, data: Data) -> Clusters:
    """Return the clusters of a table: rows of one subject, copies of one record, or rows with near-duplicate texts."""
    groups = equal_rows(table, schema.modelled)
    if data.subject is not None:
        groups = replace(groups, copies=groups.copies & ~are_shared(groups.group, table[data.subject]))
    units, sizes = groups.units(), groups.sizes
    keys = [
        key if sizes[group] == 1 or groups.copies[group] else f"{key}-{unit}"
        for key, group, unit in zip(row_keys(table, schema), groups.group, units, strict=True)
    ]
    parents = list(range(len(keys)))
    _join_equal(parents, keys)
    if data.subject is not None:
        _join_equal(parents, [None if pd.isna(cell) else cell for cell in table[data.subject]])
    near = _join_near(parents, table, schema, data)
    roots = [_root(parents, row) for row in range(len(keys))]
    return Clusters(
        np.unique(roots, return_inverse=True)[1],
        keys,
        groups.group,
        int((sizes - 1).sum()),
        len(keys) - len(set(keys)),
        near,
    )


def divide(table: pd.DataFrame, schema: Schema, data: Data, clusters: Clusters) -> dict[str, pd.DataFrame]:
    """Return the splits of `divided_rows` as tables; rows keep their order.

    Raises:
        DataError: as `divided_rows`.
    """
    rows_of = divided_rows(table, schema, data, clusters)
    return {name: table.iloc[rows].reset_index(drop=True) for name, rows in rows_of.items()}


def divided_rows(table: pd.DataFrame, schema: Schema, data: Data, clusters: Clusters) -> dict[str, list[int]]:
    """Return the rows of each split: whole clusters, and in each split its share of the rows and of every class of the target.

    Raises:
        DataError: there are too few rows, or too few clusters, for three splits.
    """
    wanted = wanted_rows(len(table), data.split)
    strata = _strata(table, schema, data.target)
    members: dict[int, list[int]] = defaultdict(list)
    for row, cluster in enumerate(clusters.of):
        members[int(cluster)].append(row)
    order = _stratified_order(members, strata, clusters.keys, data.split.seed)
    parts: dict[str, list[int]] = {"train": [], "control": [], "test": []}
    part_of: dict[int, str] = {}
    for cluster in order:
        rows = members[cluster]
        part = next(
            (name for name in ("test", "control") if len(parts[name]) + len(rows) <= wanted[name]), "train"
        )
        parts[part].extend(rows)
        part_of[cluster] = part
    parts = keep_in_train(
        part_of, members, order, _common(table, schema, clusters, wanted), stratum=lambda row: strata[row]
    )
    for part in ("test", "control"):
        if not parts[part] and wanted[part]:
            _take_smallest_group(parts, part, clusters.of)
    empty = [name for name, rows in parts.items() if not rows and wanted.get(name, 1)]
    if empty:
        raise DataError(
            f"the {empty[0]} split is empty: the {len(table)} rows form {len(members)} groups that"
            " must stay together"
            " (subjects, copies, near-duplicates), the largest of "
            f"{max(map(len, members.values()))} rows; more groups or larger shares in data.split are needed"
        )
    return {name: sorted(rows) for name, rows in parts.items()}


def _take_smallest_group(parts: dict[str, list[int]], part: str, clusters: np.ndarray) -> None:
    """Move the smallest cluster from train to an empty split, if at least half of the rows then stay in train."""
    groups: dict[int, list[int]] = defaultdict(list)
    for row in parts["train"]:
        groups[int(clusters[row])].append(row)
    smallest = min(groups.values(), key=len, default=[])
    if 2 * len(smallest) < len(parts["train"]):
        parts[part] = smallest
        parts["train"] = [row for row in parts["train"] if row not in set(smallest)]


def wanted_rows(rows: int, split: Split) -> dict[str, int]:
    """Return the intended number of rows of `control` and `test`.

    Raises:
        DataError: there are fewer than ten rows, or a share rounds to zero rows.
    """
    if rows < FEWEST_ROWS:
        raise DataError(
            f"the table has {rows} rows; at least {FEWEST_ROWS} are needed for the splits train, control and test"
        )
    wanted = {"control": round(rows * split.control), "test": round(rows * split.test)}
    for name, count in wanted.items():
        share = getattr(split, name)
        if count == 0 and share > 0:
            raise DataError(
                f"data.split.{name}: {share:g} of {rows} rows is no row; at least"
                f" {math.floor(0.5 / share) + 1} rows are needed"
            )
    return wanted


def _common(
    table: pd.DataFrame, schema: Schema, clusters: Clusters, wanted: dict[str, int]
) -> list[np.ndarray]:
    """Return the values that train needs, as numbers: one array of numbers per category field, -1 where nothing is needed.

    The last array holds the combinations of cells that are common.
    """
    codes = [pd.factorize(table[field.name])[0] for field in schema.modelled if field.discrete]
    sizes = np.bincount(clusters.equal)
    common = sizes > max(1.0, COMMON * min(filter(None, wanted.values()), default=0))
    return [*codes, np.where(common[clusters.equal], clusters.equal, -1)]


def row_keys(table: pd.DataFrame, schema: Schema) -> list[str]:
    """Return a digest of the modelled cells of each row."""
    columns = []
    for field in schema.modelled:
        codes, _ = pd.factorize(table[field.name], use_na_sentinel=False)
        _, first = np.unique(codes, return_index=True)
        alone = Schema((field,))
        values = [record[field.name] for record in to_records(table[[field.name]].iloc[first], alone)]
        columns.append([values[code] for code in codes.tolist()])
    return [
        hashlib.blake2b(repr(row).encode(), digest_size=16).hexdigest() for row in zip(*columns, strict=True)
    ]


def _join_equal(parents: list[int], values: Sequence[object]) -> None:
    first: dict[object, int] = {}
    for row, value in enumerate(values):
        if value is not None:
            _join(parents, first.setdefault(value, row), row)


def _join_near(parents: list[int], table: pd.DataFrame, schema: Schema, data: Data) -> int:
    threshold = data.split.near_duplicates
    fields = [field.name for field in schema if field.is_text]
    if threshold is None or not fields:
        return 0
    texts = [" ".join(cells) for cells in zip(*(table[name].fillna("") for name in fields), strict=True)]
    if data.subject is not None:
        codes = pd.factorize(np.array(texts, dtype=object))[0]
        shared = are_shared(codes, table[data.subject])
        texts = ["" if shared[code] else text for code, text in zip(codes, texts, strict=True)]
    return sum(_join(parents, one, other) for one, other in near_duplicates(texts, threshold))


def _join(parents: list[int], one: int, other: int) -> bool:
    """Join the clusters of two rows (union-find); return whether they were separate."""
    first, second = sorted((_root(parents, one), _root(parents, other)))
    parents[second] = first
    return first != second


def _root(parents: list[int], row: int) -> int:
    while parents[row] != row:
        parents[row] = parents[parents[row]]
        row = parents[row]
    return row


def _strata(table: pd.DataFrame, schema: Schema, target: str | None) -> list[str]:
    """Return the stratum of each row: the value of its target, or its decile if the target is numeric."""
    if target is None or schema[target].is_text:
        return [""] * len(table)
    column = table[target]
    if schema[target].ordered and column.nunique() > QUANTILES:
        column = pd.qcut(column.rank(method="average"), QUANTILES, labels=False, duplicates="drop")
    return ["" if pd.isna(cell) else str(cell) for cell in column]


def _stratified_order(
    members: dict[int, list[int]], strata: list[str], keys: list[str], seed: int
) -> list[int]:
    """Return the clusters in an order of which every prefix has each stratum in its share.

    Systematic sampling: the clusters of a stratum are in random order on a circle, with a random start.
    """
    by_stratum: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for cluster, rows in members.items():
        stratum = strata[rows[0]]
        if len(rows) > 1:
            counted = Counter(strata[row] for row in rows)
            stratum = min(counted.items(), key=lambda item: (-item[1], item[0]))[0]
        by_stratum[stratum].append((draw(seed, min(keys[row] for row in rows)), cluster))
    placed: list[tuple[float, str, int]] = []
    for stratum, drawn in by_stratum.items():
        total = sum(len(members[cluster]) for _, cluster in drawn)
        start = int(draw(seed, f"start of {stratum}")[:12], 16) / 16**12
        before = 0
        for key, cluster in sorted(drawn):
            placed.append(((before / total + start) % 1, key, cluster))
            before += len(members[cluster])
    return [cluster for _, _, cluster in sorted(placed)]


def draw(seed: int, text: str) -> str:
    """Return a pseudo-random hexadecimal number of a text."""
    return hashlib.blake2b(f"{seed}|{text}".encode(), digest_size=16).hexdigest()

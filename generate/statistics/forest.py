"""The method `forest`: a chain of extra-trees, each field given the fields before it (sequential synthesis).

Source: Reiter 2005, Using CART to Generate Partially Synthetic Public Use Microdata; Geurts, Ernst and Wehenkel 2006,
Extremely randomized trees. Whether a cell is missing is drawn first, by trees of its own. A value is the atom of a training
record in the leaf that the known fields lead to, of one random tree, or rather a neighbour of it: an atom of the same group,
by its frequency in the column. So its probability is the mean over the trees of the share that its group has in the leaf, times
its share of the group.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from paracosm.generate.statistics.columns import MISSING, Column
from paracosm.generate.statistics.trees import NAMES, Trees
from paracosm.recipes.sections.statistical import Statistical

ONE_HOT = 16
"""Categories up to which each one is a feature; of more, their order by frequency is one feature."""
MOST_RECORDS = 100_000
"""Training records that the trees of one field are fitted to; of more, a random sample."""


@dataclass(frozen=True)
class FieldTrees:
    """The trees of one field.

    Attributes:
        missing: of whether the cell is missing: code 1 is missing; None if no training record lacks it or all do.
        value: of the groups of atoms of present cells; None if no training record has one.
    """

    missing: Trees | None
    value: Trees | None


class Forest:
    """A chain of extra-trees.

    Attributes:
        columns: in the order of the chain.
        trees: of each column.
    """

    def __init__(self, columns: Sequence[Column], trees: Sequence[FieldTrees]) -> None:
        self.columns = columns
        self.trees = trees

    def probabilities(self, index: int, known: np.ndarray) -> np.ndarray:
        column, trees = self.columns[index], self.trees[index]
        features = features_of(self.columns[:index], known)
        absent = self._missing(index, features)
        atoms = np.zeros((len(known), len(column.low)))
        if trees.value is not None:
            groups = trees.value.shares(features, int(column.groups.max()) + 1)
            atoms = groups[:, column.groups] * column.within_group
        return np.concatenate([atoms * (1 - absent)[:, None], absent[:, None]], axis=1)

    def draw(self, index: int, known: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        column, trees = self.columns[index], self.trees[index]
        features = features_of(self.columns[:index], known)
        absent = np.full(len(known), trees.missing is None and column.missing > 0)
        if trees.missing is not None:
            absent = uniforms[:, 0] < self._missing(index, features)
        codes = np.full(len(known), MISSING)
        present = np.flatnonzero(~absent)
        if trees.value is not None and len(present):
            groups = trees.value.draw(features[present], uniforms[present, 1:3])
            codes[present] = column.atoms_of_groups(groups, uniforms[present, 3])
        return codes

    def probability(self, index: int, known: np.ndarray, codes: np.ndarray) -> np.ndarray:
        features = features_of(self.columns[:index], known)
        absent, value, column = self._missing(index, features), self.trees[index].value, self.columns[index]
        share = np.zeros(len(codes))
        inside = np.flatnonzero(codes >= 0)
        if value is not None and len(inside):
            share[inside] = value.share(features[inside], column.groups[codes[inside]])
            share[inside] *= column.within_group[codes[inside]]
        return np.where(codes == MISSING, absent, share * (1 - absent))

    def _missing(self, index: int, features: np.ndarray) -> np.ndarray:
        """Return the probability that the cell is missing, for each record."""
        trees, column = self.trees[index].missing, self.columns[index]
        if trees is None:
            return np.full(len(features), float(column.missing > 0))
        return trees.share(features, np.ones(len(features), dtype=np.int64))

    def arrays(self) -> dict[str, np.ndarray]:
        return {
            f"{index}.{part}.{name}": array
            for index, field in enumerate(self.trees)
            for part, trees in (("missing", field.missing), ("value", field.value))
            if trees is not None
            for name, array in trees.arrays().items()
        }


def features_of(columns: Sequence[Column], known: np.ndarray) -> np.ndarray:
    """Return the features of records from the positions of their known fields: (records, features) float32.

    An ordered field is its position, and -1 where it is missing; a field of few categories is one feature per category.
    """
    features: list[np.ndarray] = [np.zeros(len(known))]
    for index, column in enumerate(columns):
        at = known[:, index]
        if column.field.ordered:
            features.append(np.where(np.isnan(at), -1.0, at))
        elif len(column.low) <= ONE_HOT:
            features += [at == number for number in range(len(column.low))]
        else:
            ranks = np.argsort(np.argsort(-column.counts, kind="stable"), kind="stable")
            features.append(np.where(np.isnan(at), -1.0, ranks[np.nan_to_num(at).astype(np.int64)]))
        if column.field.nullable:
            features.append(np.isnan(at))
    return np.stack(features, axis=1).astype(np.float32)


def fit_forest(
    columns: Sequence[Column], codes: Sequence[np.ndarray], positions: np.ndarray, settings: Statistical
) -> Forest:
    """Fit a chain of extra-trees; see `Fit`."""
    random = np.random.default_rng(settings.seed)
    trees = []
    for index, column in enumerate(columns):
        rows = np.arange(len(positions))
        if len(rows) > MOST_RECORDS:
            rows = np.sort(random.choice(rows, MOST_RECORDS, replace=False))
        features, of_field = features_of(columns[:index], positions[rows]), codes[index][rows]
        absent = of_field == MISSING
        seed = settings.seed * 1_000 + 2 * index
        missing = None
        if absent.any() and not absent.all():
            missing = _classified(features, absent.astype(np.int64), settings, seed)
        present = np.flatnonzero(~absent)
        value = None
        if len(present):
            fit = _ranked if column.field.ordered else _classified
            target = column.middles[of_field[present]] if column.field.ordered else of_field[present]
            groups = column.groups[of_field[present]]
            value = fit(features[present], groups, settings, seed + 1, target)
        trees.append(FieldTrees(missing, value))
    return Forest(columns, trees)


def _classified(
    features: np.ndarray,
    codes: np.ndarray,
    settings: Statistical,
    seed: int,
    target: np.ndarray | None = None,
) -> Trees:
    from sklearn.ensemble import ExtraTreesClassifier

    # All features at every node, because there are few, and some only matter after others.
    forest = ExtraTreesClassifier(settings.trees, min_samples_leaf=settings.leaf, random_state=seed % 2**32)
    forest.set_params(max_features=None)
    return Trees.of(forest.fit(features, codes), features, codes)


def _ranked(
    features: np.ndarray, codes: np.ndarray, settings: Statistical, seed: int, target: np.ndarray
) -> Trees:
    from sklearn.ensemble import ExtraTreesRegressor

    forest = ExtraTreesRegressor(settings.trees, min_samples_leaf=settings.leaf, random_state=seed % 2**32)
    return Trees.of(forest.fit(features, target), features, codes)


def restore_forest(
    columns: Sequence[Column], arrays: Mapping[str, np.ndarray], settings: Statistical
) -> Forest:
    """Return the forest of stored arrays; see `Restore`."""
    trees = []
    for index, column in enumerate(columns):
        width = features_of(columns[:index], np.zeros((1, index))).shape[1]
        parts: dict[str, Trees | None] = {}
        for part, count in (("missing", 2), ("value", int(column.groups.max(initial=0)) + 1)):
            held = {
                name: arrays[f"{index}.{part}.{name}"] for name in NAMES if f"{index}.{part}.{name}" in arrays
            }
            parts[part] = Trees.from_arrays(held, width, count) if len(held) == len(NAMES) else None
        trees.append(FieldTrees(parts["missing"], parts["value"]))
    return Forest(columns, trees)

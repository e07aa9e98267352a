"""Decision trees as plain arrays: which leaf a row falls into, and the codes of the training records in each leaf.

Fitted by scikit-learn, stored and read without it: the arrays hold numbers only, and reading them runs nothing.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from paracosm.foundation.errors import ModelError

NAMES = ("roots", "feature", "threshold", "left", "right", "start", "codes")


@dataclass(frozen=True)
class Trees:
    """Some trees over the same features. Nodes of all trees are numbered through.

    Attributes:
        roots: (trees,) root of each tree.
        feature: (nodes,) feature that a node compares, -1 in a leaf.
        threshold: (nodes,) float32; a row goes left if its feature is at most this.
        left: (nodes,) child.
        right: (nodes,) child.
        start: (nodes + 1,) where the codes of a leaf begin in `codes`; an inner node has none.
        codes: codes of the training records of each leaf, ascending within a leaf, so that they do not show which
            records go together.
    """

    roots: np.ndarray
    feature: np.ndarray
    threshold: np.ndarray
    left: np.ndarray
    right: np.ndarray
    start: np.ndarray
    codes: np.ndarray

    @classmethod
    def of(cls, forest: Any, features: np.ndarray, codes: np.ndarray) -> "Trees":
        """Return the trees of a fitted scikit-learn forest.

        Args:
            forest: fitted on `features`.
            features: (records, features) float32, the training records.
            codes: (records,) code of each training record.
        """
        parts: dict[str, list[np.ndarray]] = {name: [] for name in NAMES}
        nodes = members = 0
        for estimator in forest.estimators_:
            tree = estimator.tree_
            leaves = tree.apply(features)
            order = np.lexsort((codes, leaves))
            leaf = tree.children_left < 0
            parts["roots"].append(np.array([nodes]))
            parts["feature"].append(np.where(leaf, -1, tree.feature))
            parts["threshold"].append(tree.threshold.astype(np.float32))
            parts["left"].append(np.where(leaf, 0, tree.children_left + nodes))
            parts["right"].append(np.where(leaf, 0, tree.children_right + nodes))
            sizes = np.bincount(leaves, minlength=tree.node_count)
            parts["start"].append(members + np.cumsum(sizes) - sizes)
            parts["codes"].append(codes[order])
            nodes, members = nodes + tree.node_count, members + len(codes)
        parts["start"].append(np.array([members]))
        joined = {name: np.concatenate(arrays) for name, arrays in parts.items()}
        whole = {name: array.astype(np.int32) for name, array in joined.items() if name != "threshold"}
        return cls(**whole, threshold=joined["threshold"])

    def leaves(self, features: np.ndarray, trees: np.ndarray) -> np.ndarray:
        """Return the leaf of each row in one tree each: (rows,).

        Args:
            features: (rows, features) float32.
            trees: (rows,) index of the tree.
        """
        nodes = self.roots[trees]
        rows = np.flatnonzero(self.feature[nodes] >= 0)
        while len(rows):
            at = nodes[rows]
            left = features[rows, self.feature[at]] <= self.threshold[at]
            nodes[rows] = np.where(left, self.left[at], self.right[at])
            rows = rows[self.feature[nodes[rows]] >= 0]
        return nodes

    def draw(self, features: np.ndarray, uniforms: np.ndarray) -> np.ndarray:
        """Return the code of a random training record in the leaf of a random tree, for each row.

        Args:
            features: (rows, features) float32.
            uniforms: (rows, 2).
        """
        trees = (uniforms[:, 0] * len(self.roots)).astype(np.int64)
        leaves = self.leaves(features, trees)
        sizes = self.start[leaves + 1] - self.start[leaves]
        return self.codes[self.start[leaves] + (uniforms[:, 1] * sizes).astype(np.int64)]

    def shares(self, features: np.ndarray, count: int) -> np.ndarray:
        """Return the share of each code in the leaves of all trees, for each row: (rows, count)."""
        shares = np.zeros((len(features), count))
        for tree in range(len(self.roots)):
            leaves = self.leaves(features, np.full(len(features), tree))
            for leaf in np.unique(leaves):
                codes = self.codes[self.start[leaf] : self.start[leaf + 1]]
                shares[leaves == leaf] += np.bincount(codes, minlength=count) / len(codes)
        return shares / len(self.roots)

    def share(self, features: np.ndarray, codes: np.ndarray) -> np.ndarray:
        """Return the share of one code in the leaves of all trees, for each row: (rows,)."""
        # Within a leaf codes ascend, so that leaf and code together ascend over the whole array.
        span = int(self.codes.max(initial=0)) + 2
        leaf_of = np.repeat(np.arange(len(self.feature)), np.diff(self.start))
        keys = leaf_of * span + self.codes
        shares = np.zeros(len(features))
        clipped = np.clip(codes, -1, span - 2)
        for tree in range(len(self.roots)):
            leaves = self.leaves(features, np.full(len(features), tree)).astype(np.int64)
            wanted = leaves * span + clipped
            found = np.searchsorted(keys, wanted, "right") - np.searchsorted(keys, wanted, "left")
            shares += np.where(codes < 0, 0, found) / (self.start[leaves + 1] - self.start[leaves])
        return shares / len(self.roots)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the arrays by name."""
        return {name: getattr(self, name) for name in NAMES}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, np.ndarray], features: int, count: int) -> "Trees":
        """Return the trees of stored arrays.

        Args:
            arrays: what `arrays` returned.
            features: number of features of a row.
            count: number of codes.

        Raises:
            ModelError: they are not trees over so many features and codes, and reading them could fail or never end.
        """
        trees = cls(**{name: arrays[name] for name in NAMES})
        nodes, inner = len(trees.feature), trees.feature >= 0
        at = np.arange(nodes)[inner]
        sizes = np.diff(trees.start)
        sound = (
            all(
                array.dtype == (np.float32 if name == "threshold" else np.int32)
                for name, array in arrays.items()
            )
            and all(len(array) == nodes for array in (trees.threshold, trees.left, trees.right))
            and len(trees.start) == nodes + 1
            and len(trees.roots) > 0
            and ((trees.roots >= 0) & (trees.roots < nodes)).all()
            and (trees.feature < features).all()
            # Children come after their parent, so that every way ends.
            and all(
                ((child[inner] > at) & (child[inner] < nodes)).all() for child in (trees.left, trees.right)
            )
            and trees.start[0] == 0
            and trees.start[-1] == len(trees.codes)
            and (sizes[inner] == 0).all()
            and (sizes[~inner] > 0).all()
            and ((trees.codes >= 0) & (trees.codes < count)).all()
        )
        if not sound:
            raise ModelError("the trees of a stored model are damaged")
        return trees

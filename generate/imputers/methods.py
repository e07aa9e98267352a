"""The methods: averages, nearest neighbours, chained regressions and forests, each fitted to the training records."""

from collections.abc import Callable
from typing import Any, Literal, get_args

import numpy as np

from paracosm.generate.imputers.encoding import Encoding

Method = Literal["mean", "median", "mode", "knn", "iterative", "forest"]
METHODS: tuple[Method, ...] = get_args(Method)
NEIGHBOURS = 5
ROUNDS = 5
"""Rounds of `iterative` and `forest`."""
TREES, LEAF = 100, 3


def filled(method: Method, encoding: Encoding, cells: np.ndarray, seed: int) -> np.ndarray:
    """Return cells with their holes filled: (records, fields); NaN remains where a field has no training value.

    Args:
        method: `mean` and `median` fill categories with the most frequent one.
        encoding: of the training records.
        cells: (records, fields), numbers on the grids of the fields, NaN for a hole.
        seed: of `iterative` and `forest`.
    """
    functions: dict[Method, Callable[[], np.ndarray]] = {
        "mean": lambda: np.broadcast_to(encoding.averages("mean"), cells.shape),
        "median": lambda: np.broadcast_to(encoding.averages("median"), cells.shape),
        "mode": lambda: np.broadcast_to(encoding.modes, cells.shape),
        "knn": lambda: _neighbours(encoding, cells),
        "iterative": lambda: _regressions(encoding, cells, seed),
        "forest": lambda: _forests(encoding, cells, seed),
    }
    return np.where(np.isnan(cells), functions[method](), cells)


def _neighbours(encoding: Encoding, cells: np.ndarray) -> np.ndarray:
    """Return the mean of the nearest training records that know the cell (Troyanskaya et al. 2001)."""
    from sklearn.impute import KNNImputer

    imputer = KNNImputer(n_neighbors=NEIGHBOURS, keep_empty_features=True)
    imputer.fit(encoding.matrix(encoding.train))
    return encoding.cells(np.asarray(imputer.transform(encoding.matrix(cells))))


def _regressions(encoding: Encoding, cells: np.ndarray, seed: int) -> np.ndarray:
    """Return the predictions of a regression per field on all others, in turns (van Buuren and Groothuis-Oudshoorn 2011, MICE)."""
    from sklearn.linear_model import BayesianRidge, LogisticRegression

    return _in_turns(encoding, cells, BayesianRidge, lambda: LogisticRegression(max_iter=500))


def _forests(encoding: Encoding, cells: np.ndarray, seed: int) -> np.ndarray:
    """Return the predictions of a forest per field given all others, in turns (Stekhoven and Buehlmann 2012, missForest)."""
    from sklearn.ensemble import ExtraTreesClassifier, ExtraTreesRegressor

    settings: dict[str, Any] = {"n_estimators": TREES, "min_samples_leaf": LEAF, "random_state": seed % 2**32}
    return _in_turns(
        encoding, cells, lambda: ExtraTreesRegressor(**settings), lambda: ExtraTreesClassifier(**settings)
    )


def _in_turns(
    encoding: Encoding, cells: np.ndarray, regressor: Callable[[], Any], classifier: Callable[[], Any]
) -> np.ndarray:
    """Fill the holes of each field by a model of it given all other fields, over several rounds.

    The columns of one category do not predict each other, as they would if all columns were filled in turns.
    """
    start = encoding.averages("median")
    train = np.where(np.isnan(encoding.train), start, encoding.train)
    current, holes = np.where(np.isnan(cells), start, cells), np.isnan(cells)
    models = {}
    for at in np.flatnonzero(holes.any(axis=0)).tolist():
        known = ~np.isnan(encoding.train[:, at])
        if len(np.unique(encoding.train[known, at])) > 1:
            make = regressor if encoding.fields[at].ordered else classifier
            models[at] = make().fit(_others(encoding, train[known], at), encoding.train[known, at])
    # Fields with the fewest holes first, since their cells help the others.
    order = sorted(models, key=lambda at: int(holes[:, at].sum()))
    for _ in range(ROUNDS):
        for at in order:
            rows = holes[:, at]
            current[rows, at] = models[at].predict(_others(encoding, current[rows], at))
    return current


def _others(encoding: Encoding, cells: np.ndarray, at: int) -> np.ndarray:
    """Return the features of all fields but one; a field without any training value is left out."""
    hidden = cells.copy()
    hidden[:, at] = encoding.averages("median")[at]
    return np.nan_to_num(encoding.matrix(hidden))

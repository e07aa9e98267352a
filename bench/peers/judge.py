"""Judge a synthetic table by scikit-learn alone; nothing of Paracosm is imported.

    python bench/peers/judge.py TRAIN.parquet HOLDOUT.parquet SYNTHETIC.parquet --target COLUMN

C2ST and pairs compare tables of the size of the hold-out, so that the ceiling (training records against the hold-out) has the same
noise; both are means over draws. Lower is better for C2ST, down to its ceiling: a value far below it shows copied neighbours.
"""

import argparse
import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import OneHotEncoder, StandardScaler

DRAWS = 5
BINS = 8


def judge(
    train: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, target: str
) -> dict[str, float]:
    """Return the figures of a synthetic table."""
    synthetic = synthetic[list(train.columns)]
    rows = min(len(holdout), len(synthetic), len(train))
    parts = [synthetic.sample(rows, random_state=seed) for seed in range(DRAWS)]
    real = holdout.sample(rows, random_state=0)
    return {
        "c2st": float(np.mean([c2st(real, part) for part in parts])),
        "pairs": float(np.mean([pairs(train, real, part) for part in parts])),
        "tstr": predictive_score(synthetic, holdout, target),
        "dcr_share": dcr_share(train, holdout, synthetic),
        "copies": copies(train, synthetic) - copies(train, holdout),
    }


def ceiling(train: pd.DataFrame, holdout: pd.DataFrame, target: str) -> dict[str, float]:
    """Return the figures of real records: halves of no other table can do better, up to noise."""
    rows = min(len(holdout), len(train))
    parts = [train.sample(rows, random_state=seed) for seed in range(DRAWS)]
    return {
        "c2st": float(np.mean([c2st(holdout, part) for part in parts])),
        "pairs": float(np.mean([pairs(train, holdout, part) for part in parts])),
        "tstr": predictive_score(train, holdout, target),
    }


def is_number(column: pd.Series) -> bool:
    """Return whether a column holds numbers."""
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def features(table: pd.DataFrame, like: pd.DataFrame) -> pd.DataFrame:
    """Return numbers as they are and words as codes of the words of `like`; missing cells stay missing."""
    columns = {}
    for name in table:
        if is_number(like[name]):
            columns[name] = pd.to_numeric(table[name], errors="coerce").astype(float)
        else:
            words = sorted(like[name].dropna().astype(str).unique())
            codes = table[name].astype("string").map({word: code for code, word in enumerate(words)})
            columns[name] = pd.to_numeric(codes).astype(float)
    return pd.DataFrame(columns)


def c2st(real: pd.DataFrame, other: pd.DataFrame) -> float:
    """Return the out-of-fold AUC of boosted trees between two tables of one size."""
    both = pd.concat([real, other], ignore_index=True)
    labels = np.repeat([0, 1], [len(real), len(other)])
    trees = HistGradientBoostingClassifier(random_state=0, max_iter=100)
    scores = cross_val_predict(trees, features(both, both), labels, cv=5, method="predict_proba")[:, 1]
    return float(roc_auc_score(labels, scores))


def pairs(train: pd.DataFrame, real: pd.DataFrame, other: pd.DataFrame) -> float:
    """Return the mean over pairs of columns of 1 - the total variation distance of their joint distribution, numbers in bins of train."""
    sides = [_binned(table, train) for table in (real, other)]
    scores = []
    for first, second in combinations(train.columns, 2):
        counts = [(side[first] + "|" + side[second]).value_counts(normalize=True) for side in sides]
        scores.append(1 - float(counts[0].sub(counts[1], fill_value=0).abs().sum() / 2))
    return float(np.mean(scores))


def _binned(table: pd.DataFrame, train: pd.DataFrame) -> pd.DataFrame:
    columns = {}
    for name in train:
        if is_number(train[name]):
            edges = np.unique(np.nanquantile(train[name].astype(float), np.linspace(0, 1, BINS + 1)[1:-1]))
            values = pd.to_numeric(table[name], errors="coerce").astype(float)
            bins = pd.Series(np.searchsorted(edges, values), index=table.index).astype(str)
            columns[name] = bins.where(values.notna(), "missing")
        else:
            columns[name] = table[name].astype("string").fillna("missing").astype(str)
    return pd.DataFrame(columns)


def predictive_score(train: pd.DataFrame, test: pd.DataFrame, target: str) -> float:
    """Return the macro AUC (R2 of a number) on test of boosted trees that were trained on `train`."""
    train, test = train.dropna(subset=[target]), test.dropna(subset=[target])
    like = pd.concat([train, test], ignore_index=True).drop(columns=target)
    inputs, held_out = (features(table.drop(columns=target), like) for table in (train, test))
    if is_number(test[target]) and test[target].nunique() > 10:
        regressor = HistGradientBoostingRegressor(random_state=0).fit(inputs, train[target].astype(float))
        return float(r2_score(test[target].astype(float), regressor.predict(held_out)))
    classifier = HistGradientBoostingClassifier(random_state=0).fit(inputs, train[target].astype(str))
    scores, truth = classifier.predict_proba(held_out), test[target].astype(str).to_numpy()
    aucs = [
        roc_auc_score(truth == name, scores[:, index])
        for index, name in enumerate(classifier.classes_)
        if 0 < (truth == name).sum() < len(truth)
    ]
    return float(np.mean(aucs))


def dcr_share(train: pd.DataFrame, holdout: pd.DataFrame, synthetic: pd.DataFrame, draws: int = 20) -> float:
    """Return the share of synthetic records nearer to train than to the hold-out, at equal sizes; a tie counts half."""
    real = pd.concat([train, holdout], ignore_index=True)
    sides = [_vectors(table, real) for table in (train, holdout, synthetic)]
    rows = min(len(train), len(holdout))
    random, shares = np.random.default_rng(0), []
    for _ in range(draws):
        near = []
        for side in sides[:2]:
            part = side[random.choice(len(side), rows, replace=False)]
            near.append(NearestNeighbors(n_neighbors=1).fit(part).kneighbors(sides[2])[0][:, 0])
        shares.append(np.mean((near[0] < near[1]) + 0.5 * (near[0] == near[1])))
    return float(np.mean(shares))


def _vectors(table: pd.DataFrame, real: pd.DataFrame) -> np.ndarray:
    parts = []
    for name in real:
        if is_number(real[name]):
            middle = real[name].astype(float).median()
            scaler = StandardScaler().fit(real[[name]].astype(float).fillna(middle).to_numpy())
            values = pd.to_numeric(table[name], errors="coerce").astype(float).fillna(middle)
            parts.append(scaler.transform(values.to_numpy()[:, None]))
        else:
            coder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
            coder.fit(real[[name]].astype("string").fillna("").astype(str).to_numpy())
            cells = table[[name]].astype("string").fillna("").astype(str).to_numpy()
            parts.append(coder.transform(cells) / np.sqrt(2))
    return np.hstack(parts)


def copies(train: pd.DataFrame, other: pd.DataFrame) -> float:
    """Return the share of records of `other` that equal a training record in every cell."""
    known = set(_rows(train))
    return float(np.mean([row in known for row in _rows(other)]))


def _rows(table: pd.DataFrame) -> list[tuple[str, ...]]:
    written = {
        name: table[name].astype(float).map("{:g}".format)
        if is_number(table[name])
        else table[name].astype(str)
        for name in table
    }
    return list(zip(*(column.tolist() for column in written.values()), strict=True))


def main() -> None:
    """Print the figures as JSON."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in ("train", "holdout", "synthetic"):
        parser.add_argument(name, type=Path)
    parser.add_argument("--target", required=True)
    given = parser.parse_args()
    tables = [pd.read_parquet(path) for path in (given.train, given.holdout, given.synthetic)]
    print(
        json.dumps({"synthetic": judge(*tables, given.target), "ceiling": ceiling(*tables[:2], given.target)})
    )


if __name__ == "__main__":
    main()

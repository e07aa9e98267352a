"""Figures of an evaluation beside the same quantities by plain pandas and scikit-learn, which share no code with it.

    python bench/evaluation/independent.py runs/healthcare-heart

Reads the splits, the synthetic records and `eval/metrics.json` of a measured run, and prints one line for each quantity: C2ST,
marginals, TSTR and DCR. Encodings and learners differ (ordinal codes and random forests here), so that agreement is within
intervals and not to the digit.
"""

import argparse
import json
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import cross_val_predict
from sklearn.neighbors import NearestNeighbors
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.preprocessing import OrdinalEncoder as Ordinal

DRAWS = 5
TREES = {"n_estimators": 300, "min_samples_leaf": 3, "random_state": 0}
METRICS = ("c2st_auc", "marginals", "utility_score", "dcr_share")


def main() -> None:
    """Print the table."""
    arguments = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    arguments.add_argument("run", type=Path)
    run = arguments.parse_args().run
    schema = json.loads((run / "splits" / "schema.json").read_text(encoding="utf-8"))
    identifiers = {field["name"] for field in schema["fields"] if field["type"] == "identifier"}
    tables = {
        name: pd.read_parquet(run / "splits" / f"{name}.parquet") for name in ("train", "control", "test")
    }
    shards = sorted((run / "synthetic").glob("part-*.parquet"))
    tables["synthetic"] = pd.concat([pd.read_parquet(shard) for shard in shards], ignore_index=True)
    columns = [name for name in tables["synthetic"].columns if name not in identifiers]
    tables = {name: table[columns] for name, table in tables.items()}
    target = _target(run)
    # As many records at a time as the evaluation compares: fewer records look more alike to a classifier.
    rows = min(len(tables["control"]) + len(tables["test"]), len(tables["synthetic"]))
    parts = [tables["synthetic"].sample(rows, random_state=seed) for seed in range(DRAWS)]
    found = {
        "c2st_auc": float(np.mean([c2st(tables["train"], part) for part in parts])),
        "marginals": float(np.mean([marginals(tables["train"], part) for part in parts])),
        "utility_score": None if target is None else tstr(tables["synthetic"], tables["test"], target),
        "dcr_share": dcr_share(tables["train"], tables["control"], tables["synthetic"]),
    }
    metrics = json.loads((run / "eval" / "metrics.json").read_text(encoding="utf-8"))["metrics"]
    measured = {metric["name"]: metric for metric in metrics if metric["value"] is not None}
    print(f"{'metric':<16}{'metrics.json':>14}{'95% interval':>20}{'independent':>14}")
    for name in METRICS:
        if name not in measured or found[name] is None:
            continue
        low, high = measured[name]["interval"]
        print(
            f"{name:<16}{measured[name]['value']:>14.3f}{f'[{low:.3f}, {high:.3f}]':>20}{found[name]:>14.3f}"
        )


def c2st(train: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Return the out-of-fold AUC of a random forest between as many training and synthetic records."""
    rows = min(len(train), len(synthetic))
    both = pd.concat([train.sample(rows, random_state=0), synthetic.sample(rows, random_state=0)])
    labels = np.repeat([0, 1], rows)
    forest = RandomForestClassifier(**TREES)
    scores = cross_val_predict(forest, _codes(both, both), labels, cv=5, method="predict_proba")[:, 1]
    return float(roc_auc_score(labels, scores))


def marginals(train: pd.DataFrame, synthetic: pd.DataFrame) -> float:
    """Return the mean over columns of 1 - the Kolmogorov-Smirnov distance, or 1 - the total variation distance."""
    return float(np.mean([_similarity(train[name], synthetic[name]) for name in train]))


def tstr(synthetic: pd.DataFrame, test: pd.DataFrame, target: str) -> float:
    """Return the macro AUC (or R2) on test of a random forest that was trained on the synthetic records."""
    synthetic, test = synthetic.dropna(subset=[target]), test.dropna(subset=[target])
    both = pd.concat([synthetic, test]).drop(columns=target)
    inputs, held_out = (_codes(table.drop(columns=target), both) for table in (synthetic, test))
    if pd.api.types.is_float_dtype(synthetic[target]):
        forest = RandomForestRegressor(**TREES).fit(inputs, synthetic[target])
        return float(r2_score(test[target], forest.predict(held_out)))
    classifier = RandomForestClassifier(**TREES).fit(inputs, synthetic[target].astype(str))
    scores, truth = classifier.predict_proba(held_out), test[target].astype(str).to_numpy()
    aucs = [
        roc_auc_score(truth == name, scores[:, index])
        for index, name in enumerate(classifier.classes_)
        if 0 < (truth == name).sum() < len(truth)
    ]
    return float(aucs[-1] if len(classifier.classes_) == 2 else np.mean(aucs))


def dcr_share(train: pd.DataFrame, control: pd.DataFrame, synthetic: pd.DataFrame, draws: int = 20) -> float:
    """Return the share of synthetic records nearer to train than to control, at equal sizes; a tie counts half."""
    real = pd.concat([train, control])
    sides = {name: _vectors(table, real) for name, table in (("t", train), ("c", control), ("s", synthetic))}
    to_control = NearestNeighbors(n_neighbors=1).fit(sides["c"]).kneighbors(sides["s"])[0][:, 0]
    random, shares = np.random.default_rng(0), []
    for _ in range(draws):
        part = sides["t"][random.choice(len(train), len(control), replace=False)]
        to_train = NearestNeighbors(n_neighbors=1).fit(part).kneighbors(sides["s"])[0][:, 0]
        shares.append(np.mean((to_train < to_control) + 0.5 * (to_train == to_control)))
    return float(np.mean(shares))


def _numeric(column: pd.Series) -> bool:
    return pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column)


def _similarity(one: pd.Series, other: pd.Series) -> float:
    if _numeric(one):
        sides = [np.sort(column.dropna().to_numpy(dtype=float)) for column in (one, other)]
        points = np.concatenate(sides)
        shares = [np.searchsorted(side, points, side="right") / len(side) for side in sides]
        return 1 - float(np.abs(shares[0] - shares[1]).max())
    counts = [column.astype(str).value_counts(normalize=True) for column in (one, other)]
    return 1 - float(counts[0].sub(counts[1], fill_value=0).abs().sum() / 2)


def _codes(table: pd.DataFrame, all_records: pd.DataFrame) -> np.ndarray:
    """Return numbers as they are, words as codes, and -1 where a cell is missing."""
    parts = []
    for name in table:
        if _numeric(all_records[name]):
            parts.append(table[[name]].to_numpy(dtype=float, na_value=np.nan))
            continue
        coder = Ordinal(handle_unknown="use_encoded_value", unknown_value=-1)
        parts.append(coder.fit(all_records[[name]].astype(str)).transform(table[[name]].astype(str)))
    return np.nan_to_num(np.hstack(parts), nan=-1.0)


def _vectors(table: pd.DataFrame, real: pd.DataFrame) -> np.ndarray:
    """Return standardised numbers and indicators of words."""
    parts = []
    for name in table:
        if _numeric(real[name]):
            middle = real[name].astype(float).median()
            known = real[[name]].astype(float).fillna(middle).to_numpy()
            parts.append(
                StandardScaler().fit(known).transform(table[[name]].astype(float).fillna(middle).to_numpy())
            )
        else:
            coder = OneHotEncoder(handle_unknown="ignore", sparse_output=False)
            parts.append(
                coder.fit(real[[name]].astype(str)).transform(table[[name]].astype(str)) / np.sqrt(2)
            )
    return np.hstack(parts)


def _target(run: Path) -> str | None:
    import yaml

    return yaml.safe_load((run / "recipe.yaml").read_text(encoding="utf-8"))["data"].get("target")


if __name__ == "__main__":
    main()

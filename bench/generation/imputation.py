"""Accuracy of imputation by a run's model, against mode and median and against nearest neighbours.

    paracosm run healthcare-heart finetune.order=shuffled --run runs/heart-shuffled
    python bench/generation/imputation.py runs/heart-shuffled

Removes a fifth of the known cells from the test split, which the model was not trained on, and scores the imputed cells.
"""

import argparse
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from sklearn.impute import KNNImputer

from paracosm.generate.imputation import impute
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.schema.table import read_table, to_typed, written

SHARE = 0.2


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--times", type=int, default=5)
    arguments = parser.parse_args()
    run, recipe = Run.open(arguments.run), load_recipe(arguments.run / "recipe.yaml")
    schema = Schema.load(run.schema)
    fields = schema.modelled
    train, test = (read_table(run.split(name), schema) for name in ("train", "test"))
    names = [field.name for field in fields]
    allowed = np.array(
        [
            [field.allows(_plain(cell)) for field, cell in zip(fields, row, strict=True)]
            for row in test[names].itertuples(index=False)
        ]
    )
    removed = (
        (np.random.default_rng(0).random(test[names].shape) < SHARE)
        & test[names].notna().to_numpy()
        & allowed
    )
    with TemporaryDirectory() as folder:
        source = written(test[names], Schema(fields)).mask(removed)
        source.to_csv(Path(folder) / "incomplete.csv", index=False)
        paths = impute(
            recipe=recipe,
            run=run,
            table=Path(folder) / "incomplete.csv",
            out=Path(folder) / "full.csv",
            times=arguments.times,
            progress=print,
        )
        drawn = [to_typed(pd.read_csv(path, dtype="string"), Schema(fields)) for path in paths]
    pooled_draws = pooled(drawn, fields)
    incomplete = test[names].mask(removed)
    imputed = {
        "one draw of the model": drawn[0],
        f"{arguments.times} draws, median or most frequent": pooled_draws,
        "mode and median of train": by_column(incomplete, train, fields),
        "5 nearest neighbours in train": by_neighbours(incomplete, train, fields),
    }
    table = Table(
        title=f"{arguments.run.name}: {removed.sum()} of {removed.size} cells of {len(test)} test records removed"
    )
    for column in ("", "categories: accuracy", "numbers: mean absolute error / standard deviation"):
        table.add_column(column)
    for name, filled in imputed.items():
        right, error = score(filled, test, removed, fields, train)
        table.add_row(name, f"{right:.3f}", f"{error:.3f}")
    Console(width=140).print(table)


def _plain(cell: object) -> object:
    """Return a cell as a plain Python value; None if missing."""
    return None if pd.isna(cell) else cell.item() if isinstance(cell, np.generic) else cell


def pooled(drawn: list[pd.DataFrame], fields: tuple[Field, ...]) -> pd.DataFrame:
    """Return the median of several draws for numbers, and the most frequent value for other fields."""
    filled = drawn[0].copy()
    for field in fields:
        several = pd.concat([table[field.name] for table in drawn], axis=1)
        if field.ordered:
            filled[field.name] = several.astype(float).median(axis=1)
        else:
            filled[field.name] = several.astype("string").mode(axis=1)[0]
    return filled


def by_column(incomplete: pd.DataFrame, train: pd.DataFrame, fields: tuple[Field, ...]) -> pd.DataFrame:
    """Impute the median of numbers and the mode of other fields in the training records."""
    filled = incomplete.copy()
    for field in fields:
        known = train[field.name].dropna()
        if field.ordered:
            filled[field.name] = filled[field.name].astype(float).fillna(float(known.astype(float).median()))
        else:
            filled[field.name] = (
                filled[field.name].astype("string").fillna(str(known.astype("string").mode()[0]))
            )
    return filled


def by_neighbours(incomplete: pd.DataFrame, train: pd.DataFrame, fields: tuple[Field, ...]) -> pd.DataFrame:
    """Impute the mean of the five nearest training records; categories are one-hot and the largest entry wins."""
    columns, layout = [], []
    for field in fields:
        both = pd.concat([train[field.name], incomplete[field.name]], ignore_index=True)
        if field.ordered:
            values = both.astype(float)
            scale = (values.mean(), values.std() or 1.0)
            columns.append(((values - scale[0]) / scale[1]).to_numpy()[:, None])
            layout.append((field, scale))
        else:
            words = sorted(both.dropna().astype("string").unique())
            spread = np.array(
                [[np.nan if pd.isna(cell) else float(str(cell) == word) for word in words] for cell in both]
            )
            columns.append(spread / np.sqrt(2))
            layout.append((field, words))
    matrix = np.concatenate(columns, axis=1)
    imputer = KNNImputer(n_neighbors=5).fit(matrix[: len(train)])
    neighbours = imputer.transform(matrix[len(train) :])
    filled, at = incomplete.copy(), 0
    for field, encoding in layout:
        if isinstance(encoding, tuple):
            filled[field.name] = neighbours[:, at] * encoding[1] + encoding[0]
            at += 1
        else:
            best = neighbours[:, at : at + len(encoding)].argmax(axis=1)
            filled[field.name] = pd.array([encoding[index] for index in best], dtype="string")
            at += len(encoding)
    return filled


def score(
    filled: pd.DataFrame,
    test: pd.DataFrame,
    removed: np.ndarray,
    fields: tuple[Field, ...],
    train: pd.DataFrame,
) -> tuple[float, float]:
    right, errors = [], []
    for at, field in enumerate(fields):
        rows = removed[:, at]
        got, true = filled.loc[rows, field.name], test.loc[rows, field.name]
        if field.ordered:
            spread = float(train[field.name].astype(float).std()) or 1.0
            errors += (np.abs(got.astype(float).to_numpy() - true.astype(float).to_numpy()) / spread).tolist()
        else:
            right += (got.astype("string").to_numpy() == true.astype("string").to_numpy()).tolist()
    return float(np.mean(right)), float(np.mean(errors))


if __name__ == "__main__":
    main()

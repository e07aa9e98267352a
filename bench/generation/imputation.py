"""Missing cells: how well a run's model fills them, against mode and median and against nearest neighbours.

    paracosm run healthcare-heart finetune.order=shuffled --run runs/heart-shuffled
    python bench/generation/imputation.py runs/heart-shuffled

Takes a fifth of the known cells out of the test split, which trained nothing, and scores what each way puts back.
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
NUMBERS = ("integer", "number")


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("run", type=Path)
    given.add_argument("--times", type=int, default=5)
    asked = given.parse_args()
    run, recipe = Run.open(asked.run), load_recipe(asked.run / "recipe.yaml")
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
    holes = (
        (np.random.default_rng(0).random(test[names].shape) < SHARE)
        & test[names].notna().to_numpy()
        & allowed
    )
    with TemporaryDirectory() as folder:
        source = written(test[names], Schema(fields)).mask(holes)
        source.to_csv(Path(folder) / "holed.csv", index=False)
        paths = impute(
            recipe=recipe,
            run=run,
            table=Path(folder) / "holed.csv",
            out=Path(folder) / "full.csv",
            times=asked.times,
            progress=print,
        )
        drawn = [to_typed(pd.read_csv(path, dtype="string"), Schema(fields)) for path in paths]
    one, together = drawn[0], pooled(drawn, fields)
    holed = test[names].mask(holes)
    ways = {
        "one draw of the model": one,
        f"{asked.times} draws, median or most frequent": together,
        "mode and median of train": by_column(holed, train, fields),
        "5 nearest neighbours in train": by_neighbours(holed, train, fields),
    }
    table = Table(
        title=f"{asked.run.name}: {holes.sum()} of {holes.size} cells of {len(test)} test records taken out"
    )
    for column in ("", "categories: share right", "numbers: mean absolute error / standard deviation"):
        table.add_column(column)
    for name, filled in ways.items():
        right, error = score(filled, test, holes, fields, train)
        table.add_row(name, f"{right:.3f}", f"{error:.3f}")
    Console(width=140).print(table)


def _plain(cell: object) -> object:
    return None if pd.isna(cell) else cell.item() if isinstance(cell, np.generic) else cell


def pooled(drawn: list[pd.DataFrame], fields: tuple[Field, ...]) -> pd.DataFrame:
    filled = drawn[0].copy()
    for field in fields:
        several = pd.concat([each[field.name] for each in drawn], axis=1)
        if field.type in NUMBERS:
            filled[field.name] = several.astype(float).median(axis=1)
        else:
            filled[field.name] = several.astype("string").mode(axis=1)[0]
    return filled


def by_column(holed: pd.DataFrame, train: pd.DataFrame, fields: tuple[Field, ...]) -> pd.DataFrame:
    filled = holed.copy()
    for field in fields:
        known = train[field.name].dropna()
        if field.type in NUMBERS:
            filled[field.name] = filled[field.name].astype(float).fillna(float(known.astype(float).median()))
        else:
            filled[field.name] = (
                filled[field.name].astype("string").fillna(str(known.astype("string").mode()[0]))
            )
    return filled


def by_neighbours(holed: pd.DataFrame, train: pd.DataFrame, fields: tuple[Field, ...]) -> pd.DataFrame:
    """Scale numbers, spread categories over columns, and average over five neighbours; the fullest column wins."""
    columns, layout = [], []
    for field in fields:
        both = pd.concat([train[field.name], holed[field.name]], ignore_index=True)
        if field.type in NUMBERS:
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
    found = imputer.transform(matrix[len(train) :])
    filled, at = holed.copy(), 0
    for field, told in layout:
        if isinstance(told, tuple):
            filled[field.name] = found[:, at] * told[1] + told[0]
            at += 1
        else:
            best = found[:, at : at + len(told)].argmax(axis=1)
            filled[field.name] = pd.array([told[each] for each in best], dtype="string")
            at += len(told)
    return filled


def score(
    filled: pd.DataFrame,
    test: pd.DataFrame,
    holes: np.ndarray,
    fields: tuple[Field, ...],
    train: pd.DataFrame,
) -> tuple[float, float]:
    right, errors = [], []
    for at, field in enumerate(fields):
        rows = holes[:, at]
        got, true = filled.loc[rows, field.name], test.loc[rows, field.name]
        if field.type in NUMBERS:
            spread = float(train[field.name].astype(float).std()) or 1.0
            errors += (np.abs(got.astype(float).to_numpy() - true.astype(float).to_numpy()) / spread).tolist()
        else:
            right += (got.astype("string").to_numpy() == true.astype("string").to_numpy()).tolist()
    return float(np.mean(right)), float(np.mean(errors))


if __name__ == "__main__":
    main()

"""Statistical methods beside each other: fidelity, usefulness, copying, likelihood, seconds and memory.

    python bench/generation/strategies.py healthcare-heart finance-german-credit
    python bench/generation/strategies.py healthcare-heart --methods forest --seeds 0 1 2

The judge is scikit-learn alone: C2ST is the cross-validated AUC of gradient boosting that tells synthetic records from the held-out
ones, on as many of each; pairs is one minus half the mean difference of the joint distributions of two binned columns; TSTR/TRTR are
the scores above chance (AUC minus one half, or R squared) of a model of the target that is trained on synthetic and on real records, as a
ratio; AUC/AUC is the same ratio of whole AUCs, as it is often reported; DCR is the share of synthetic records
that are closer to a training than to a held-out record, on as many of each. The ceiling is a part of the training records against the
held-out ones. Real records of the held-out splits decide everything; nothing is trained on them.
"""

import argparse
import resource
import tempfile
import time
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor
from sklearn.metrics import r2_score, roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.redraws.retries import draw_until_accepted
from paracosm.generate.statistics.chain import Chain
from paracosm.generate.statistics.chain_draws import draw
from paracosm.generate.strategies.preparation import fit_chain
from paracosm.generate.strategies.statistical import abilities_for
from paracosm.recipes.loading.load import find_recipe, load_recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.statistical import Statistical
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.schema.table import read_table, to_records, to_table
from paracosm.records.stage import prepare

BINS = 10
HEAD = "| table | method | seed | fit s | records/s | MB | C2ST | pairs | TSTR/TRTR | AUC/AUC | copies | DCR | bits |"


def numeric(table: pd.DataFrame, schema: Schema, real: pd.DataFrame) -> pd.DataFrame:
    """Return a table as numbers: ordered columns as they are, others as the rank of their category in the real records."""
    columns = {}
    for field in schema.modelled:
        cells = table[field.name]
        if field.ordered:
            columns[field.name] = field.kind.floats(cells)
        else:
            words = {word: n for n, word in enumerate(sorted(real[field.name].dropna().astype(str).unique()))}
            columns[field.name] = (
                cells.astype("string").map(words).astype("Float64").to_numpy(float, na_value=np.nan)
            )
    return pd.DataFrame(columns)


def c2st(synthetic: pd.DataFrame, real: pd.DataFrame) -> float:
    size = min(len(synthetic), len(real))
    both = pd.concat([synthetic.iloc[:size], real.iloc[:size]])
    side = np.repeat([1, 0], size)
    model = HistGradientBoostingClassifier(max_iter=100, random_state=0)
    folds = StratifiedKFold(5, shuffle=True, random_state=0)
    return float(
        roc_auc_score(side, cross_val_predict(model, both, side, cv=folds, method="predict_proba")[:, 1])
    )


def pairs(synthetic: pd.DataFrame, real: pd.DataFrame) -> float:
    binned = []
    for table in (synthetic, real):
        codes = {}
        for name in real:
            edges = (
                np.unique(np.nanquantile(real[name], np.linspace(0, 1, BINS + 1)[1:-1]))
                if real[name].nunique() > BINS
                else None
            )
            cells = table[name].to_numpy()
            codes[name] = np.where(
                np.isnan(cells), -1, cells if edges is None else np.searchsorted(edges, cells)
            )
        binned.append(pd.DataFrame(codes))
    scores = []
    for one, two in combinations(real, 2):
        shares = [table.groupby([one, two]).size() / len(table) for table in binned]
        scores.append(1 - shares[0].sub(shares[1], fill_value=0).abs().sum() / 2)
    return float(np.mean(scores))


def usefulness(trained_on: pd.DataFrame, test: pd.DataFrame, target: str, regression: bool) -> float:
    known = trained_on[target].notna()
    data, goal = trained_on.loc[known].drop(columns=target), trained_on.loc[known, target]
    held = test[test[target].notna()]
    if regression:
        model = HistGradientBoostingRegressor(max_iter=100, random_state=0).fit(data, goal)
        return float(r2_score(held[target], model.predict(held.drop(columns=target))))
    model = HistGradientBoostingClassifier(max_iter=100, random_state=0).fit(data, goal)
    chances = model.predict_proba(held.drop(columns=target))
    scores = []
    for number, label in enumerate(model.classes_):
        is_it = held[target] == label
        if 0 < is_it.sum() < len(held):
            scores.append(roc_auc_score(is_it, chances[:, number]) - 0.5)
    return float(np.mean(scores))


def closer_to_train(
    synthetic: pd.DataFrame, train: pd.DataFrame, held: pd.DataFrame, schema: Schema
) -> float:
    random = np.random.default_rng(0)
    same = train.iloc[random.permutation(len(train))[: len(held)]]
    scale = {name: (train[name].max() - train[name].min()) or 1.0 for name in train}
    ordered = {field.name for field in schema.modelled if field.ordered}

    def nearest(side: pd.DataFrame) -> np.ndarray:
        total = np.zeros((len(synthetic), len(side)))
        for name in train:
            a, b = synthetic[name].to_numpy()[:, None], side[name].to_numpy()[None]
            gap = np.abs(a - b) / scale[name] if name in ordered else (a != b).astype(float)
            total += np.where(np.isnan(a) | np.isnan(b), (np.isnan(a) != np.isnan(b)).astype(float), gap)
        return total.min(axis=1)

    near, far = nearest(same), nearest(held)
    return float((near < far).mean() + (near == far).mean() / 2)


def drawn_records(chain: Chain, count: int, seed: int) -> list[Record]:
    tally = Tally()
    requests = [Request(number) for number in range(count)]
    return draw_until_accepted(
        requests, lambda missing, attempt: draw(chain, missing, seed, attempt, tally), tally, attempts=100
    )


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("recipes", nargs="+")
    arguments.add_argument("--methods", nargs="+", default=["marginals", "copula", "forest"])
    arguments.add_argument("--seeds", nargs="+", type=int, default=[0])
    arguments.add_argument("--set", nargs="*", default=[], help="overrides, such as data.limit=5000")
    given = arguments.parse_args()
    print(HEAD + "\n|" + " --- |" * 13)
    for name in given.recipes:
        recipe = load_recipe(Path(name), given.set)
        run = Run(Path(tempfile.mkdtemp()))
        prepare(recipe=recipe, run=run, root=find_recipe(Path(name)).resolve().parent)
        schema = Schema.load(run.schema)
        tables = {split: read_table(run.split(split), schema) for split in ("train", "control", "test")}
        held_table = pd.concat([tables["control"], tables["test"]], ignore_index=True)
        real = pd.concat([tables["train"], held_table])
        train, held = (numeric(table, schema, real) for table in (tables["train"], held_table))
        target = recipe.data.target
        regression = target is not None and schema[target].ordered and train[target].nunique() > BINS
        trtr = usefulness(train, held, target, regression)
        half = train.sample(len(held), random_state=0)
        print(
            f"| {recipe.name} | ceiling | | | | | {c2st(half, held):.3f} | {pairs(half, held):.3f} | 1 | 1 | | | |"
        )
        rows = to_records(tables["train"], schema)
        known = [record for record in to_records(held_table, schema) if schema.allows(record)]
        own = {
            tuple(row)
            for row in tables["train"][[field.name for field in schema.modelled]].astype(str).to_numpy()
        }
        for method in given.methods:
            for seed in given.seeds:
                began = time.monotonic()
                settings = Statistical(method=method, seed=seed)
                chain = fit_chain(abilities_for(schema, target).schema, rows, np.arange(len(rows)), settings)
                fitted = time.monotonic()
                records = drawn_records(chain, len(rows), seed)
                drawn = time.monotonic()
                table = to_table(records, Schema(schema.modelled))
                made = numeric(table, schema, real)
                copies = np.mean(
                    [
                        tuple(row) in own
                        for row in table[[f.name for f in schema.modelled]].astype(str).to_numpy()
                    ]
                )
                skill = usefulness(made, held, target, regression)
                cells = [
                    recipe.name,
                    method,
                    seed,
                    f"{fitted - began:.1f}",
                    f"{len(rows) / (drawn - fitted):.0f}",
                    f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f}",
                    f"{c2st(made, held):.3f}",
                    f"{pairs(made.iloc[: len(held)], held):.3f}",
                    f"{skill / trtr:.2f}",
                    "-" if regression else f"{(skill + 0.5) / (trtr + 0.5):.2f}",
                    f"{copies:.1%}",
                    f"{closer_to_train(made, train, held, schema):.3f}",
                    f"{-chain.log_likelihood(known).sum(axis=1).mean():.2f}",
                ]
                print("| " + " | ".join(map(str, cells)) + " |", flush=True)


if __name__ == "__main__":
    main()

"""Why texts with shuffled words still reveal members: rare words, and how often a word occurs.

    python bench/evaluation/shuffled_words.py

Independent columns of cfpb_complaints are attacked as they are, without the words of a single training record, without
those of fewer than five records, and, as the null, made from records in neither train nor control.
"""

import argparse
from collections import Counter
from itertools import pairwise

import numpy as np
import pandas as pd
from anchors import DATA, KEPT, SETS

from paracosm.eval.measuring.anchors import independent_marginals
from paracosm.eval.measuring.context import Context
from paracosm.eval.privacy.membership import targets
from paracosm.eval.privacy.text_attacks import text_scores
from paracosm.eval.representations.texts import documents
from paracosm.eval.statistics.attack_scores import Targets, strongest
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import to_typed
from paracosm.records.sources.read_source import read_source

NAME = "cfpb_complaints"
COMMONEST = "the"


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=600)
    parser.add_argument("--splits", type=int, default=5)
    arguments = parser.parse_args()
    path = DATA / SETS[NAME][0]
    if not path.is_file():
        print(f"{NAME}: skipped, {path} does not exist")
        return
    raw = read_source(Data(source=str(path)), root=path.parent)[KEPT[NAME]].drop_duplicates()
    results: dict[str, list[tuple[float, float, bool]]] = {}
    for seed in range(arguments.splits):
        for name, row in attack(
            raw.sample(min(arguments.rows, len(raw)), random_state=seed).reset_index(drop=True)
        ):
            results.setdefault(name, []).append(row)
    print(
        "| shuffled words | AUC | TPR - 5% FPR | splits in which the AUC's interval excludes 0.5 |\n| --- | --- | --- | --- |"
    )
    for name, rows in results.items():
        auc, rate, significant = (np.array(column) for column in zip(*rows, strict=True))
        print(
            f"| {name} | {auc.mean():.3f} ({auc.min():.3f} to {auc.max():.3f}) | {100 * rate.mean():.1f} pp | {significant.sum()} of {len(rows)} |"
        )


def attack(raw: pd.DataFrame) -> list[tuple[str, tuple[float, float, bool]]]:
    """Return AUC, TPR - FPR, and whether the AUC is significant, for each candidate of one split."""
    schema = Schema(infer(raw, Data(source=NAME, target=SETS[NAME][1])).schema.modelled)
    table = to_typed(raw, schema)
    ends = [0, *(int(len(table) * share) for share in (0.35, 0.53, 0.7, 1.0))]
    train, control, test, fresh = (table.iloc[a:b].reset_index(drop=True) for a, b in pairwise(ends))
    context = Context(schema, train, control, test, None, Evaluate(bootstrap=200, repeats=1), len(control))
    attacked, members, groups = targets(context)
    of_train, of_non_members = (
        independent_marginals(source, schema.modelled, len(train), 1) for source in (train, fresh)
    )
    candidates = {
        "of train": of_train,
        "without words of one training record": without_rare(of_train, train, schema, 2),
        "without words of fewer than five": without_rare(of_train, train, schema, 5),
        "of non-members": of_non_members,
    }
    rows = []
    for name, candidate in candidates.items():
        scores = text_scores(*(documents(side, schema.modelled) for side in (attacked, candidate, test)))
        estimates = strongest(Targets(scores, members, groups), context.settings, "x")
        auc = estimates["x_auc"]
        rows.append((name, (auc.value, estimates["x_tpr"].value, not auc.low <= 0.5 <= auc.high)))
    return rows


def without_rare(table: pd.DataFrame, train: pd.DataFrame, schema: Schema, fewest: int) -> pd.DataFrame:
    """Return the table with every word of fewer than `fewest` training records replaced by a common word."""
    changed = table.copy()
    for field in schema:
        if field.is_text:
            counts = Counter(word for text in train[field.name].dropna() for word in set(text.split()))
            texts = [
                " ".join(word if counts[word] >= fewest else COMMONEST for word in text.split())
                for text in table[field.name].fillna("")
            ]
            changed[field.name] = pd.array(texts, dtype="string")
    return changed


if __name__ == "__main__":
    main()

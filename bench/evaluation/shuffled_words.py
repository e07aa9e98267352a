"""Why texts whose words were dealt out anew still tell who was in train: which words they hold, and how often.

    python bench/evaluation/shuffled_words.py

Independent columns of cfpb_complaints are attacked as they are, without the words that one training record alone holds,
without those of fewer than five records, and, as the null, made of records that are in neither train nor control.
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
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--rows", type=int, default=600)
    given.add_argument("--divisions", type=int, default=5)
    asked = given.parse_args()
    path = DATA / SETS[NAME][0]
    if not path.is_file():
        print(f"{NAME}: skipped, {path} is not there")
        return
    raw = read_source(Data(source=str(path)), root=path.parent)[KEPT[NAME]].drop_duplicates()
    found: dict[str, list[tuple[float, float, bool]]] = {}
    for seed in range(asked.divisions):
        for name, row in attacked(
            raw.sample(min(asked.rows, len(raw)), random_state=seed).reset_index(drop=True)
        ):
            found.setdefault(name, []).append(row)
    print(
        "| words dealt out anew | AUC | TPR beyond 5% | divisions in which the AUC's interval leaves 0.5 out |\n| --- | --- | --- | --- |"
    )
    for name, rows in found.items():
        auc, rate, certain = (np.array(column) for column in zip(*rows, strict=True))
        print(
            f"| {name} | {auc.mean():.3f} ({auc.min():.3f} to {auc.max():.3f}) | {100 * rate.mean():.1f} pp | {certain.sum()} of {len(rows)} |"
        )


def attacked(raw: pd.DataFrame) -> list[tuple[str, tuple[float, float, bool]]]:
    """Return, for each candidate of one division, the AUC, the rate, and whether the AUC is certain."""
    schema = Schema(infer(raw, Data(source=NAME, target=SETS[NAME][1])).schema.modelled)
    table = to_typed(raw, schema)
    ends = [0, *(int(len(table) * share) for share in (0.35, 0.53, 0.7, 1.0))]
    train, control, test, fresh = (table.iloc[a:b].reset_index(drop=True) for a, b in pairwise(ends))
    context = Context(schema, train, control, test, None, Evaluate(bootstrap=200, repeats=1), len(control))
    asked, members, groups = targets(context)
    dealt, strangers = (
        independent_marginals(each, schema.modelled, len(train), 1) for each in (train, fresh)
    )
    candidates = {
        "of train": dealt,
        "without words of one training record": without_rare(dealt, train, schema, 2),
        "without words of fewer than five": without_rare(dealt, train, schema, 5),
        "of strangers": strangers,
    }
    rows = []
    for name, candidate in candidates.items():
        scores = text_scores(*(documents(each, schema.modelled) for each in (asked, candidate, test)))
        found = strongest(Targets(scores, members, groups), context.settings, "x")
        auc = found["x_auc"]
        rows.append((name, (auc.value, found["x_tpr"].value, not auc.low <= 0.5 <= auc.high)))
    return rows


def without_rare(table: pd.DataFrame, train: pd.DataFrame, schema: Schema, fewest: int) -> pd.DataFrame:
    """Return texts in which words that fewer than so many training records hold are another, common word."""
    changed = table.copy()
    for field in schema:
        if field.type == "text":
            held = Counter(word for text in train[field.name].dropna() for word in set(text.split()))
            texts = [
                " ".join(word if held[word] >= fewest else COMMONEST for word in text.split())
                for text in table[field.name].fillna("")
            ]
            changed[field.name] = pd.array(texts, dtype="string")
    return changed


if __name__ == "__main__":
    main()

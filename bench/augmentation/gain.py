"""What augmentation gains on headings of clinical notes, and how far it drifts from them.

    python bench/augmentation/gain.py mts_dialog.csv

A classifier (TF-IDF of words and word pairs, logistic regression) reads the heading of a section from its text. It is trained on 10% and on all
of the training sections, with and without one augmented section for each that can be changed. The gain is the difference in accuracy on held-out
sections; its interval is a bootstrap over these, and over ten subsets at 10%. Label drift is the share of augmented sections from which a
classifier that was trained on the other real sections reads another heading than from their parent.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold, train_test_split
from sklearn.pipeline import make_pipeline

from paracosm.foundation.progress import to_stderr
from paracosm.generate.augmentation.augmented_table import augment_table
from paracosm.recipes.sections.texts import Augment

TEXT, LABEL = "section_text", "section_header"
SUBSETS = 10
RESAMPLES = 1000


def learner():
    words = TfidfVectorizer(sublinear_tf=True, ngram_range=(1, 2), max_features=30_000)
    return make_pipeline(words, LogisticRegression(C=10.0, max_iter=300))


def hits(rows: pd.DataFrame, test: pd.DataFrame) -> np.ndarray:
    """Return which test sections a classifier of the given rows reads right."""
    return learner().fit(rows[TEXT], rows[LABEL]).predict(test[TEXT]) == test[LABEL].to_numpy()


def interval(differences: np.ndarray, random: np.random.Generator) -> tuple[float, float]:
    """Return the 95% bootstrap interval of the mean of differences (subsets x test sections), over both."""
    means = []
    for _ in range(RESAMPLES):
        columns = random.integers(differences.shape[1], size=differences.shape[1])
        rows = random.integers(differences.shape[0], size=differences.shape[0])
        means.append(differences[np.ix_(rows, columns)].mean())
    low, high = np.quantile(means, [0.025, 0.975])
    return float(low), float(high)


def drift(train: pd.DataFrame, made: pd.DataFrame) -> dict[str, float]:
    """Return how often a classifier of other real sections misreads augmented ones, misreads their parents, and tells both apart."""
    wrong, parents_wrong, differ = [], [], []
    parent = made["parent"].to_numpy() - 1
    for fitted, held in KFold(5, shuffle=True, random_state=0).split(train):
        model = learner().fit(train[TEXT].iloc[fitted], train[LABEL].iloc[fitted])
        rows = np.isin(parent, held)
        if not rows.any():
            continue
        of_parents = model.predict(train[TEXT].iloc[parent[rows]])
        of_made = model.predict(made[TEXT][rows])
        truth = made[LABEL][rows].to_numpy()
        wrong += (of_made != truth).tolist()
        parents_wrong += (of_parents != truth).tolist()
        differ += (of_made != of_parents).tolist()
    return {
        "misread": float(np.mean(wrong)),
        "parents misread": float(np.mean(parents_wrong)),
        "read differently": float(np.mean(differ)),
    }


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("table", type=Path)
    arguments.add_argument("--operations", default="restructuring,variation,synonyms")
    arguments.add_argument("--limit", type=int, default=None, help="use only so many sections")
    given = arguments.parse_args()
    table = pd.read_csv(given.table)[[LABEL, TEXT]].dropna()
    counts = table[LABEL].value_counts()
    table = table[table[LABEL].isin(counts[counts >= 10].index)]
    if given.limit is not None:
        table = table.sample(given.limit, random_state=0)
    train, test = train_test_split(table, test_size=0.3, random_state=0, stratify=table[LABEL])
    train, test = train.reset_index(drop=True), test.reset_index(drop=True)
    settings = Augment.model_validate({"operations": given.operations.split(",")})
    augmented = augment_table(train, [TEXT], settings, progress=to_stderr)
    made = augmented.table
    random = np.random.default_rng(0)
    print(
        f"{len(train)} training and {len(test)} held-out sections; {len(made)} augmented, {augmented.unchanged} cannot be changed"
    )
    print(f"operations: {dict(augmented.operations)}")
    grams = {gram for text in train[TEXT] for gram in trigrams(text)}
    new = [np.mean([gram not in grams for gram in trigrams(text)]) for text in made[TEXT] if trigrams(text)]
    print(f"novel trigrams: {np.mean(new):.1%}")
    print("label drift:", {name: round(value, 3) for name, value in drift(train, made).items()})
    for share in (0.1, 1.0):
        differences, plain = [], []
        for subset in range(SUBSETS if share < 1 else 1):
            rows = np.random.default_rng(subset).permutation(len(train))[: round(share * len(train))]
            real = train.iloc[rows]
            own = made[made["parent"].isin(rows + 1)]
            without = hits(real, test)
            differences.append(hits(pd.concat([real, own]), test).astype(float) - without)
            plain.append(without.mean())
        gains = np.array(differences)
        low, high = interval(gains, random)
        print(
            f"{share:.0%} of train: accuracy {np.mean(plain):.3f}, gain {gains.mean():+.3f} [{low:+.3f}, {high:+.3f}]"
        )


def trigrams(text: str) -> list[tuple[str, ...]]:
    words = text.casefold().split()
    return [tuple(words[begin : begin + 3]) for begin in range(len(words) - 2)]


if __name__ == "__main__":
    main()

"""Do the 95% intervals of fidelity and utility hold the true value 95 times in 100?

    python bench/evaluation/coverage.py --draws 200 --kept coverage.jsonl

Every draw makes train, control and test records from one distribution and synthetic ones from another that is off in
known ways (noisier numbers, more of one column dealt out at random, words left out). The truth is what a figure is
on average over all draws, that is over fresh records of these sizes on both sides. What learners score is read given
the records that they learnt from, so that the truth of a draw is their score on 3,000 further real records. Texts come from pools of 6,000 a
side, so that they are embedded once. With `--kept` every draw is a line of that file, and a run cut short goes on.
"""

import argparse
import sys
from dataclasses import replace
from functools import cache
from itertools import accumulate
from pathlib import Path

import numpy as np
import pandas as pd
from resumable_draws import Figures, draws_in_file
from rich.console import Console
from rich.table import Table

from paracosm.eval.catalogue import FIDELITY, UTILITY
from paracosm.eval.fidelity.text.columns import COLUMN_FROM_TEXT
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Estimate
from paracosm.eval.representations import text_embedder
from paracosm.eval.representations.text_embedder import embed
from paracosm.eval.representations.texts import documents
from paracosm.eval.statistics.intervals import wilson
from paracosm.recipes.sections.evaluate import Evaluate

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from example_tables import HYBRID, PATIENTS, notes, patients

POOL = 6000
JUDGES = 3000
MEASURES = (*FIDELITY, *UTILITY)
TRUTH = "truth of "


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--draws", type=int, default=200)
    given.add_argument(
        "--first", type=int, default=0, help="number of the first draw: others for another look"
    )
    given.add_argument("--rows", type=int, nargs=4, default=[300, 150, 150, 300])
    given.add_argument("--only", nargs="+", help="metrics, of whose measures alone the figures are made")
    given.add_argument("--kept", type=Path, help="file of the draws that were made")
    asked = given.parse_args()
    setting = {"rows": asked.rows, "only": asked.only}
    draws = range(asked.first, asked.first + asked.draws)
    found = draws_in_file(asked.kept, draws, setting, lambda draw: figures(draw, asked.rows, asked.only))
    table = Table(title=f"{asked.draws} draws of {asked.rows} train, control, test, synthetic records")
    for column in (
        "figure",
        "mean",
        "spread",
        "half of interval",
        "covered",
        "95% interval of that",
        "above",
        "below",
    ):
        table.add_column(column)
    for name in dict.fromkeys(name for each in found for name in each if not name.startswith(TRUTH)):
        estimates = [each[name] for each in found if name in each]
        mean = float(np.mean([each.value for each in estimates]))
        truths = [
            each[TRUTH + name].value if TRUTH + name in each else mean for each in found if name in each
        ]
        pairs = list(zip(estimates, truths, strict=True))
        above, below = (
            sum(each.low > truth for each, truth in pairs),
            sum(each.high < truth for each, truth in pairs),
        )
        covered = len(estimates) - above - below
        low, high = wilson(covered, len(estimates))
        table.add_row(
            name,
            f"{mean:.4f}",
            f"{1.96 * np.std([each.value - truth for each, truth in pairs], ddof=1):.4f}",
            f"{np.mean([(each.high - each.low) / 2 for each in estimates]):.4f}",
            f"{covered / len(estimates):.1%}",
            f"{low:.1%} to {high:.1%}",
            f"{above}",
            f"{below}",
        )
    Console(width=130).print(table)


def figures(draw: int, rows: list[int], only: list[str] | None) -> Figures:
    """Return the figures of one draw."""
    ends = list(accumulate(rows))
    random = np.random.default_rng([draw, 5])
    real = _with_notes(dealt_out(patients(ends[2], 20_000 + draw), 0.15, random), texts(0), random)
    train, control, test = (
        real.iloc[end - count : end].reset_index(drop=True)
        for end, count in zip(ends[:3], rows[:3], strict=True)
    )
    synthetic = _with_notes(distorted(patients(rows[3], 40_000 + draw), random), texts(1), random)
    settings = Evaluate(bootstrap=300, repeats=2, seed=draw)
    context = Context(HYBRID, train, control, test, "ill", settings, min(rows[1] + rows[2], rows[3]))
    text_embedder.embed = looked_up
    found: Figures = {}
    for each in MEASURES:
        if only is not None and not any(metric.name in only for metric in each.metrics):
            continue
        if COLUMN_FROM_TEXT in each.metrics:
            # The classifiers learnt from this train are what is asked about, so the truth is theirs on many records.
            telling = replace(context, train=_telling(train), control=_telling(control), test=_telling(test))
            many = _with_notes(distorted(patients(JUDGES, 80_000 + draw), random), texts(1), random)
            found |= each.function(telling, _telling(synthetic))
            of_many = each.function(replace(telling, size=JUDGES), _telling(many))
            found |= {
                TRUTH + name: of_many[name] for name in ("column_from_text", "mentions") if name in of_many
            }
            continue
        if each not in UTILITY:
            found |= each.function(context, synthetic)
            continue
        # Without the notes, whose encoding is most of the work and no part of the question.
        plain = replace(context, schema=PATIENTS)
        many = dealt_out(patients(JUDGES, 60_000 + draw), 0.15, random)
        found |= each.function(plain, synthetic)
        large = replace(plain, test=many, settings=settings.model_copy(update={"bootstrap": 100}))
        found |= _truths(found, each.function(large, synthetic))
    return found


def _truths(estimates: Figures, of_many: Figures) -> Figures:
    """Return what the figures of learners are on many test records; `utility_self` asks synthetic ones."""
    truths = {TRUTH + name: each for name, each in of_many.items() if name != "utility_self"}
    if "worst_group" in estimates:
        value = of_many["worst_group"].breakdown[estimates["worst_group"].facts["group"]]
        truths[f"{TRUTH}worst_group"] = Estimate(value, value, value)
    return truths


def _telling(table: pd.DataFrame) -> pd.DataFrame:
    """Return the records with notes that say something of their columns."""
    said = (
        table["note"]
        + " "
        + table["sex"]
        + " aged "
        + table["age"].astype("string")
        + ", stage "
        + table["stage"]
    )
    return table.assign(note=said)


def distorted(table: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Return the table with noisier pressures and more of the stages dealt out at random."""
    noisier = table.assign(pressure=(table["pressure"] + random.normal(2, 6, len(table))).round(1))
    return dealt_out(noisier, 0.35, random)


def dealt_out(table: pd.DataFrame, share: float, random: np.random.Generator) -> pd.DataFrame:
    """Return the table with a share of the stages dealt out at random: else they tell who is ill without fail."""
    changed, rows = table.copy(), np.flatnonzero(random.random(len(table)) < share)
    changed.loc[rows, "stage"] = table["stage"].to_numpy()[random.permutation(rows)]
    return changed


@cache
def texts(side: int) -> list[str]:
    """Return a pool of notes; the second one lacks every tenth word, at random."""
    pool = notes(POOL, 77 + side)
    if side:
        random = np.random.default_rng(78)
        pool = [" ".join(word for word in text.split() if random.random() > 0.1) for text in pool]
    return pool


@cache
def vectors(embedder: str) -> dict[str, np.ndarray]:
    both = [documents(pd.DataFrame({"note": texts(side)}), HYBRID.modelled[-1:]) for side in (0, 1)]
    every = [text for side in both for text in side]
    return dict(zip(every, embed(every, embedder), strict=True))


def looked_up(wanted: list[str], embedder: str) -> np.ndarray:
    known = vectors(embedder)
    return np.array([known[text] for text in wanted])


def _with_notes(table: pd.DataFrame, pool: list[str], random: np.random.Generator) -> pd.DataFrame:
    chosen = random.choice(len(pool), len(table), replace=False)
    return table.assign(note=pd.Series([pool[number] for number in chosen], dtype="string"))


if __name__ == "__main__":
    main()

"""Coverage of the 95% intervals of the fidelity and utility metrics.

    python bench/evaluation/coverage.py --draws 200 --results coverage.jsonl

In every draw, train, control and test records come from one distribution and synthetic ones from another that differs
in known ways: noisier numbers, more cells of one column shuffled, words left out. The true value of a metric is its mean
over all draws, that is over fresh records of these sizes on both sides. Scores of learners are conditional on their
training records, so their true value in a draw is the score on 3,000 further real records. Texts come from pools of
6,000 for each side, so that each is embedded once. With `--results` every draw is saved as a line of that file, and an
interrupted run resumes.
"""

import argparse
import sys
from dataclasses import replace
from functools import cache
from itertools import accumulate
from pathlib import Path

import numpy as np
import pandas as pd
from resumable_draws import Estimates, add_draw_options, draws_in_file
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
TEST_RECORDS = 3000
MEASURES = (*FIDELITY, *UTILITY)
TRUTH = "truth of "


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_draw_options(parser, rows=(300, 150, 150, 300))
    parser.add_argument("--only", nargs="+", help="names of metrics; only their measures run")
    arguments = parser.parse_args()
    setting = {"rows": arguments.rows, "only": arguments.only}
    draws = range(arguments.first, arguments.first + arguments.draws)
    results = draws_in_file(
        arguments.results, draws, setting, lambda draw: estimates_of(draw, arguments.rows, arguments.only)
    )
    table = Table(
        title=f"{arguments.draws} draws of {arguments.rows} train, control, test, synthetic records"
    )
    for column in (
        "metric",
        "mean",
        "spread",
        "half of interval",
        "covered",
        "95% interval of that",
        "above",
        "below",
    ):
        table.add_column(column)
    for name in dict.fromkeys(name for result in results for name in result if not name.startswith(TRUTH)):
        estimates = [result[name] for result in results if name in result]
        mean = float(np.mean([estimate.value for estimate in estimates]))
        truths = [
            result[TRUTH + name].value if TRUTH + name in result else mean
            for result in results
            if name in result
        ]
        pairs = list(zip(estimates, truths, strict=True))
        above, below = (
            sum(estimate.low > truth for estimate, truth in pairs),
            sum(estimate.high < truth for estimate, truth in pairs),
        )
        covered = len(estimates) - above - below
        low, high = wilson(covered, len(estimates))
        table.add_row(
            name,
            f"{mean:.4f}",
            f"{1.96 * np.std([estimate.value - truth for estimate, truth in pairs], ddof=1):.4f}",
            f"{np.mean([(estimate.high - estimate.low) / 2 for estimate in estimates]):.4f}",
            f"{covered / len(estimates):.1%}",
            f"{low:.1%} to {high:.1%}",
            f"{above}",
            f"{below}",
        )
    Console(width=130).print(table)


def estimates_of(draw: int, rows: list[int], only: list[str] | None) -> Estimates:
    """Return the estimates of one draw, and the true values of the learners' scores in it."""
    ends = list(accumulate(rows))
    random = np.random.default_rng([draw, 5])
    real = _with_notes(partly_shuffled(patients(ends[2], 20_000 + draw), 0.15, random), texts(0), random)
    train, control, test = (
        real.iloc[end - count : end].reset_index(drop=True)
        for end, count in zip(ends[:3], rows[:3], strict=True)
    )
    synthetic = _with_notes(distorted(patients(rows[3], 40_000 + draw), random), texts(1), random)
    settings = Evaluate(bootstrap=300, repeats=2, seed=draw)
    context = Context(HYBRID, train, control, test, "ill", settings, min(rows[1] + rows[2], rows[3]))
    text_embedder.embed = cached_embed
    estimates: Estimates = {}
    for measure in MEASURES:
        if only is not None and not any(metric.name in only for metric in measure.metrics):
            continue
        if COLUMN_FROM_TEXT in measure.metrics:
            # The score is conditional on the trained classifiers: the true value is theirs on many records.
            informative = replace(
                context,
                train=_informative(train),
                control=_informative(control),
                test=_informative(test),
            )
            many = _with_notes(distorted(patients(TEST_RECORDS, 80_000 + draw), random), texts(1), random)
            estimates |= measure.function(informative, _informative(synthetic))
            of_many = measure.function(replace(informative, size=TEST_RECORDS), _informative(many))
            estimates |= {
                TRUTH + name: of_many[name] for name in ("column_from_text", "mentions") if name in of_many
            }
            continue
        if measure not in UTILITY:
            estimates |= measure.function(context, synthetic)
            continue
        # Without the notes: their encoding is most of the work and does not matter here.
        plain = replace(context, schema=PATIENTS)
        many = partly_shuffled(patients(TEST_RECORDS, 60_000 + draw), 0.15, random)
        estimates |= measure.function(plain, synthetic)
        large = replace(plain, test=many, settings=settings.model_copy(update={"bootstrap": 100}))
        estimates |= _truths(estimates, measure.function(large, synthetic))
    return estimates


def _truths(estimates: Estimates, of_many: Estimates) -> Estimates:
    """Return the scores of learners on many test records; `utility_self` is left out, since it tests on synthetic ones."""
    truths = {TRUTH + name: estimate for name, estimate in of_many.items() if name != "utility_self"}
    if "worst_group" in estimates:
        value = of_many["worst_group"].breakdown[estimates["worst_group"].facts["group"]]
        truths[f"{TRUTH}worst_group"] = Estimate(value, value, value)
    return truths


def _informative(table: pd.DataFrame) -> pd.DataFrame:
    """Return the records with notes that mention values of their columns."""
    note = (
        table["note"]
        + " "
        + table["sex"]
        + " aged "
        + table["age"].astype("string")
        + ", stage "
        + table["stage"]
    )
    return table.assign(note=note)


def distorted(table: pd.DataFrame, random: np.random.Generator) -> pd.DataFrame:
    """Return the table with noisier pressures and more stages shuffled."""
    noisier = table.assign(pressure=(table["pressure"] + random.normal(2, 6, len(table))).round(1))
    return partly_shuffled(noisier, 0.35, random)


def partly_shuffled(table: pd.DataFrame, share: float, random: np.random.Generator) -> pd.DataFrame:
    """Return the table with a share of the stages shuffled; unshuffled, they would predict illness perfectly."""
    changed, rows = table.copy(), np.flatnonzero(random.random(len(table)) < share)
    changed.loc[rows, "stage"] = table["stage"].to_numpy()[random.permutation(rows)]
    return changed


@cache
def texts(side: int) -> list[str]:
    """Return a pool of notes; the second pool lacks a random 10% of its words."""
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


def cached_embed(wanted: list[str], embedder: str) -> np.ndarray:
    known = vectors(embedder)
    return np.array([known[text] for text in wanted])


def _with_notes(table: pd.DataFrame, pool: list[str], random: np.random.Generator) -> pd.DataFrame:
    chosen = random.choice(len(pool), len(table), replace=False)
    return table.assign(note=pd.Series([pool[number] for number in chosen], dtype="string"))


if __name__ == "__main__":
    main()

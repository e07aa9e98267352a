"""False alarm rate of the leakage metrics: how often a 95% interval excludes the null value when nothing leaks.

    python bench/evaluation/calibration.py --draws 200 --results calibration.jsonl

In every draw, train, control, test and synthetic records come from one distribution, so that nothing leaks. A metric
with a known null value rejects it if its 95% interval excludes it: 5% is exact, 2 to 8% is accepted. With `--results`
every draw is saved as a line of that file, and an interrupted run resumes.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from resumable_draws import add_draw_options, draws_in_file
from rich.console import Console
from rich.table import Table

from paracosm.eval.attacks.canary_audit import audit
from paracosm.eval.measuring.anchors import attack_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Estimate
from paracosm.eval.privacy.distance_to_closest import leakage
from paracosm.eval.privacy.gdpr_risks.inference import inference
from paracosm.eval.privacy.gdpr_risks.linkability import linkability
from paracosm.eval.privacy.gdpr_risks.singling_out import singling_out
from paracosm.eval.privacy.membership import data_membership
from paracosm.eval.privacy.ngram_overlap import ngram_overlap
from paracosm.eval.privacy.split_guard import split_guard
from paracosm.eval.statistics.intervals import wilson
from paracosm.recipes.sections.evaluate import Evaluate

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from example_tables import example

NULL = {
    "data_mia_auc": 0.5,
    "data_mia_tpr": 0.0,
    "singling_out": 0.0,
    "linkability": 0.0,
    "inference": 0.0,
    "dcr_share": 0.5,
    "exact_copies": 0.0,
    "near_copies": 0.0,
    "split_guard": 0.5,
    "audit_epsilon": 0.0,
    "texts: data_mia_auc": 0.5,
    "texts: data_mia_tpr": 0.0,
    "texts: dcr_share": 0.5,
    "texts: near_copies": 0.0,
    "texts: run_13": 0.0,
}
TEXTS = "texts: "


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    add_draw_options(parser, rows=(200, 120, 120, 200))
    arguments = parser.parse_args()
    draws = range(arguments.first, arguments.first + arguments.draws)
    draw_results = draws_in_file(
        arguments.results, draws, {"rows": arguments.rows}, lambda draw: estimates_of(draw, arguments.rows)
    )
    table = Table(
        title=f"{arguments.draws} null draws of {arguments.rows} train, control, test, synthetic records"
    )
    for column in ("metric", "null", "mean", "null excluded", "95% interval of that", "above", "below"):
        table.add_column(column)
    for name, null in NULL.items():
        estimates = [result[name] for result in draw_results if name in result]
        above = sum(estimate.low > null for estimate in estimates)
        below = sum(estimate.high < null for estimate in estimates)
        low, high = wilson(above + below, len(estimates))
        table.add_row(
            name,
            f"{null:g}",
            f"{np.mean([estimate.value for estimate in estimates]):.3f}",
            f"{(above + below) / len(estimates):.1%}",
            f"{low:.1%} to {high:.1%}",
            f"{above}",
            f"{below}",
        )
    Console(width=130).print(table)


def estimates_of(draw: int, rows: list[int]) -> dict[str, Estimate]:
    """Return the estimates of one draw: of tables, of texts, and of a canary audit with random scores."""
    random = np.random.default_rng([draw, 1])
    audited = audit(random.normal(size=400), random.random(400) < 0.5)
    of_tables = _context("structured", draw, rows)
    of_texts = _context("text", draw, rows)
    estimates = (
        _attacks(*of_tables)
        | singling_out(*of_tables)
        | linkability(*of_tables)
        | inference(*of_tables)
        | split_guard(*of_tables)
        # The upper end of its interval bounds the method; any epsilon above 0 is refuted in at most 5% of draws.
        | {"audit_epsilon": Estimate(audited.value, audited.value, audited.value)}
    )
    return estimates | {
        f"{TEXTS}{name}": estimate
        for name, estimate in (_attacks(*of_texts) | ngram_overlap(*of_texts)).items()
    }


def _context(kind: str, draw: int, rows: list[int]) -> tuple[Context, pd.DataFrame]:
    ends = np.cumsum(rows)
    table, schema = example(kind, int(ends[-1]), 10_000 + draw)
    train, control, test, synthetic = (
        table.iloc[end - count : end].reset_index(drop=True) for end, count in zip(ends, rows, strict=True)
    )
    settings = Evaluate(bootstrap=300, repeats=1, seed=draw)
    return Context(schema, train, control, test, None, settings, rows[1] + rows[2]), synthetic


def _attacks(context: Context, synthetic: pd.DataFrame) -> dict[str, Estimate]:
    return leakage(context, synthetic) | data_membership(*attack_candidates(context, synthetic)["synthetic"])


if __name__ == "__main__":
    main()

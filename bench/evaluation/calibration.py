"""Do the tests reject at their level, and do the intervals cover, when synthetic records are fresh real ones?

    python bench/evaluation/calibration.py --draws 200 --kept calibration.jsonl

Every draw makes train, control, test and `synthetic` records from one distribution: nothing is leaked and nothing is
off. A figure whose null value is known rejects when its 95% interval leaves it out; 5% is right, 2 to 8% is asked for.
With `--kept` every draw is a line of that file, and a run that was cut short goes on.
"""

import argparse
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from resumable_draws import draws_in_file
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
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--draws", type=int, default=200)
    given.add_argument(
        "--first", type=int, default=0, help="number of the first draw: others for another look"
    )
    given.add_argument("--rows", type=int, nargs=4, default=[200, 120, 120, 200])
    given.add_argument("--kept", type=Path, help="file of the draws that were made")
    asked = given.parse_args()
    draws = range(asked.first, asked.first + asked.draws)
    found = draws_in_file(asked.kept, draws, {"rows": asked.rows}, lambda draw: figures(draw, asked.rows))
    table = Table(title=f"{asked.draws} null draws of {asked.rows} train, control, test, synthetic records")
    for column in ("figure", "null", "mean", "leaves null out", "95% interval of that", "above", "below"):
        table.add_column(column)
    for name, null in NULL.items():
        estimates = [each[name] for each in found if name in each]
        above = sum(each.low > null for each in estimates)
        below = sum(each.high < null for each in estimates)
        low, high = wilson(above + below, len(estimates))
        table.add_row(
            name,
            f"{null:g}",
            f"{np.mean([each.value for each in estimates]):.3f}",
            f"{(above + below) / len(estimates):.1%}",
            f"{low:.1%} to {high:.1%}",
            f"{above}",
            f"{below}",
        )
    Console(width=130).print(table)


def figures(draw: int, rows: list[int]) -> dict[str, Estimate]:
    """Return the figures of one draw: of tables, of texts, and of an audit whose guesses are random."""
    random = np.random.default_rng([draw, 1])
    refuted = audit(random.normal(size=400), random.random(400) < 0.5)
    of_tables = _context("structured", draw, rows)
    of_texts = _context("text", draw, rows)
    found = (
        _attacked(*of_tables)
        | singling_out(*of_tables)
        | linkability(*of_tables)
        | inference(*of_tables)
        | split_guard(*of_tables)
        # It refutes any epsilon above 0 in at most one draw of twenty.
        | {"audit_epsilon": Estimate(refuted.value, refuted.value, refuted.value)}
    )
    return found | {
        f"{TEXTS}{name}": each for name, each in (_attacked(*of_texts) | ngram_overlap(*of_texts)).items()
    }


def _context(kind: str, draw: int, rows: list[int]) -> tuple[Context, pd.DataFrame]:
    ends = np.cumsum(rows)
    table, schema = example(kind, int(ends[-1]), 10_000 + draw)
    train, control, test, synthetic = (
        table.iloc[end - count : end].reset_index(drop=True) for end, count in zip(ends, rows, strict=True)
    )
    settings = Evaluate(bootstrap=300, repeats=1, seed=draw)
    return Context(schema, train, control, test, None, settings, rows[1] + rows[2]), synthetic


def _attacked(context: Context, synthetic: pd.DataFrame) -> dict[str, Estimate]:
    return leakage(context, synthetic) | data_membership(*attack_candidates(context, synthetic)["synthetic"])


if __name__ == "__main__":
    main()

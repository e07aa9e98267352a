"""One table by every route: what the way of training does to the records, to what the adapter gives away, and to the bill.

    python bench/training/compare_methods.py
    python bench/training/compare_methods.py finance-german-credit --private private.yaml data.source=german_credit.csv
    python bench/training/compare_methods.py finance-german-credit --only masked causal data.source=german_credit.csv

The private routes need a recipe with a declared schema (`paracosm init DATA --private`). A run that is done is not
repeated. Bits of the masked route are an upper bound on the negative log-likelihood, those of the others are exact.
"""

import argparse
import shlex
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from seeds import finish, measured, seeded, shown

from paracosm.eval.results.metric_entry import MeasuredMetric

ROUTES = {
    "causal": "{recipe}",
    # The embedded masked model has to learn nearly everything, so all its weights train.
    "masked": "{recipe} finetune.objective=masked model.base=bert-tiny model.layers=null finetune.method=full",
    "QLoRA, 4 bits": "{recipe} model.quantize=nf4",
    "private, epsilon 8": "{private} privacy.epsilon=8",
    "private, epsilon 1": "{private} privacy.epsilon=1",
}
METRICS = {
    "C2ST AUC": "c2st_auc",
    "TSTR skill": "utility_skill",
    "records: MIA AUC": "data_mia_auc",
    "adapter: MIA AUC": "adapter_mia_auc",
}


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("recipe", nargs="?", default="healthcare-heart")
    given.add_argument("overrides", nargs="*")
    given.add_argument("--private", default="healthcare-heart-private", metavar="RECIPE")
    given.add_argument("--only", nargs="+", metavar="WORD", help="routes whose name begins with one of these")
    given.add_argument("--seed", type=int, default=0)
    given.add_argument("--runs", type=Path, default=Path("runs/routes"))
    asked = given.parse_intermixed_args()
    table = Table(
        "route",
        "control bits",
        "pairs, normalised",
        *METRICS,
        "training s",
        "peak GB",
        "epsilon",
        title=f"{asked.recipe}, seed {asked.seed}",
    )
    for name, words in ROUTES.items():
        if asked.only and not name.startswith(tuple(asked.only)):
            continue
        recipe, *changes = shlex.split(words.format(recipe=asked.recipe, private=asked.private))
        folder = asked.runs / f"{Path(asked.recipe).stem}-{name.replace(', ', '-').replace(' ', '-')}"
        done = finish(recipe, [*changes, *asked.overrides, *seeded(asked.seed)], folder)
        table.add_row(name, *_cells(done.journal.stage("finetune"), measured(done)))
    Console(width=170).print(table)


def _cells(training: dict[str, Any], metrics: dict[str, MeasuredMetric]) -> list[str]:
    facts = training["facts"]
    return [
        f"{facts['best_control_bits']:.2f}",
        _number(metrics["pairs"].normalised if "pairs" in metrics else None),
        *(shown(metrics.get(name)) for name in METRICS.values()),
        f"{training['wall_seconds']:.0f}",
        f"{training['peak_memory_bytes'] / 1e9:.2f}",
        _number(facts.get("epsilon")),
    ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    main()

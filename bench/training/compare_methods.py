"""Training methods compared on one table: fidelity and leakage of the records, leakage of the adapter, time and memory.

    python bench/training/compare_methods.py
    python bench/training/compare_methods.py finance-german-credit --private private.yaml data.source=german_credit.csv
    python bench/training/compare_methods.py finance-german-credit --only masked causal data.source=german_credit.csv

The private methods need a recipe with a declared schema (`paracosm init DATA --private`). A finished run is not repeated.
Bits of the masked method are an upper bound on the negative log-likelihood, those of the others are exact.
"""

import argparse
import shlex
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from seeds import finish, metrics_of, seeded, with_interval

from paracosm.eval.results.metric_entry import MeasuredMetric

METHODS = {
    "causal": "{recipe}",
    # The bundled masked model is small and hardly pre-trained, so all its weights are trained.
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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", nargs="?", default="healthcare-heart")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--private", default="healthcare-heart-private", metavar="RECIPE")
    parser.add_argument(
        "--only", nargs="+", metavar="WORD", help="methods whose name begins with one of these"
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--runs", type=Path, default=Path("runs/methods"))
    arguments = parser.parse_intermixed_args()
    table = Table(
        "method",
        "control bits",
        "pairs, normalised",
        *METRICS,
        "training s",
        "peak GB",
        "epsilon",
        title=f"{arguments.recipe}, seed {arguments.seed}",
    )
    for name, words in METHODS.items():
        if arguments.only and not name.startswith(tuple(arguments.only)):
            continue
        recipe, *changes = shlex.split(words.format(recipe=arguments.recipe, private=arguments.private))
        folder = arguments.runs / f"{Path(arguments.recipe).stem}-{name.replace(', ', '-').replace(' ', '-')}"
        run = finish(recipe, [*changes, *arguments.overrides, *seeded(arguments.seed)], folder)
        table.add_row(name, *_cells(run.journal.stage("finetune"), metrics_of(run)))
    Console(width=170).print(table)


def _cells(training: dict[str, Any], metrics: dict[str, MeasuredMetric]) -> list[str]:
    facts = training["facts"]
    return [
        f"{facts['best_control_bits']:.2f}",
        _number(metrics["pairs"].value if "pairs" in metrics else None),
        *(with_interval(metrics.get(name)) for name in METRICS.values()),
        f"{training['wall_seconds']:.0f}",
        f"{training['peak_memory_bytes'] / 1e9:.2f}",
        _number(facts.get("epsilon")),
    ]


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


if __name__ == "__main__":
    main()

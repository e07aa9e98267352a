"""Accuracy of imputation, method beside method: a fifth of the known cells of the held-out records is taken out and filled.

    python bench/generation/imputation.py healthcare-heart
    python bench/generation/imputation.py runs/heart-shuffled --methods model knn forest

A recipe is only divided into splits, and all methods but `model` are scored; a run with a model that was trained with
finetune.order=shuffled is scored with `model` too. `paracosm impute RUN --score` prints the same for one run.
"""

import argparse
import tempfile
from pathlib import Path

from paracosm.generate.imputation_score import ImputationScore, score_methods
from paracosm.generate.imputers.methods import METHODS
from paracosm.recipes.loading.load import find_recipe, load_recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.open_run import is_run
from paracosm.records.stage import prepare


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("sources", nargs="+", help="recipes or runs")
    parser.add_argument("--methods", nargs="+")
    parser.add_argument("--share", type=float, default=0.2)
    parser.add_argument("--set", nargs="*", default=[], help="overrides, such as data.limit=5000")
    given = parser.parse_args()
    print("| table | method | cells | categories right | error of numbers, sd | s |\n|" + " --- |" * 6)
    for source in map(Path, given.sources):
        if is_run(source):
            run, recipe, methods = Run.open(source), load_recipe(source / "recipe.yaml"), ["model", *METHODS]
        else:
            run, recipe, methods = Run(Path(tempfile.mkdtemp())), load_recipe(source, given.set), [*METHODS]
            prepare(recipe=recipe, run=run, root=find_recipe(source).resolve().parent)
        scores, left_out = score_methods(
            recipe=recipe, run=run, methods=given.methods or methods, share=given.share
        )
        for each in scores:
            print(
                f"| {recipe.name} | `{each.method}` | {each.cells:,} | {_cells(each)} | {each.seconds:.1f} |"
            )
        for name, reason in left_out.items():
            print(f"| {recipe.name} | `{name}` | {reason} |")


def _cells(score: ImputationScore) -> str:
    pairs = ((score.right, score.right_interval), (score.error, score.error_interval))
    shown = [
        "-" if value is None or interval is None else f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"
        for value, interval in pairs
    ]
    return " | ".join(shown)


if __name__ == "__main__":
    main()

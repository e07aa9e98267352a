"""Audit of DP-SGD over many tiny trainings: does the empirical epsilon ever exceed what the accountant states?

    python bench/privacy/dp_audit.py
    python bench/privacy/dp_audit.py --runs 40 --epsilon 2 --canaries 400

Every run has other records, other canaries and another secret. `no noise` and `no clipping` disable a protection that the
accountant assumes. The test suite does the same with few runs.
"""

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from privacy_audit import train_and_audit  # type: ignore[import-not-found]  # of the tests
from tiny_models import save_tiny_llama  # type: ignore[import-not-found]


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--epsilon", type=float, default=1)
    parser.add_argument("--canaries", type=int, default=200)
    arguments = parser.parse_args()
    table = Table(title=f"{arguments.canaries} canaries, epsilon {arguments.epsilon:g}, delta 1e-5")
    for column in (
        "training",
        "runs",
        "accountant, largest",
        "empirical: median",
        "largest",
        "right guesses",
        "runs above",
    ):
        table.add_column(column)
    with tempfile.TemporaryDirectory() as folder:
        base = save_tiny_llama(Path(folder) / "model")
        for defect in (None, "no noise", "no clipping"):
            claims, empirical, right = [], [], []
            for seed in range(arguments.runs):
                print(f"{defect or 'intact'} {seed + 1}/{arguments.runs}", file=sys.stderr, flush=True)
                where = Path(folder) / f"{defect}-{seed}"
                claim, audit = train_and_audit(
                    base,
                    where,
                    epsilon=arguments.epsilon,
                    seed=seed,
                    canaries=arguments.canaries,
                    defect=defect,
                )
                claims.append(claim.epsilon)
                empirical.append(audit.value)
                right.append(audit.facts["right"] / audit.facts["guesses"])
            above = sum(lower > claim for lower, claim in zip(empirical, claims, strict=True))
            table.add_row(
                defect or "intact",
                str(arguments.runs),
                f"{max(claims):.3f}",
                f"{np.median(empirical):.3f}",
                f"{max(empirical):.3f}",
                f"{np.mean(right):.1%}",
                str(above),
            )
    Console(width=140).print(table)


if __name__ == "__main__":
    main()

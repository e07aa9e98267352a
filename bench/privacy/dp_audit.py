"""Does what planted records prove ever exceed what the accountant states? Many tiny trainings, whole and broken.

    python bench/privacy/dp_audit.py
    python bench/privacy/dp_audit.py --runs 40 --epsilon 2 --canaries 400

Each run is a training of its own: other records, other canaries, another secret. `no noise` and `no clipping` leave the
accountant believe in a protection that is not there. The test suite does the same with few runs.
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
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--runs", type=int, default=20)
    given.add_argument("--epsilon", type=float, default=1)
    given.add_argument("--canaries", type=int, default=200)
    asked = given.parse_args()
    table = Table(title=f"{asked.canaries} canaries, epsilon {asked.epsilon:g}, delta 1e-5")
    for column in (
        "training",
        "runs",
        "accountant, largest",
        "proven: median",
        "largest",
        "right guesses",
        "above",
    ):
        table.add_column(column)
    with tempfile.TemporaryDirectory() as folder:
        base = save_tiny_llama(Path(folder) / "model")
        for fault in (None, "no noise", "no clipping"):
            claims, proven, right = [], [], []
            for seed in range(asked.runs):
                print(f"{fault or 'whole'} {seed + 1}/{asked.runs}", file=sys.stderr, flush=True)
                where = Path(folder) / f"{fault}-{seed}"
                claim, found = train_and_audit(
                    base, where, epsilon=asked.epsilon, seed=seed, canaries=asked.canaries, defect=fault
                )
                claims.append(claim.epsilon)
                proven.append(found.value)
                right.append(found.facts["right"] / found.facts["guesses"])
            above = sum(one > other for one, other in zip(proven, claims, strict=True))
            table.add_row(
                fault or "whole",
                str(asked.runs),
                f"{max(claims):.3f}",
                f"{np.median(proven):.3f}",
                f"{max(proven):.3f}",
                f"{np.mean(right):.1%}",
                str(above),
            )
    Console(width=140).print(table)


if __name__ == "__main__":
    main()

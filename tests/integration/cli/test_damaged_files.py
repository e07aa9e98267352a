"""Damaged files of a run, of a version and of a pulled folder: one line with the file's name, or the same result.

A few dozen cases, drawn among the thousands that `python bench/security/faults.py` runs.
"""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from fault_injection import COMMANDS, FLAWS, form

FAULTS = Path(__file__).parents[3] / "bench" / "security" / "faults.py"
QUICK = [name for name in COMMANDS if name not in ("run", "finetune", "card", "eval", "resume eval")]
"""Commands that take less than a second each."""
FEWEST = 20


def test_a_damaged_file_is_one_line_or_changes_nothing() -> None:
    # In a process of its own, which has no threads yet: the commands run in forks of it.
    ended = subprocess.run(
        [sys.executable, FAULTS, "--part", "0/300", "--commands", *QUICK],
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=1500,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    tried = re.search(r"^(\d+) damaged files", ended.stdout, re.MULTILINE)
    assert tried is not None
    assert int(tried[1]) >= FEWEST


@pytest.mark.parametrize(
    ("told", "kind"),
    [
        ("error: run/splits/train.parquet: is damaged\n", "one line"),
        ("error: something is damaged\n", "no name"),
        ("records\nerror: train.parquet: is damaged\nmore\n", "many lines"),
        ("train.parquet is damaged\n", "many lines"),
    ],
)
def test_a_message_without_the_name_or_with_more_after_it_is_a_flaw(told: str, kind: str) -> None:
    assert form(told, Path("run/splits/train.parquet"), "run/splits/train.parquet") == kind
    assert (kind in FLAWS) == (kind != "one line")

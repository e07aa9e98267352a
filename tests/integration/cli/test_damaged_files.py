"""Damaged files of a run, of a version and of a pulled folder: one line with the file's name, or the same result.

A few dozen cases, drawn among the thousands that `python bench/security/faults.py` runs.
"""

from pathlib import Path

import pytest
from fault_injection import COMMANDS, FLAWS, Case, Injection, Place, cases, form

PER_COMMAND = 2
QUICK = [name for name in COMMANDS if name not in ("run", "finetune", "card", "eval", "resume eval")]
"""Commands that take less than a second each."""


@pytest.fixture(scope="module")
def injection(tmp_path_factory: pytest.TempPathFactory) -> Injection:
    made = Injection(Place(tmp_path_factory.mktemp("faults") / "place"))
    made.warm_up()
    return made


@pytest.fixture(scope="module")
def drawn(injection: Injection) -> dict[str, list[Case]]:
    """Return a few cases of every command, spread over files and kinds of damage."""
    by_command: dict[str, list[Case]] = {name: [] for name in QUICK}
    for case in cases(injection.place):
        if case.command in by_command:
            by_command[case.command].append(case)
    # A step that shares no factor with the number of kinds walks through all of them.
    return {name: found[7 :: len(found) // PER_COMMAND - 1] for name, found in by_command.items()}


@pytest.mark.parametrize("command", QUICK)
def test_a_damaged_file_is_one_line_or_changes_nothing(
    command: str, injection: Injection, drawn: dict[str, list[Case]]
) -> None:
    for case in drawn[command]:
        verdict = injection.run(case)
        assert verdict is None or verdict.kind not in FLAWS, f"{case}: {verdict}"


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

"""An evaluation that a signal ends goes on with the measures that it has finished, and writes the same bytes."""

import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sampled_run import RECIPE, sampled_run

from paracosm.eval.stage import evaluate
from paracosm.recipes.run.directory import Run

COMMAND = (sys.executable, "-m", "paracosm.cli.app")
FINISHED = 8
"""Measures after which the evaluation is ended."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = sampled_run(tmp_path_factory.mktemp("undisturbed") / "run")
    evaluate(recipe=RECIPE, run=run)
    assert not run.measured.exists()
    return run


@pytest.fixture
def fresh(undisturbed: Run, tmp_path: Path) -> Run:
    """Return a run that was not evaluated yet."""
    run = Run(Path(shutil.copytree(undisturbed.root, tmp_path / "run")))
    shutil.rmtree(run.evaluation)
    content = run.journal.read()
    for stage in ("measure", "eval"):
        del content["stages"][stage]
    run.journal.write(content)
    return run


def end_midway(run: Run, number: signal.Signals) -> subprocess.Popen[str]:
    """Start an evaluation, and end it once some measures are finished."""
    process = subprocess.Popen(
        [*COMMAND, "eval", str(run.root)], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 240
    while len(list(run.measured.glob("[!.]*.json"))) < FINISHED:
        assert process.poll() is None, process.stderr and process.stderr.read()
        assert time.monotonic() < deadline
        time.sleep(0.005)
    process.send_signal(number)
    return process


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_it_goes_on_with_what_it_has_and_writes_the_same_bytes(
    fresh: Run, undisturbed: Run, number: signal.Signals
) -> None:
    ended = end_midway(fresh, number)
    _, told = ended.communicate(timeout=60)
    if number == signal.SIGTERM:
        assert ended.returncode == 143
        assert told.splitlines()[-1] == "error: terminated; the same command resumes"
    assert not fresh.measurements.exists()
    kept = {path: path.stat().st_mtime_ns for path in fresh.measured.glob("[!.]*.json")}
    again = subprocess.run([*COMMAND, "eval", str(fresh.root)], capture_output=True, text=True, check=False)
    assert again.returncode in (0, 1, 3), again.stderr
    told_kept = re.search(r"(\d+) of \d+ measurements are kept from before", again.stderr)
    assert told_kept is not None
    assert int(told_kept[1]) == len(kept) >= FINISHED
    assert fresh.measurements.read_bytes() == undisturbed.measurements.read_bytes()
    assert fresh.metrics.read_bytes() == undisturbed.metrics.read_bytes()
    assert not fresh.measured.exists()


def test_a_finished_measure_that_was_damaged_is_told_and_measured_again(fresh: Run, undisturbed: Run) -> None:
    end_midway(fresh, signal.SIGKILL).communicate(timeout=60)
    first, second, *_ = sorted(fresh.measured.glob("[!.]*.json"))
    first.write_bytes(first.read_bytes()[:-40])
    value = re.search(r'"value": 0\.(\d)', second.read_text())
    assert value is not None
    second.write_text(second.read_text().replace(value[0], f'"value": 0.{(int(value[1]) + 1) % 10}', 1))
    lines: list[str] = []
    evaluate(recipe=RECIPE, run=fresh, progress=lambda line: lines.append(str(line)))
    assert [line for line in lines if "again" in line] == [
        f"{path}: is damaged; it is measured again" for path in lines_of(fresh, lines, first, second)
    ]
    assert fresh.metrics.read_bytes() == undisturbed.metrics.read_bytes()


def lines_of(run: Run, lines: list[str], *paths: Path) -> list[Path]:
    """Return the paths in the order in which the lines name them."""
    named = [line.partition(": ")[0] for line in lines if "again" in line]
    assert sorted(named) == sorted(map(str, paths))
    return [Path(name) for name in named]

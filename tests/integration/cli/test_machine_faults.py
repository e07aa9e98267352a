"""Full disks, too little memory, a closed pipe, an interrupt: one line, and the same command goes on afterwards."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_models import save_tiny_llama

from paracosm.cli.app import main
from paracosm.recipes.run.directory import STAGES, Run
from paracosm.records import stage as prepare

COMMAND = (sys.executable, "-m", "paracosm.cli.app")
TABLE = "age,score,sex\n" + "".join(f"{row % 7},{row * 1.5},{'fm'[row % 2]}\n" for row in range(120))
QUICK = """\
finetune:
  epochs: 1
generate:
  records: 20
eval:
  bootstrap: 100
  repeats: 1
"""
FULL = "No space left on device; finished work is kept: free disk space and run the same command again"


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a good recipe, a good table and a tiny model."""
    save_tiny_llama(tmp_path / "model")
    (tmp_path / "t.csv").write_text(TABLE)
    source = f"name: ok\ndata:\n  source: t.csv\nmodel:\n  base: {tmp_path / 'model'}\n"
    (tmp_path / "ok.yaml").write_text(source + QUICK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def outcome(*arguments: str) -> object:
    """Run the command in this process; return its exit code."""
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    return end.value.code


def test_a_run_goes_on_after_the_disk_was_full_in_every_stage(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert outcome("run", "ok.yaml", "--run", "undisturbed") == 0
    run, undisturbed = Run(place / "run"), Run(place / "undisturbed")
    rename = Path.rename
    for target in (run.split("test"), run.adapter, run.shard(0), run.report, run.card):

        def fails(self: Path, to: Path, target: Path = target) -> Path:
            if Path(to).resolve() == target:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return rename(self, to)

        capsys.readouterr()
        with monkeypatch.context() as full:
            full.setattr(Path, "rename", fails)
            assert outcome("run", "ok.yaml", "--run", "run") == 2
        assert capsys.readouterr().err.splitlines()[-1] == f"error: {target.relative_to(place)}: {FULL}"
        assert not target.exists()
        assert list(place.rglob("*.partial")) == []
    assert outcome("run", "ok.yaml", "--run", "run") == 0
    assert [run.journal.stage(stage)["status"] for stage in STAGES] == ["done"] * len(STAGES)
    for mine, other in (
        (run.split("train"), undisturbed.split("train")),
        (run.shard(0), undisturbed.shard(0)),
    ):
        assert mine.read_bytes() == other.read_bytes()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
def test_a_full_disk_below_the_output_is_told(place: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*COMMAND, "schema"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 2
    assert done.stderr.startswith("error: No space left on device")
    assert done.stderr.count("\n") == 1


def test_a_reader_that_leaves_early_is_no_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run([*COMMAND, "schema"], stdout=writer, stderr=subprocess.PIPE, check=False)
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize(
    ("fault", "code", "told"),
    [
        (KeyboardInterrupt(), 130, "error: interrupted; the same command resumes\n"),
        (MemoryError(), 2, "error: not enough memory; lower finetune.micro_batch_size"),
        (
            RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried 1 TB"),
            2,
            "error: not enough memory",
        ),
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_stops_the_work_is_told_in_one_line(
    fault: BaseException,
    code: int,
    told: str,
    place: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def stopped(*_: object, **__: object) -> None:
        raise fault

    monkeypatch.setattr(prepare, "assemble", stopped)
    assert outcome("run", "ok.yaml") == code
    out, err = capsys.readouterr()
    assert out == ""
    assert err.startswith(told)
    assert err.count("\n") == 1


def test_a_defect_keeps_its_traceback_and_has_an_exit_code_of_its_own(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("a defect")

    monkeypatch.setattr(prepare, "assemble", broken)
    with pytest.raises(SystemExit) as left:
        main(["run", "ok.yaml"])
    assert left.value.code == 70
    assert "RuntimeError: a defect" in capsys.readouterr().err

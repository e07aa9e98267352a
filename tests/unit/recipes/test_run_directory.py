"""A stage that is begun again finds nothing that a killed write left, and counts the time of what it goes on with."""

import os
import time
from pathlib import Path

import pytest

from paracosm.foundation.errors import RunError
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.open_run import open_run
from paracosm.recipes.run.stage import check_unchanged, run_if_stale


def test_a_stage_sweeps_what_a_killed_write_left_and_keeps_what_is_whole(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")

    def killed() -> None:
        run.synthetic.mkdir()
        run.shard(0).write_bytes(b"whole")
        (run.synthetic / ".part-00001.parquet.4711.partial").write_bytes(b"half")
        raise KeyboardInterrupt

    left = run.root / ".synthetic.4711.partial"
    left.mkdir()
    (left / ".inner.4711.partial").write_bytes(b"half")
    with pytest.raises(KeyboardInterrupt):
        run_if_stale(run, "generate", {"seed": 0}, killed)
    assert run_if_stale(run, "generate", {"seed": 0}, lambda: {"found": len(list(run.synthetic.iterdir()))})
    assert not left.exists()
    assert [path.name for path in run.synthetic.iterdir()] == [run.shard(0).name]
    assert run.journal.stage("generate")["facts"] == {"found": 1}
    assert not run_if_stale(run, "generate", {"seed": 0}, dict)


def test_the_time_of_killed_tries_counts_until_the_last_file_that_each_wrote(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")

    def killed_after(seconds: float, seed: int) -> None:
        def work() -> None:
            run.synthetic.mkdir(exist_ok=True)
            run.shard(0).write_bytes(b"whole")
            os.utime(run.shard(0), (time.time() + seconds,) * 2)
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            run_if_stale(run, "generate", {"seed": seed}, work)

    killed_after(100, seed=0)
    killed_after(50, seed=0)
    run_if_stale(run, "generate", {"seed": 0}, dict)
    assert 150 <= run.journal.stage("generate")["wall_seconds"] < 160
    # What other inputs made is cleared, and its time with it.
    killed_after(100, seed=1)
    run_if_stale(run, "generate", {"seed": 2}, dict)
    assert run.journal.stage("generate")["wall_seconds"] < 10


@pytest.mark.parametrize(
    "content", ["", "{}", "[]", "null", "[" * 100_000, '{"stages": 3}', '{"stages": {"eval": []}}', "\xff"]
)
def test_a_damaged_journal_is_named(tmp_path: Path, content: str) -> None:
    run = Run.create(tmp_path / "run")
    run.journal.path.write_text(content, encoding="latin-1")
    with pytest.raises(RunError, match=r"run\.json: is (not|nested)"):
        run.journal.stage("records")


def test_an_output_that_was_changed_after_its_stage_is_named(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    check_unchanged(run, ("records",))

    def work() -> None:
        run.splits.mkdir()
        run.split("train").write_bytes(b"records")

    run_if_stale(run, "records", {}, work)
    check_unchanged(run, ("records",))
    run.split("train").write_bytes(b"record")
    with pytest.raises(RunError, match=r"run/splits/train.parquet: is not as the records stage left it"):
        check_unchanged(run, ("records",))
    run.split("train").unlink()
    run.splits.rmdir()
    with pytest.raises(RunError, match=r"run/splits/train.parquet: is not as the records stage left it"):
        check_unchanged(run, ("records",))


def test_files_of_a_run_are_for_their_owner_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("recipe.yaml").write_text("name: x\ndata: {source: x.csv}\n")
    before = os.umask(0o022)
    try:
        opened = open_run(Path("recipe.yaml"))
        with opened.working():
            Path(opened.run.root / "by-a-library").write_text("record")
        Path("outside").write_text("")
    finally:
        os.umask(before)
    assert opened.run.root.stat().st_mode & 0o777 == 0o700
    assert (opened.run.root / "by-a-library").stat().st_mode & 0o777 == 0o600
    assert Path("outside").stat().st_mode & 0o777 == 0o644


def test_a_stage_that_is_repeated_because_of_damage_says_so(tmp_path: Path) -> None:
    run, said = Run.create(tmp_path / "run"), []

    def work() -> None:
        run.splits.mkdir(exist_ok=True)
        run.split("train").write_bytes(b"records")

    run_if_stale(run, "records", {}, work, progress=said.append)
    (run.splits / "added.parquet").write_bytes(b"")
    assert run_if_stale(run, "records", {}, work, progress=said.append)
    assert said == [
        f"{run.splits / 'added.parquet'}: is not as the records stage left it; the stage is repeated"
    ]
    assert not (run.splits / "added.parquet").exists()


@pytest.mark.parametrize(
    ("old", "new"), [('"rank": 8', '"rank": 4'), ('"status"', '"state"'), ('"rank": 8', '"r": 8')]
)
def test_a_journal_with_another_value_is_refused(tmp_path: Path, old: str, new: str) -> None:
    journal = Run.create(tmp_path / "run").journal
    journal.record("finetune", {"status": "done", "facts": {"rank": 8}})
    assert journal.stage("finetune")["facts"] == {"rank": 8}
    journal.path.write_text(journal.path.read_text().replace(old, new))
    with pytest.raises(RunError, match=r"run\.json: is damaged or was changed by hand"):
        journal.read()

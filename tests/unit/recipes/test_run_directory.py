"""A stage that is begun again finds nothing that a killed write left, and counts the time of what it goes on with."""

import os
import time
from pathlib import Path

import pytest

from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage import run_if_stale


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

"""A stage that is begun again finds nothing that a killed write left."""

from pathlib import Path

import pytest

from paracosm.recipes.run_directory import Run


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
        run.stage("generate", {"seed": 0}, killed)
    assert run.stage("generate", {"seed": 0}, lambda: {"found": len(list(run.synthetic.iterdir()))})
    assert not left.exists()
    assert [path.name for path in run.synthetic.iterdir()] == [run.shard(0).name]
    assert run.stage_record("generate")["facts"] == {"found": 1}
    assert not run.stage("generate", {"seed": 0}, dict)

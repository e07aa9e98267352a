"""A killed process leaves no copy of a version behind for good."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from paracosm.foundation.temporary import temporary_folder

KILLED = (
    "import os, signal\n"
    "from paracosm.foundation.temporary import temporary_folder\n"
    "with temporary_folder() as folder:\n"
    "    (folder / 'record').write_text('private')\n"
    "    os.kill(os.getpid(), signal.SIGKILL)\n"
)


def test_the_folder_of_a_killed_process_is_removed_and_that_of_a_live_one_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    foreign = tmp_path / "paracosm-notes"
    foreign.mkdir()
    subprocess.run([sys.executable, "-c", KILLED], check=False, env={"TMPDIR": str(tmp_path), **_paths()})
    (left,) = [path for path in tmp_path.iterdir() if path != foreign]
    with temporary_folder() as first:
        assert not left.exists()
        with temporary_folder() as second:
            assert first.is_dir()
            assert second.is_dir()
        assert not second.exists()
    assert list(tmp_path.iterdir()) == [foreign]


def _paths() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "TMPDIR"}

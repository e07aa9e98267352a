"""Every hostile source ends in one line and exit code 2, whatever reads it."""

from pathlib import Path

import pytest
from hostile_sources import HOSTILE

from paracosm.foundation.process.exit_codes import exit_code_of_command
from paracosm.recipes.sections.data import Data
from paracosm.records.sources.read_source import read_source


@pytest.mark.parametrize("kind", HOSTILE)
def test_a_hostile_source_ends_in_one_line(
    tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make, source, settings, expected = HOSTILE[kind]
    make(tmp_path)
    monkeypatch.chdir(tmp_path)

    def read() -> int:
        read_source(Data.model_validate({"source": source, **settings}), root=tmp_path)
        return 0

    assert exit_code_of_command(read) == 2
    line = capsys.readouterr().err
    assert line.startswith("error: ")
    assert line.count("\n") == 1
    assert len(line) <= 2100
    assert expected in line

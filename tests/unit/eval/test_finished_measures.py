"""A finished measure is used again for the same inputs, sources and versions, and for nothing else."""

from pathlib import Path

import numpy as np
import pytest

from paracosm.eval.catalogue import MEASURES
from paracosm.eval.measuring.metric import Estimate
from paracosm.eval.results import finished_measures
from paracosm.eval.results.finished_measures import FinishedMeasures

MEASURE = MEASURES[0]
ESTIMATES = {
    "metric": Estimate(
        np.float64(0.1) + 0.2, 1 / 3, 1.0, {"age": 2 / 3}, {"rows": np.int64(7)}, {"roc": [[0.0, 1e-17]]}
    ),
}


def test_estimates_return_with_full_precision(tmp_path: Path) -> None:
    store = FinishedMeasures(tmp_path, {"splits": "a"})
    assert store.read(MEASURE, "ceiling") is None
    store.write(MEASURE, "ceiling", ESTIMATES)
    assert store.read(MEASURE, "ceiling") == ESTIMATES
    assert store.read(MEASURE, "floor") is None
    assert FinishedMeasures(tmp_path, {"splits": "a"}).read(MEASURE, "ceiling") == ESTIMATES


def told_by(folder: Path, inputs: str) -> list[str]:
    lines: list[str] = []
    store = FinishedMeasures(folder, {"splits": inputs}, lambda line: lines.append(str(line)))
    assert store.read(MEASURE, "ceiling") is None
    return lines


def test_other_inputs_and_other_versions_are_measured_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    FinishedMeasures(tmp_path, {"splits": "a"}).write(MEASURE, "ceiling", ESTIMATES)
    (line,) = told_by(tmp_path, "b")
    assert line.endswith("was measured with other inputs or versions; it is measured again")
    monkeypatch.setattr(finished_measures, "versions", lambda: {"numpy": "0"})
    (line,) = told_by(tmp_path, "a")
    assert "other inputs or versions" in line


def test_other_sources_are_measured_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    package = tmp_path / "eval"
    package.mkdir()
    monkeypatch.setattr(finished_measures, "PACKAGE", package)
    (package / "metric.py").write_text("a = 1\n")
    FinishedMeasures(tmp_path, {"splits": "a"}).write(MEASURE, "ceiling", ESTIMATES)
    (package / "metric.py").write_text("a = 2\n")
    (line,) = told_by(tmp_path, "a")
    assert "other inputs or versions" in line


@pytest.mark.parametrize("damage", [b"", b"\xff", b"{}", b"[" * 100_000, b'{"key": 1}', b"null"])
def test_a_damaged_file_is_measured_again(tmp_path: Path, damage: bytes) -> None:
    store = FinishedMeasures(tmp_path, {"splits": "a"})
    store.write(MEASURE, "ceiling", ESTIMATES)
    (path,) = tmp_path.glob("*.json")
    path.write_bytes(damage)
    (line,) = told_by(tmp_path, "a")
    assert line == f"{path}: is damaged; it is measured again"


def test_a_folder_in_its_place_is_told(tmp_path: Path) -> None:
    store = FinishedMeasures(tmp_path, {"splits": "a"})
    store.write(MEASURE, "ceiling", ESTIMATES)
    (path,) = tmp_path.glob("*.json")
    path.unlink()
    path.mkdir()
    (line,) = told_by(tmp_path, "a")
    assert "cannot be read" in line

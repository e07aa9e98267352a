"""Checkpoints: damaged ones are told and not continued from; a disk that is full is an OSError with the name of the file."""

import json
import resource
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from paracosm.finetune.models.weight_files import write_errors
from paracosm.finetune.training.checkpoint import SEAL, STATE, last_whole_checkpoint, seal


def checkpoint(folder: Path, step: int, best: int | None = None) -> Path:
    """Write a sealed checkpoint, and return its folder."""
    path = folder / f"checkpoint-{step}"
    path.mkdir()
    (path / STATE).write_text(json.dumps({"global_step": step, "best_global_step": best}))
    (path / "weights").write_bytes(bytes(100))
    seal(path)
    return path


def test_the_newest_whole_checkpoint_is_taken_and_incomplete_ones_go(tmp_path: Path) -> None:
    said: list[str] = []
    checkpoint(tmp_path, 9, best=9)
    newest = checkpoint(tmp_path, 12, best=9)
    (checkpoint(tmp_path, 100, best=12) / SEAL).unlink()
    assert last_whole_checkpoint(tmp_path, said.append) == newest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-12", "checkpoint-9"]
    assert said == []


@pytest.mark.parametrize(
    "damage",
    [
        lambda path: (path / "weights").write_bytes(bytes(99)),
        lambda path: (path / "weights").unlink(),
        lambda path: (path / "added").write_text(""),
        lambda path: (path / SEAL).write_text("{"),
        lambda path: (path / STATE).write_text("null"),
    ],
)
def test_a_damaged_checkpoint_is_told_and_removed(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    said: list[str] = []
    earlier, newest = checkpoint(tmp_path, 9, best=9), checkpoint(tmp_path, 12, best=12)
    damage(newest)
    assert last_whole_checkpoint(tmp_path, said.append) == earlier
    assert not newest.exists()
    assert len(said) == 1
    assert said[0].startswith(f"warning: {newest}/")


def test_a_checkpoint_whose_best_one_is_damaged_is_not_continued_from(tmp_path: Path) -> None:
    best, first = checkpoint(tmp_path, 9, best=9), checkpoint(tmp_path, 3, best=3)
    checkpoint(tmp_path, 12, best=9)
    (best / "weights").write_bytes(b"")
    assert last_whole_checkpoint(tmp_path, lambda _: None) == first
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-3"]


@pytest.mark.parametrize(
    "write",
    [
        lambda path: torch.save({"weights": torch.zeros(50_000)}, path),
        lambda path: save_file({"weights": torch.zeros(50_000)}, path),
    ],
    ids=["torch", "safetensors"],
)
def test_a_write_that_the_system_refuses_names_the_file(
    tmp_path: Path, write: Callable[[Path], object]
) -> None:
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OSError, match=r"(?i)file|disk") as error, write_errors(tmp_path / "weights"):
            write(tmp_path / "weights")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert error.value.filename == str(tmp_path / "weights")


def test_another_error_of_a_writer_passes() -> None:
    with pytest.raises(RuntimeError, match="a defect"), write_errors(Path("weights")):
        raise RuntimeError("a defect")

"""Checkpoints of a training: sealed with digests of their files, so that a damaged one is never continued from."""

import json
import shutil
from pathlib import Path

from paracosm.foundation.digests import file_digest
from paracosm.foundation.errors import ModelError
from paracosm.foundation.files import write_text
from paracosm.foundation.json_files import read_json
from paracosm.foundation.progress import Progress

SEAL = "digests.json"
"""SHA-256 of every other file of a checkpoint; written last, so that its presence marks a complete checkpoint."""
STATE = "trainer_state.json"


def seal(checkpoint: Path) -> None:
    """Mark a checkpoint as complete."""
    write_text(checkpoint / SEAL, json.dumps(_digests(checkpoint), indent=1) + "\n")


def last_whole_checkpoint(folder: Path, progress: Progress) -> Path | None:
    """Return the newest checkpoint from which a training can go on, or None; remove all that it cannot go on from.

    Training is deterministic, so that an earlier checkpoint leads to the same result.

    Args:
        folder: of the checkpoints.
        progress: receives a line about a damaged checkpoint. One that a killed process left incomplete is normal.
    """
    found = sorted(folder.glob("checkpoint-*"), key=_step, reverse=True)
    whole = [path for path in found if _is_whole(path, progress)]
    # At its end a training takes the weights of its best checkpoint, which may be an earlier one.
    usable = [path for path in whole if _best(path) in whole]
    for path in found:
        if path not in usable:
            _remove(path)
    return usable[0] if usable else None


def _is_whole(checkpoint: Path, progress: Progress) -> bool:
    if not (checkpoint / SEAL).exists():
        return False
    try:
        recorded = read_json(checkpoint / SEAL, ModelError)
        present = _digests(checkpoint)
    except (ModelError, OSError):
        recorded, present = {SEAL: "damaged"}, {}
    damaged = sorted(
        name for name in recorded.keys() | present.keys() if recorded.get(name) != present.get(name)
    )
    if damaged:
        progress(f"warning: {checkpoint / damaged[0]}: is damaged; this checkpoint is not used")
    return not damaged


def _digests(checkpoint: Path) -> dict[str, str]:
    files = sorted(path for path in checkpoint.rglob("*") if path.name != SEAL and not path.is_dir())
    return {path.relative_to(checkpoint).as_posix(): file_digest(path) for path in files}


def _best(checkpoint: Path) -> Path:
    """Return the best checkpoint so far, of a whole one; itself where it is the first."""
    best = json.loads((checkpoint / STATE).read_text(encoding="utf-8")).get("best_global_step")
    return checkpoint if best is None else checkpoint.with_name(f"checkpoint-{best}")


def _step(checkpoint: Path) -> int:
    number = checkpoint.name.partition("-")[2]
    return int(number) if number.isdecimal() and len(number) < 20 else -1


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()

"""Stages of a run: skipped when up to date, resumed after a kill, cleared when their inputs changed.

A stage is a function of its inputs. `run_stage` does nothing when `run.json` says that the stage ended with the same
inputs and its outputs are unchanged, lets it resume when it was killed, and removes what it left when its inputs differ.
"""

import shutil
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Protocol

from paracosm.foundation.digests import file_digest
from paracosm.foundation.errors import RunError
from paracosm.foundation.progress import Progress, silent
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.journal import peak_memory, versions


class Stage(Protocol):
    """One stage of a run."""

    @property
    def name(self) -> str:
        """One of `STAGES`, or `measure`."""
        ...

    def inputs(self, recipe: Recipe, run: Run) -> dict[str, Any]:
        """Return everything that the result depends on, as JSON values: digests, recipe sections, seeds."""
        ...

    def check(self, recipe: Recipe, run: Run, progress: Progress) -> None:
        """Raise what the user has to correct; called before the results of an earlier call are removed."""
        ...

    def work(self, recipe: Recipe, run: Run, progress: Progress) -> dict[str, Any]:
        """Write the outputs of the stage; return what `run.json` keeps under `facts`."""
        ...


def run_stage(stage: Stage, *, recipe: Recipe, run: Run, progress: Progress = silent) -> bool:
    """Do a stage unless it is up to date; return whether it ran."""
    return run_if_stale(
        run,
        stage.name,
        stage.inputs(recipe, run),
        lambda: stage.work(recipe, run, progress),
        check=lambda: stage.check(recipe, run, progress),
        progress=progress,
    )


def run_if_stale(
    run: Run,
    name: str,
    inputs: dict[str, Any],
    work: Callable[[], dict[str, Any] | None],
    *,
    check: Callable[[], object] = lambda: None,
    progress: Progress = silent,
) -> bool:
    """Call `work` unless the stage ended with the same inputs; return whether it was called.

    Args:
        run: the run directory.
        name: one of `STAGES`, or `measure`.
        inputs: JSON values that the stage depends on.
        work: does the stage; what it returns is kept under `facts` in `run.json`. `wall_seconds` includes earlier
            attempts that were killed and that this one resumes.
        check: must succeed before anything that the stage left earlier is removed.
        progress: receives a line if the stage is repeated because a file of it was changed.
    """
    if is_done(run, name, inputs):
        return False
    began = time.monotonic()
    check()
    record = run.journal.stage(name)
    before = 0.0
    if record.get("inputs") != inputs or record.get("status") == "done":
        if record.get("inputs") == inputs and (changed := _changed(run, name, record)):
            progress(f"{run.root / changed}: is not as the {name} stage left it; the stage is repeated")
        _clear(run, name)
    else:
        before = _spent(run, name, record)
    _sweep(run, name)
    run.journal.record(
        name, {"status": "started", "inputs": inputs, "began": time.time(), "seconds_before": before}
    )
    facts = work() or {}
    run.journal.record(
        name,
        {
            "status": "done",
            "inputs": inputs,
            "outputs": output_digests(run, name),
            "wall_seconds": round(before + time.monotonic() - began, 2),
            "peak_memory_bytes": peak_memory(),
            "versions": versions(),
            "facts": facts,
        },
    )
    return True


def is_done(run: Run, name: str, inputs: dict[str, Any]) -> bool:
    """Return whether a stage ended with these inputs and its outputs are as it left them."""
    record = run.journal.stage(name)
    return (
        record.get("status") == "done"
        and record.get("inputs") == inputs
        and record.get("outputs") == output_digests(run, name)
    )


def check_unchanged(run: Run, names: Iterable[str]) -> None:
    """Check that the outputs of finished stages are as the stages left them; a stage that never ended is not checked.

    Raises:
        RunError: a file was changed, damaged or removed since.
    """
    for name in names:
        record = run.journal.stage(name)
        if record.get("status") != "done":
            continue
        if changed := _changed(run, name, record):
            raise RunError(
                f"{run.root / changed}: is not as the {name} stage left it (changed, damaged, added or removed);"
                f" restore it, or repeat the stage with `paracosm run`"
            )


def _changed(run: Run, name: str, record: dict[str, Any]) -> str | None:
    """Return the first file of a finished stage that was changed, added or removed since, or None."""
    recorded, present = record.get("outputs", {}), output_digests(run, name)
    return min(
        (file for file in recorded.keys() | present.keys() if recorded.get(file) != present.get(file)),
        default=None,
    )


def output_digests(run: Run, name: str) -> dict[str, str]:
    """Return the SHA-256 of every file that a stage left, by its path in the run."""
    return {
        path.relative_to(run.root).as_posix(): file_digest(path)
        for output in run.outputs(name)
        for path in (output, *output.rglob("*"))
        if path.is_file()
    }


def _spent(run: Run, name: str, record: dict[str, Any]) -> float:
    """Return the seconds of the attempts that were killed, each counted up to the last file that it wrote."""
    files = [file for output in _places(run, name) for file in (output, *output.rglob("*")) if file.is_file()]
    last = max((file.stat().st_mtime for file in files), default=0.0)
    return record.get("seconds_before", 0.0) + max(0.0, last - record.get("began", last))


def _sweep(run: Run, name: str) -> None:
    """Remove the partial files of writes that were killed, beside and among the outputs of a stage."""
    for output in (*_places(run, name), run.checkpoints):
        for partial in (*output.parent.glob(f".{output.name}.*.partial"), *output.rglob(".*.partial")):
            _remove(partial)


def _clear(run: Run, name: str) -> None:
    for path in _places(run, name):
        _remove(path)


def _places(run: Run, name: str) -> tuple[Path, ...]:
    """Return the outputs of a stage and what it keeps to resume from; another training is another run on a tracker."""
    return (*run.outputs(name), *run.resumed_from(name), *((run.tracking,) if name == "finetune" else ()))


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)

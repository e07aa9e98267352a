"""The trackers behind one interface, on top of accelerate's: they differ in how a run is continued and how files are stored."""

import logging
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from paracosm.foundation.extras import require_extra

PROJECT = "paracosm"
"""Name of the experiment or project where the environment gives none."""
MLFLOW_LIMITS = {
    # Its client retries for minutes, and reports its use to its makers.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}

Settings = Mapping[str, str | int | float | bool]


class Tracker(Protocol):
    """One run on a tracker, open until `close`."""

    @property
    def id(self) -> str:
        """By which the tracker knows the run; `open_tracker` continues it."""
        ...

    def settings(self, values: Settings) -> None:
        """Log the settings of the run, once."""
        ...

    def point(self, step: int, values: Mapping[str, float]) -> None:
        """Log values of a step of the training."""
        ...

    def results(self, values: Mapping[str, float], verdicts: Mapping[str, str]) -> None:
        """Log the measurements of the run and its verdicts."""
        ...

    def files(self, paths: list[Path]) -> None:
        """Store files with the run."""
        ...

    def close(self) -> None:
        """Send what is left, and end."""
        ...


def open_tracker(track: str, name: str, folder: Path, known: str | None) -> Tracker:
    """Begin a run on a tracker, or continue one.

    Args:
        track: `mlflow`, `wandb` or `tensorboard`.
        name: of the run.
        folder: the run directory; TensorBoard and the offline files of wandb are written into it.
        known: id of the run to continue, None for a new one.
    """
    return {"mlflow": _Mlflow, "wandb": _Wandb, "tensorboard": _TensorBoard}[track](name, folder, known)


def tracker_errors() -> tuple[type[Exception], ...]:
    """Return what trackers raise when their server fails; requests' own errors are OSErrors."""
    import sys

    errors: list[type[Exception]] = [OSError]
    for module, name in (("mlflow.exceptions", "MlflowException"), ("wandb.errors", "Error")):
        if module in sys.modules:
            errors.append(getattr(sys.modules[module], name))
    return tuple(errors)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables that have no value yet, for as long as the block runs."""
    added = {name: value for name, value in values.items() if name not in os.environ}
    os.environ |= added
    try:
        yield
    finally:
        for name in added:
            os.environ.pop(name, None)


class _Mlflow:
    def __init__(self, name: str, folder: Path, known: str | None) -> None:
        from accelerate.tracking import MLflowTracker

        with _environment(MLFLOW_LIMITS):
            self.mlflow = require_extra("mlflow", "mlflow", "track: mlflow")
            logging.getLogger("mlflow").setLevel(logging.ERROR)
            # A run that the caller has open stays open.
            nested = self.mlflow.active_run() is not None
            self.tracker = MLflowTracker(PROJECT, run_id=known, run_name=name, nested_run=nested)
            self.tracker.start()

    @property
    def id(self) -> str:
        return self.tracker.active_run.info.run_id

    def settings(self, values: Settings) -> None:
        with _environment(MLFLOW_LIMITS):
            self.tracker.store_init_configuration(dict(values))

    def point(self, step: int, values: Mapping[str, float]) -> None:
        with _environment(MLFLOW_LIMITS):
            self.tracker.log(dict(values), step=step)

    def results(self, values: Mapping[str, float], verdicts: Mapping[str, str]) -> None:
        with _environment(MLFLOW_LIMITS):
            self.mlflow.log_metrics(dict(values))
            self.mlflow.set_tags({f"paracosm.{question}": verdict for question, verdict in verdicts.items()})

    def files(self, paths: list[Path]) -> None:
        with _environment(MLFLOW_LIMITS):
            for path in paths:
                self.tracker.log_artifact(str(path))

    def close(self) -> None:
        with _environment(MLFLOW_LIMITS):
            self.tracker.finish()


class _Wandb:
    def __init__(self, name: str, folder: Path, known: str | None) -> None:
        from accelerate.tracking import WandBTracker

        wandb = require_extra("wandb", "wandb", "track: wandb")
        quiet = wandb.Settings(
            silent=True, console="off", disable_git=True, disable_code=True, init_timeout=30
        )
        self.wandb = wandb
        self.tracker = WandBTracker(
            os.environ.get("WANDB_PROJECT", PROJECT),
            name=name,
            dir=str(folder),
            id=known,
            resume="allow" if known else None,
            settings=quiet,
        )
        self.tracker.start()

    @property
    def id(self) -> str:
        return self.tracker.run.id

    def settings(self, values: Settings) -> None:
        self.tracker.store_init_configuration(dict(values))

    def point(self, step: int, values: Mapping[str, float]) -> None:
        self.tracker.log(dict(values), step=step)

    def results(self, values: Mapping[str, float], verdicts: Mapping[str, str]) -> None:
        self.tracker.run.summary.update({**values, **verdicts})

    def files(self, paths: list[Path]) -> None:
        artifact = self.wandb.Artifact(f"{self.id}-report", type="report")
        for path in paths:
            artifact.add_file(str(path))
        self.tracker.run.log_artifact(artifact)

    def close(self) -> None:
        self.tracker.finish()


class _TensorBoard:
    id = "tensorboard"

    def __init__(self, name: str, folder: Path, known: str | None) -> None:
        from accelerate.tracking import TensorBoardTracker

        require_extra("tensorboard", "tensorboard", "track: tensorboard")
        self.tracker = TensorBoardTracker(name, folder / "tensorboard")
        self.tracker.start()

    def settings(self, values: Settings) -> None:
        self.tracker.store_init_configuration(dict(values))

    def point(self, step: int, values: Mapping[str, float]) -> None:
        self.tracker.log(dict(values), step=step)

    def results(self, values: Mapping[str, float], verdicts: Mapping[str, str]) -> None:
        self.tracker.log({**values, **verdicts})

    def files(self, paths: list[Path]) -> None:
        # It keeps text and pictures, not files: the card is shown, the report lies beside it in the run directory.
        for path in paths:
            if path.suffix == ".md":
                self.tracker.log({path.stem: path.read_text(encoding="utf-8")})

    def close(self) -> None:
        self.tracker.finish()

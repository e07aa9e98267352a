"""What a run has sent to its tracker: every point of the curve once, in order, also after a kill."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from paracosm.finetune.tracking.tracker import Tracker, open_tracker, tracker_errors
from paracosm.foundation.credentials.redaction import redact
from paracosm.foundation.errors import RunError
from paracosm.foundation.files import write_text
from paracosm.foundation.json_files import read_json
from paracosm.foundation.progress import Progress
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run

SENT_SECTIONS = ("model", "finetune", "privacy", "statistical")
"""Sections of the recipe that hold settings of the training alone: no name of a file, no column, no value of a record."""


@dataclass
class _Sent:
    """What the tracker has, as `tracking.json` keeps it."""

    track: str
    id: str | None = None
    settings: bool = False
    step: int = -1
    results: str = ""
    """Digest of the results that were sent last."""


class TrackedRun:
    """A run on the tracker of its recipe.

    An error of the tracker never ends a training: it is reported once, and what could not be sent is sent with the results.
    """

    def __init__(self, recipe: Recipe, run: Run, progress: Progress) -> None:
        self.recipe, self.run, self.progress = recipe, run, progress
        self.tracker: Tracker | None = None
        self.sent = _read(run.tracking, recipe.track)
        self.reported = False

    def send_curve(self) -> None:
        """Send the settings, and the points of the loss curve that the tracker does not have."""
        if self.recipe.track == "none":
            return
        try:
            tracker = self._open()
            if not self.sent.settings:
                tracker.settings(_settings(self.recipe))
                self.sent.settings = True
            for point in _curve(self.run.history):
                if point["step"] > self.sent.step:
                    tracker.point(
                        point["step"], {k: v for k, v in point.items() if k != "step" and v is not None}
                    )
                    self.sent.step = point["step"]
        except tracker_errors() as error:
            self._report(error)
        self._keep()

    def send_results(
        self, digest: str, values: dict[str, float], verdicts: dict[str, str], files: list[Path]
    ) -> None:
        """Send measurements, verdicts and files, unless the tracker has these."""
        if self.recipe.track == "none" or self.sent.results == digest:
            return
        self.send_curve()
        try:
            tracker = self._open()
            tracker.results(values, verdicts)
            tracker.files(files)
            self.sent.results = digest
        except tracker_errors() as error:
            self._report(error)
        self._keep()

    def close(self) -> None:
        """End the connection; the run can be continued."""
        if self.tracker is not None:
            try:
                self.tracker.close()
            except tracker_errors() as error:
                self._report(error)
            self.tracker = None

    def _open(self) -> Tracker:
        if self.tracker is None:
            self.tracker = open_tracker(self.recipe.track, self.recipe.name, self.run.root, self.sent.id)
            self.sent.id = self.tracker.id
            self._keep()
        return self.tracker

    def _keep(self) -> None:
        write_text(self.run.tracking, json.dumps(asdict(self.sent), indent=2) + "\n")

    def _report(self, error: Exception) -> None:
        if not self.reported:
            text = redact(" ".join(str(error).split()))[:200]
            self.progress(
                f"warning: track: {self.recipe.track}: {text}; the same command sends again what is missing"
            )
        self.reported = True


def _read(path: Path, track: str) -> _Sent:
    """Return what an earlier process sent; another tracker begins with nothing."""
    if not path.is_file():
        return _Sent(track)
    known = read_json(path, RunError, advice="; delete it to begin a new run on the tracker")
    if known.get("track") != track:
        return _Sent(track)
    try:
        return _Sent(**known)
    except TypeError as error:
        raise RunError(
            f"{path}: is not a tracking file; delete it to begin a new run on the tracker"
        ) from error


def _settings(recipe: Recipe) -> dict[str, str | int | float | bool]:
    """Return the settings of a training with dotted names."""
    values: dict[str, Any] = {"name": recipe.name, "strategy": recipe.strategy}
    for section in SENT_SECTIONS:
        if (settings := getattr(recipe, section)) is not None:
            values |= {f"{section}.{key}": value for key, value in settings.model_dump(mode="json").items()}
    return {
        name: value if isinstance(value, str | int | float | bool) else json.dumps(value)
        for name, value in values.items()
        if value is not None
    }


def _curve(path: Path) -> list[dict[str, Any]]:
    """Return the points of a loss curve; a strategy that trains nothing has none."""
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]

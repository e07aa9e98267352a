"""Finished measures of an evaluation that is under way: one file for each, so that a killed evaluation goes on from them.

A file is used only if it was written for the same measure, the same inputs, the same sources of this package and the same
versions of the libraries that compute, and if its digest is right. Any other file is measured again.
"""

import inspect
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from pydantic import ValidationError

from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import Anchor, Estimate
from paracosm.eval.results.model import ResultModel, json_text, plain_values
from paracosm.foundation.digests import file_digest, value_digest
from paracosm.foundation.files import write_text
from paracosm.foundation.progress import Progress, silent
from paracosm.recipes.run.journal import versions

PACKAGE = Path(__file__).parents[1]
"""The sources of all metrics of Paracosm."""

Estimates = dict[str, Estimate]


class FinishedMeasure(ResultModel):
    """Content of the file of one measure on one candidate."""

    key: str
    """Digest of everything that the estimates depend on."""
    digest: str
    """Digest of the estimates, which shows damage."""
    estimates: Estimates
    """Metric -> estimate, with full precision."""


class MeasureStore(Protocol):
    """Keeps the estimates of finished measures."""

    def read(self, measure: Measure, anchor: Anchor) -> Estimates | None:
        """Return the estimates of a measure on a candidate, or None where there are none."""
        ...

    def write(self, measure: Measure, anchor: Anchor, estimates: Estimates) -> None:
        """Keep the estimates of a measure on a candidate."""
        ...


class Nowhere:
    """Keeps nothing."""

    def read(self, measure: Measure, anchor: Anchor) -> Estimates | None:
        """Return None."""
        return None

    def write(self, measure: Measure, anchor: Anchor, estimates: Estimates) -> None:
        """Do nothing."""


class FinishedMeasures:
    """Keeps the estimates of finished measures as files.

    Attributes:
        folder: where the files are.
        inputs: everything of the run that the measurements depend on, as JSON values.
        progress: takes a line for each file that is not used.
    """

    def __init__(self, folder: Path, inputs: dict[str, Any], progress: Progress = silent) -> None:
        self.folder = folder
        self.inputs = inputs
        self.progress = progress

    def read(self, measure: Measure, anchor: Anchor) -> Estimates | None:
        """Return the estimates of a measure on a candidate; None where they were not kept, or the file cannot be used."""
        path = self._path(measure, anchor)
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            return None
        except OSError as problem:
            self.progress(f"{path}: cannot be read ({problem.strerror}); it is measured again")
            return None
        try:
            file = FinishedMeasure.model_validate_json(content)
        except ValidationError:
            self.progress(f"{path}: is damaged; it is measured again")
            return None
        if file.key != self._key(measure, anchor):
            self.progress(f"{path}: was measured with other inputs or versions; it is measured again")
            return None
        if file.digest != _digest(file.plain()["estimates"]):
            self.progress(f"{path}: is damaged; it is measured again")
            return None
        return file.estimates

    def write(self, measure: Measure, anchor: Anchor, estimates: Estimates) -> None:
        """Keep the estimates of a measure on a candidate, atomically."""
        file = FinishedMeasure(key=self._key(measure, anchor), digest="", estimates=estimates)
        plain = plain_values(file.plain())
        plain["digest"] = _digest(plain["estimates"])
        write_text(self._path(measure, anchor), json_text(plain))

    def _path(self, measure: Measure, anchor: Anchor) -> Path:
        return self.folder / f"{measure.metrics[0].name}.{anchor}.json"

    def _key(self, measure: Measure, anchor: Anchor) -> str:
        return value_digest(
            {
                **self._shared,
                "code": _source_digest(measure.function),
                "measure": measure.metrics[0].name,
                "anchor": anchor,
            }
        )

    @cached_property
    def _shared(self) -> dict[str, Any]:
        """What all measures depend on."""
        sources = {
            path.relative_to(PACKAGE).as_posix(): file_digest(path) for path in sorted(PACKAGE.rglob("*.py"))
        }
        return {"inputs": self.inputs, "versions": versions(), "sources": value_digest(sources)}


def _source_digest(function: Callable[..., Any]) -> str | None:
    """Return the digest of the file that defines a function, which another package may hold; None where it has no file."""
    try:
        source = inspect.getsourcefile(function)
    except TypeError:
        return None
    return file_digest(Path(source)) if source is not None and Path(source).is_file() else None


def _digest(estimates: dict[str, Any]) -> str:
    return value_digest(json_text(estimates))

"""Measurements of one set of synthetic records: every metric between its anchors, without gates, in memory and as a file.

A run keeps them in `eval/measurements.json`. Gates are ruled on them as often as a profile or a limit changes, and nothing
is measured again.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from paracosm.eval.catalogue import metrics
from paracosm.eval.measuring.metric import Anchor, Estimate, Metric, Obstacle, Result
from paracosm.eval.results.evaluation_file import first_error
from paracosm.eval.results.model import ResultModel, json_text, plain_values
from paracosm.eval.results.report_data import (
    Correlations,
    Distribution,
    NearestDistances,
    NearestPair,
    RecordMap,
)
from paracosm.foundation.errors import RunError

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Measurements:
    """What was measured, with full precision.

    Attributes:
        results: the measured metrics, in the order of the report.
        missing: the reason why each other metric was not measured, by metric.
        sizes: records in each split and among the synthetic ones.
        notes: what a reader must know beside the numbers.
        distributions: shares of train and of synthetic records by bin, one for each field.
        record_map: records on a plane.
        correlations: of columns, in train and in synthetic records.
        distances: to the nearest training record.
        nearest: synthetic records beside their nearest training records; only with `eval.show_nearest`.
        absent_columns: columns of the real records that the synthetic ones lack, so that nothing was measured on them.
    """

    results: Sequence[Result]
    missing: Mapping[str, Obstacle]
    sizes: Mapping[str, int]
    notes: Sequence[str] = ()
    distributions: Sequence[Distribution] = ()
    record_map: RecordMap | None = None
    correlations: Correlations | None = None
    distances: NearestDistances | None = None
    nearest: Sequence[NearestPair] = ()
    absent_columns: Sequence[str] = ()

    def result(self, name: str) -> Result | None:
        """Return the result of the metric of that name, or None where it was not measured."""
        return next((result for result in self.results if result.metric.name == name), None)

    def to_json(self) -> str:
        """Return the content of `measurements.json`; the same measurements give the same bytes."""
        file = MeasurementsFile(
            metrics={
                **{result.metric.name: result.estimates for result in self.results},
                **dict(self.missing),
            },
            sizes=dict(self.sizes),
            notes=list(self.notes),
            distributions=list(self.distributions),
            record_map=self.record_map,
            correlations=self.correlations,
            distances=self.distances,
            nearest=list(self.nearest),
            absent_columns=list(self.absent_columns),
        )
        return json_text(plain_values(file.plain()))


class MeasurementsFile(ResultModel):
    """Content of `measurements.json`."""

    schema_version: Literal[1] = SCHEMA_VERSION
    metrics: dict[str, dict[Anchor, Estimate] | Obstacle]
    """Metric -> its estimate on the synthetic records and on every anchor, or why there is none."""
    sizes: dict[str, int]
    notes: list[str]
    distributions: list[Distribution]
    record_map: RecordMap | None
    correlations: Correlations | None = None
    distances: NearestDistances | None = None
    nearest: list[NearestPair]
    absent_columns: list[str] = Field(default_factory=list)


def read_measurements(path: Path) -> Measurements:
    """Return the measurements that a run keeps.

    Raises:
        RunError: in one line; the file is missing, damaged, or of another version of Paracosm.
    """
    registered: dict[str, Metric] = {metric.name: metric for metric in metrics()}
    try:
        file = MeasurementsFile.model_validate_json(path.read_bytes())
    except OSError as problem:
        raise RunError(f"{path}: cannot be read: {problem.strerror}") from problem
    except ValidationError as problem:
        raise RunError(
            f"{path}: is not a measurements.json of this version of Paracosm ({first_error(problem)}); "
            "remove it to measure again"
        ) from problem
    if file.metrics.keys() != registered.keys():
        name = sorted(file.metrics.keys() ^ registered.keys())[0]
        raise RunError(
            f"{path}: was written by another version of Paracosm (metric {name!r}); remove it to measure again"
        )
    return Measurements(
        results=[
            Result(registered[name], entry)
            for name, entry in file.metrics.items()
            if not isinstance(entry, Obstacle)
        ],
        missing={name: entry for name, entry in file.metrics.items() if isinstance(entry, Obstacle)},
        sizes=file.sizes,
        notes=file.notes,
        distributions=file.distributions,
        record_map=file.record_map,
        correlations=file.correlations,
        distances=file.distances,
        nearest=file.nearest,
        absent_columns=file.absent_columns,
    )

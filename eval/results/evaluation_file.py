"""Model of `metrics.json`, its JSON Schema, and the one function that reads such a file."""

import json
from pathlib import Path
from typing import Any, ClassVar, Literal

from pydantic import Field, TypeAdapter, ValidationError

from paracosm.eval.results.gate_result import GateResult, Verdict
from paracosm.eval.results.metric_entry import MeasuredMetric, MetricEntry, UnmeasuredMetric
from paracosm.eval.results.model import ResultModel
from paracosm.eval.results.question_verdict import QuestionVerdict
from paracosm.eval.results.report_data import Correlations, Distribution, NearestDistances, RecordMap
from paracosm.foundation.errors import ParacosmError, RunError
from paracosm.recipes.sections.release import Profile, What

SCHEMA_VERSION = 1
LONGEST_ERROR = 300


class EvaluationFile(ResultModel):
    """Result of the evaluation of one set of synthetic records: metrics, gates and verdict."""

    optional_keys: ClassVar[frozenset[str]] = frozenset({"distributions", "map", "correlations", "distances"})

    schema_version: Literal[1] = SCHEMA_VERSION
    verdict: Verdict
    """The worst state of the gates on which it depends."""
    summary: str = ""
    """The verdict in a sentence or two: what holds the release up, and what to do. Empty in files of earlier versions."""
    profile: Profile
    what: What = "both"
    """What is released; records alone do not depend on gates of the adapter."""
    verdicts: list[QuestionVerdict] = Field(default_factory=list)
    """The verdict on each question. Empty in files of earlier versions."""
    sizes: dict[str, int]
    """Records in each split and among the synthetic ones."""
    metrics: list[MetricEntry]
    """Every registered metric, in the order of the report."""
    gates: list[GateResult]
    """Gates on which the verdict depends."""
    not_ruling: list[GateResult]
    """Gates on which it does not depend here: no objection was raised, or the metric does not apply to these data."""
    notes: list[str]
    distributions: list[Distribution] | None = None
    """Absent from published files: bins are ranges and categories of training records."""
    record_map: RecordMap | None = Field(default=None, validation_alias="map", serialization_alias="map")
    """Absent from published files."""
    correlations: Correlations | None = None
    """Correlations of columns in train and in synthetic records."""
    distances: NearestDistances | None = None
    """Distances to the nearest training record."""

    @property
    def measured(self) -> dict[str, MeasuredMetric]:
        """The metrics that have a value, by name."""
        return {metric.name: metric for metric in self.metrics if isinstance(metric, MeasuredMetric)}

    @property
    def unmeasured(self) -> list[UnmeasuredMetric]:
        """The metrics that have no value."""
        return [metric for metric in self.metrics if isinstance(metric, UnmeasuredMetric)]

    @property
    def unmeasured_by_reason(self) -> dict[str, list[UnmeasuredMetric]]:
        """The metrics that have no value, by the reason for it."""
        by_reason: dict[str, list[UnmeasuredMetric]] = {}
        for metric in self.unmeasured:
            by_reason.setdefault(metric.reason_not_measured, []).append(metric)
        return by_reason

    @property
    def every_gate(self) -> list[GateResult]:
        """The gates on which the verdict depends, then the others."""
        return [*self.gates, *self.not_ruling]


class ComparisonFile(ResultModel):
    """Results of several sets of synthetic records that were measured against the same real ones."""

    schema_version: Literal[1] = SCHEMA_VERSION
    verdict: Verdict
    """The worst of the sets' verdicts."""
    sets: dict[str, EvaluationFile]


def read_evaluation(path: Path, error: type[ParacosmError] = RunError) -> EvaluationFile:
    """Return the content of a `metrics.json`.

    Args:
        path: the file.
        error: the class of error to raise.

    Raises:
        ParacosmError: of class `error`, in one line; the file is missing, damaged, or of another version of Paracosm.
    """
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError as absent:
        raise error(f"{path}: is missing; run the eval stage first") from absent
    except (OSError, ValueError, RecursionError) as problem:
        raise error(f"{path}: cannot be read as JSON ({problem})") from problem
    version = plain.get("schema_version") if isinstance(plain, dict) else None
    if version != SCHEMA_VERSION:
        raise error(
            f"{path}: has schema_version {repr(version)[:40]}; this version of Paracosm reads {SCHEMA_VERSION}"
        )
    try:
        return EvaluationFile.model_validate_json(json.dumps(plain))
    except (ValidationError, RecursionError) as problem:
        raise error(
            f"{path}: is not a metrics.json of this version of Paracosm ({first_error(problem)})"
        ) from problem


def first_error(problem: Exception) -> str:
    """Return the first error of a failed validation as `key: message`, in one line."""
    if not isinstance(problem, ValidationError):
        return type(problem).__name__
    detail = problem.errors(include_url=False, include_context=False, include_input=False)[0]
    where = ".".join(str(part) for part in detail["loc"] if part not in ("measured", "unmeasured"))
    message = " ".join(detail["msg"].split())
    # Keys and values of a foreign file may hold control characters, or be very long.
    text = "".join(filter(str.isprintable, f"{where}: {message}" if where else message))
    return text if len(text) <= LONGEST_ERROR else f"{text[:LONGEST_ERROR]}…"


def evaluation_schema() -> dict[str, Any]:
    """Return the JSON Schema of `metrics.json`, of one set or of several."""
    schema = TypeAdapter(EvaluationFile | ComparisonFile).json_schema(by_alias=True)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "metrics.json of Paracosm",
        **schema,
    }

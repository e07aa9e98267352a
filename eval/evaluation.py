"""What was measured of a set of synthetic records, and how it is written down."""

import json
import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from paracosm.eval.catalogue import metrics
from paracosm.eval.gates.ruling import Ruling, Verdict
from paracosm.eval.measuring.metric import Metric, Obstacle, Result
from paracosm.eval.report.histograms import Distribution

SCHEMA_VERSION = 1


DECIMALS = 6


@dataclass(frozen=True)
class Evaluation:
    """What was measured, and what follows from it."""

    results: list[Result]
    missing: dict[str, Obstacle]
    """Metrics that were not measured, and why."""
    gates: list[Ruling]
    verdict: Verdict
    profile: str
    sizes: dict[str, int]
    notes: list[str]
    distributions: list[Distribution] = field(default_factory=list)
    record_map: dict[str, Any] = field(default_factory=dict)
    """Where training and synthetic records lie on a plane; see `record_map`."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """Loss per evaluation of the training run, when there was one."""
    nearest: list[dict[str, Any]] = field(default_factory=list)
    """Synthetic records beside their nearest training records; only with `show_nearest`."""

    def result(self, name: str) -> Result | None:
        """Return the result of the metric of that name."""
        return next((each for each in self.results if each.metric.name == name), None)

    def plain(self) -> dict[str, Any]:
        """Return what `metrics.json` holds. Neither records nor times are among it."""
        return {
            "schema_version": SCHEMA_VERSION,
            "verdict": self.verdict,
            "profile": self.profile,
            "sizes": self.sizes,
            "metrics": [self._plain_metric(each) for each in metrics()],
            "gates": [_rounded(each.plain()) for each in self.gates if each.rules],
            "not_ruling": [_rounded(each.plain()) for each in self.gates if not each.rules],
            "notes": self.notes,
            "distributions": [_rounded(each.plain()) for each in self.distributions],
            "map": _rounded(self.record_map),
        }

    def to_json(self) -> str:
        """Return the evaluation as JSON; the same measurement gives the same bytes."""
        return json.dumps(self.plain(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def _plain_metric(self, metric: Metric) -> dict[str, Any]:
        result = self.result(metric.name)
        described = {
            "name": metric.name,
            "title": metric.title,
            "group": metric.section,
            "goal": metric.goal if metric.target is None else f"{metric.goal} {metric.target:g}",
            "range": [bound if math.isfinite(bound) else None for bound in metric.range],
            "unit": metric.unit,
            "source": metric.source,
            "what": metric.what,
        }
        if result is None:
            return described | {"value": None, "reason_not_measured": self.missing[metric.name].reason}
        return described | _plain_result(result)


def _plain_result(result: Result) -> dict[str, Any]:
    ours, normalised = result.synthetic, result.normalised
    plain = {
        "value": ours.value,
        "interval": [ours.low, ours.high],
        **{name: each.value for name, each in result.estimates.items() if name != "synthetic"},
        "normalised": None if normalised is None else normalised.value,
        "zero": result.metric.zero,
        "reading": result.reading,
        "closer_than_real": result.closer_than_real,
        "reason_not_measured": None,
        "facts": ours.facts,
        "breakdown": ours.breakdown,
        "curves": ours.curves,
        "anchors": {
            name: {
                "value": each.value,
                "interval": [each.low, each.high],
                "breakdown": each.breakdown,
                "curves": each.curves,
            }
            for name, each in result.estimates.items()
            if name != "synthetic"
        },
    }
    return _rounded(plain)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS) + 0.0
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    # Counts come out of numpy as its own integers, which JSON does not know.
    return int(value) if isinstance(value, np.integer) else value

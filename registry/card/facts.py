"""Measured values of a run for the card, from `run.json`, `metrics.json`, the loss history and the schema.

Only counts, metrics, names and verdicts are read here; no cell of any table is.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from paracosm.eval.gates.reasons import limited_unit
from paracosm.eval.gates.ruling import concerns, verdict
from paracosm.eval.measuring.metric import Section
from paracosm.eval.measuring.number_format import bracketed, figure
from paracosm.eval.report.about import source_kind
from paracosm.eval.results.evaluation_file import EvaluationFile, read_evaluation
from paracosm.eval.results.gate_result import STATES, GateResult
from paracosm.eval.results.metric_entry import MeasuredMetric, ReferenceAnchor
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import SPLITS, STAGES, Run
from paracosm.records.constraints.rules import kept_relations
from paracosm.records.schema.schema import Schema
from paracosm.registry.card.redaction import Redactor

GROUPS: dict[Section, str] = {"fidelity": "Fidelity", "utility": "Utility", "privacy": "Leakage"}
"""Section of metrics -> its title on the card."""
HOST_WATTS, ACCELERATOR_WATTS = 65, 400
"""Assumed power of a host and of one accelerator under load; no meter is read."""


def published_evaluation(run: Run) -> EvaluationFile:
    """Return the evaluation of a run as it may be published.

    Distributions and the map are left out, because their bins are ranges and categories of training records. Values of
    training records are redacted from every sentence, name and note.

    Raises:
        RunError: `metrics.json` is missing, damaged or of another version of Paracosm.
    """
    return Redactor.of(Schema.load(run.schema)).evaluation(read_evaluation(run.metrics))


def card_facts(recipe: Recipe, run: Run, evaluation: EvaluationFile) -> dict[str, Any]:
    """Return every measured value that the card's template shows.

    Args:
        recipe: of the run.
        run: the run directory, with its earlier stages done.
        evaluation: what `published_evaluation` returns.
    """
    stages = run.journal.read()["stages"]
    schema = Schema.load(run.schema)
    return {
        "verdict": verdict(evaluation.gates, evaluation.what),
        "summary": evaluation.summary,
        "verdicts": evaluation.verdicts,
        "what": evaluation.what,
        "profile": evaluation.profile,
        "source": source_kind(recipe.data.source),
        "gates": gate_rows(evaluation),
        "open_gates": open_gates(evaluation),
        "groups": {title: metric_rows(evaluation, section) for section, title in GROUPS.items()},
        "unmeasured": unmeasured(evaluation),
        "notes": evaluation.notes,
        "sizes": split_sizes(evaluation, stages),
        "fields": field_rows(schema, recipe),
        "division": division(stages),
        "relations": kept_relations(recipe.rules, schema).lines,
        "personal": personal_data(stages),
        "training": stages.get("finetune", {}).get("facts", {}),
        "adaptation": adaptation(recipe, stages),
        "bits": control_bits(run),
        "generation": stages.get("generate", {}).get("facts", {}),
        "environment": environment(stages),
        "cost": cost_rows(stages),
        "energy": energy(stages),
    }


def adaptation(recipe: Recipe, stages: dict[str, Any]) -> dict[str, Any] | None:
    """Return name, size and effect of the corpus that the base model was trained on first; None where it was not."""
    facts = stages.get("adapt", {}).get("facts")
    if recipe.adapt is None or not facts:
        return None
    return {"corpus": recipe.adapt.name or source_kind(recipe.adapt.source), **facts}


@dataclass(frozen=True)
class GateRow:
    """One gate in the card's table.

    Attributes:
        result: state, limit and reason.
        title: title of its metric, and the gate's name.
        limit: side and threshold in words, in the unit of what is limited.
    """

    result: GateResult
    title: str
    limit: str


@dataclass(frozen=True)
class MetricRow:
    """One measured metric in the card's table, every number in the metric's unit.

    Attributes:
        metric: the measured metric.
        value: the value with its interval.
        anchors: the values on floor, ceiling and worst case; `-` where there is no such anchor.
        position: position between the anchors; `-` where they coincide.
    """

    metric: MeasuredMetric
    value: str
    anchors: tuple[str, ...]
    position: str


def gate_rows(evaluation: EvaluationFile) -> list[GateRow]:
    """Return the gates on which the verdict depends, worst state first, then the others."""
    deciding = sorted(evaluation.gates, key=lambda gate: STATES.index(gate.state))
    return [_gate_row(gate, evaluation) for gate in (*deciding, *evaluation.not_ruling)]


def open_gates(evaluation: EvaluationFile) -> list[GateRow]:
    """Return the gates that keep the verdict from PASS."""
    return [
        row
        for row in gate_rows(evaluation)
        if row.result.decides and row.result.state != "PASS" and concerns(row.result, evaluation.what)
    ]


def _gate_row(gate: GateResult, evaluation: EvaluationFile) -> GateRow:
    metric = next((metric for metric in evaluation.metrics if metric.name == gate.metric), None)
    title = f"{metric.title if metric else gate.metric} ({gate.gate})"
    unit = limited_unit(gate.quantity, metric.unit if metric else "plain")
    return GateRow(gate, title, f"{gate.side} {figure(gate.threshold, unit)}")


def metric_rows(evaluation: EvaluationFile, section: Section) -> list[MetricRow]:
    """Return the measured metrics of one section."""
    return [_metric_row(metric) for metric in evaluation.measured.values() if metric.section == section]


def _metric_row(metric: MeasuredMetric) -> MetricRow:
    anchors: tuple[ReferenceAnchor, ...] = ("floor", "ceiling", "worst")
    return MetricRow(
        metric=metric,
        value=f"**{figure(metric.value, metric.unit)}** {bracketed(*metric.interval, metric.unit)}",
        anchors=tuple(
            figure(metric.anchors[name].value, metric.unit) if name in metric.anchors else "-"
            for name in anchors
        ),
        position="-" if metric.normalised is None else f"{metric.normalised:.0%}",
    )


def unmeasured(evaluation: EvaluationFile) -> list[tuple[str, str]]:
    """Return (titles of metrics, reason) for every reason why metrics were not measured."""
    return [
        ("; ".join(metric.title for metric in metrics), reason)
        for reason, metrics in evaluation.unmeasured_by_reason.items()
    ]


def split_sizes(evaluation: EvaluationFile, stages: dict[str, Any]) -> dict[str, int | None]:
    """Return the number of records in each split and among the synthetic ones; None where no stage counted them."""
    counted = stages.get("records", {}).get("facts", {}).get("rows", {})
    return {name: counted.get(name, evaluation.sizes.get(name)) for name in (*SPLITS, "synthetic")}


def division(stages: dict[str, Any]) -> dict[str, Any]:
    """Return how the rows were grouped before the split: copies, groups, and the columns that were left out.

    `apart` tells whether equal rows fell on both sides: joined, they leave no more groups than distinct rows.
    """
    facts = stages.get("records", {}).get("facts", {})
    rows, exact, groups = facts.get("rows", {}).get("all"), facts.get("exact_duplicates"), facts.get("groups")
    known = None not in (rows, exact, groups)
    return {
        "rows": rows,
        "exact": exact,
        "near": facts.get("near_duplicates"),
        "groups": groups,
        "apart": groups > rows - exact if known else None,
        "left_out": facts.get("left_out", []),
        "outside": facts.get("outside_training_domain", {}),
    }


def personal_data(stages: dict[str, Any]) -> dict[str, Any] | None:
    """Return what was done about personal data before training, in counts by kind; None where nothing looked for any."""
    found = stages.get("records", {}).get("facts", {}).get("pii")
    if found is None:
        return None
    columns = {each["column"]: each["kind"] for each in found["columns"]}
    passages: dict[str, int] = {}
    for kinds in found["texts"].values():
        for kind, count in kinds.items():
            passages[kind] = passages.get(kind, 0) + count
    return {
        "action": found["action"],
        "columns": columns,
        "passages": dict(sorted(passages.items())),
        "detectors": found["detectors"],
    }


def field_rows(schema: Schema, recipe: Recipe) -> list[dict[str, Any]]:
    """Return name, type and role of every field. Domains stay out: ranges and categories are training values."""
    return [
        {
            "name": field.name,
            "type": field.type,
            "role": _role(field.name, field.fresh, field.modelled, recipe),
            "fresh": field.fresh,
        }
        for field in schema
    ]


def _role(name: str, fresh: bool, modelled: bool, recipe: Recipe) -> str:
    if not modelled:
        return (
            "made afresh for every synthetic record; never shown to the model"
            if fresh
            else "left out; never shown to the model"
        )
    return "target of the utility metrics" if name == recipe.data.target else "modelled"


def control_bits(run: Run) -> dict[str, Any] | None:
    """Return first, best and last bits per control record of the loss history, or None without one."""
    if not run.history.is_file():
        return None
    lines = [
        json.loads(line) for line in run.history.read_text(encoding="utf-8").splitlines() if line.strip()
    ]
    points = [line for line in lines if line.get("control_bits") is not None]
    if not points:
        return None
    return {
        "first": points[0],
        "best": min(points, key=lambda point: point["control_bits"]),
        "last": points[-1],
    }


def environment(stages: dict[str, Any]) -> dict[str, str]:
    """Return the package and platform versions under which the stages ran; where they differ, all of them."""
    found: dict[str, list[str]] = {}
    for stage in STAGES:
        for package, version in stages.get(stage, {}).get("versions", {}).items():
            if version not in found.setdefault(package, []):
                found[package].append(version)
    return {package: ", then ".join(versions) for package, versions in found.items()}


def cost_rows(stages: dict[str, Any]) -> list[dict[str, Any]]:
    """Return wall time in seconds and peak memory in bytes of every finished stage before the card.

    An evaluation that only ruled again did not measure; what measuring cost counts then.
    """
    rows = []
    for stage in (stage for stage in STAGES if stage in stages and stage != "card"):
        records = [stages[stage], *([stages["measure"]] if stage == "eval" and "measure" in stages else [])]
        rows.append(
            {
                "stage": stage,
                "seconds": _largest(record.get("wall_seconds") for record in records),
                "bytes": _largest(record.get("peak_memory_bytes") for record in records),
            }
        )
    return rows


def _largest(values: Iterable[float | None]) -> float | None:
    return max((value for value in values if value is not None), default=None)


def energy(stages: dict[str, Any]) -> dict[str, Any] | None:
    """Return an estimate of the energy that the stages before the card took, with what it assumes; None without times.

    kWh = seconds x watts / 3.6e6. The draw is assumed, not read.
    """
    seconds = [row["seconds"] for row in cost_rows(stages)]
    if not seconds or None in seconds:
        return None
    training = stages.get("finetune", {}).get("facts", {})
    accelerators = (
        training.get("processes", 1) if str(training.get("device", "")).startswith(("cuda", "mps")) else 0
    )
    watts = HOST_WATTS + ACCELERATOR_WATTS * accelerators
    drawn = f"{HOST_WATTS} W for the host"
    if accelerators:
        drawn += f" and {ACCELERATOR_WATTS} W for each of {accelerators} accelerators"
    return {
        "kilowatt_hours": sum(seconds) * watts / 3.6e6,
        "assumption": f"wall time of all stages at {drawn}, assumed and not metered; cooling and idle hardware left out",
    }

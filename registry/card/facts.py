"""What a run measured, read from `run.json`, `metrics.json`, the loss history and the schema, for the card to show.

Only counts, figures, names and verdicts pass through here; no cell of any table does.
"""

import json
from pathlib import Path
from typing import Any

from paracosm.foundation.errors import RunError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import SPLITS, STAGES, Run
from paracosm.records.schema.schema import Schema
from paracosm.registry.card.redaction import Redactor
from paracosm.registry.versions.verdict import STATES, verdict_of

METRICS_VERSION = 1
GROUPS = {"fidelity": "Fidelity", "utility": "Utility", "privacy": "Leakage"}
PUBLISHED = ("schema_version", "verdict", "profile", "sizes", "metrics", "gates", "not_ruling", "notes")
HOST_WATTS, ACCELERATOR_WATTS = 65, 400
"""Assumed draw of a host and of one accelerator under load; nothing here reads a meter."""

NEVER_MEASURED = {
    "membership": ("Membership inference against the model", "no attack on the model itself ran"),
    "canar": ("Canary exposure and audit", "no canaries were planted before training"),
    "extract": ("Extraction of training text by prompting", "no extraction attempt ran"),
    "linkability": ("Attribute inference, linkability and singling out", "no such attack ran"),
    "group that loses": ("Fairness and fidelity per subgroup", "records were compared as a whole"),
    "energy": ("Energy", "no meter was read; *Cost* holds an estimate and its assumption"),
}
"""Word that names a metric -> what a reader would look for, and why it is missing unless such a metric was measured."""


def read_metrics(run: Run) -> dict[str, Any]:
    """Return the content of `metrics.json`.

    Raises:
        RunError: it is absent, damaged or of an unknown layout.
    """
    try:
        metrics = json.loads(run.metrics.read_text(encoding="utf-8"))
    except FileNotFoundError as fault:
        raise RunError(f"{run.metrics}: is missing; run the eval stage first") from fault
    except (OSError, ValueError) as fault:
        raise RunError(f"{run.metrics}: cannot be read as JSON ({fault})") from fault
    found = metrics.get("schema_version") if isinstance(metrics, dict) else None
    if found != METRICS_VERSION:
        raise RunError(
            f"{run.metrics}: has schema_version {found!r}; this version of Paracosm reads {METRICS_VERSION}"
        )
    return metrics


def published_metrics(run: Run) -> dict[str, Any]:
    """Return what of `metrics.json` leaves the building.

    The distributions stay, because their bins are ranges and categories of training records; so does every sentence,
    name or note that repeats one.

    Raises:
        RunError: it is absent, damaged or of an unknown layout.
    """
    metrics = read_metrics(run)
    kept = {key: value for key, value in metrics.items() if key in PUBLISHED}
    return Redactor.of(Schema.load(run.schema)).metrics(kept)


def card_facts(recipe: Recipe, run: Run, metrics: dict[str, Any]) -> dict[str, Any]:
    """Return everything measured that the card's template shows."""
    stages = run.journal.read()["stages"]
    schema = Schema.load(run.schema)
    return {
        "verdict": verdict_of(metrics),
        "profile": metrics.get("profile", recipe.release.profile),
        "gates": gate_rows(metrics),
        "open_gates": open_gates(metrics),
        "groups": {title: metric_rows(metrics, group) for group, title in groups_of(metrics).items()},
        "unmeasured": unmeasured(metrics),
        "notes": metrics.get("notes", []),
        "sizes": split_sizes(metrics, stages),
        "fields": field_rows(schema, recipe),
        "division": division(stages),
        "personal": personal_data(stages),
        "training": stages.get("finetune", {}).get("facts", {}),
        "bits": control_bits(run),
        "generation": stages.get("generate", {}).get("facts", {}),
        "environment": environment(stages),
        "cost": cost_rows(stages),
        "energy": energy(stages),
    }


def source_kind(source: str) -> str:
    """Return what kind of source a recipe reads, without path, host, user or password."""
    scheme, found, name = source.partition(":")
    if scheme == "sample":
        return f"the sample `{name}`"
    if scheme == "hf":
        return f"the Hub data set `{name.removeprefix('//')}`"
    if found and name.startswith("//"):
        return "a query on a database"
    suffix = next((part for part in reversed(Path(source).suffixes) if part != ".gz"), "")
    return f"{suffix.lstrip('.').upper()} files" if suffix else "files"


def groups_of(metrics: dict[str, Any]) -> dict[str, str]:
    """Return the groups of `metrics` and their titles: the known ones, then any other."""
    others = [each["group"] for each in metrics["metrics"] if each["group"] not in GROUPS]
    return GROUPS | {group: str(group).capitalize() for group in others}


def gate_rows(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the gates, worst state first, each with the title of its metric; last those that do not rule."""
    titles = {metric["name"]: metric.get("title", metric["name"]) for metric in metrics["metrics"]}
    ruling = sorted(
        metrics["gates"], key=lambda gate: STATES.index(gate["state"]) if gate["state"] in STATES else 1
    )
    return [gate | {"title": _gate_title(gate, titles)} for gate in (*ruling, *metrics.get("not_ruling", []))]


def open_gates(metrics: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the gates that keep the verdict from PASS."""
    return [gate for gate in gate_rows(metrics | {"not_ruling": []}) if gate["state"] != "PASS"]


def _gate_title(gate: dict[str, Any], titles: dict[str, str]) -> str:
    return f"{titles.get(gate['metric'], gate['metric'])} ({gate.get('gate', gate['metric'])})"


def metric_rows(metrics: dict[str, Any], group: str) -> list[dict[str, Any]]:
    """Return the metrics of one group that have a value."""
    return [
        metric
        for metric in metrics["metrics"]
        if metric["group"] == group and metric.get("value") is not None
    ]


def unmeasured(metrics: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (what, why) for every metric without a value and for what no metric of this run covers."""
    rows = [
        (metric.get("title", metric["name"]), metric.get("reason_not_measured") or "no reason recorded")
        for metric in metrics["metrics"]
        if metric.get("value") is None
    ]
    named = [f"{metric['name']} {metric.get('title', '')}".lower() for metric in metrics["metrics"]]
    return rows + [row for word, row in NEVER_MEASURED.items() if not any(word in name for name in named)]


def split_sizes(metrics: dict[str, Any], stages: dict[str, Any]) -> dict[str, int | None]:
    """Return the number of records in each split and among the synthetic ones; None where no stage counted them."""
    counted = stages.get("records", {}).get("facts", {}).get("rows", {})
    sizes = metrics.get("sizes", {})
    return {name: _count(counted.get(name, sizes.get(name))) for name in (*SPLITS, "synthetic")}


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


def _count(found: Any) -> int | None:
    return found if isinstance(found, int) else None


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
    """Return wall time in seconds and peak memory in bytes per finished stage before the card."""
    return [
        {
            "stage": stage,
            "seconds": stages[stage].get("wall_seconds"),
            "bytes": stages[stage].get("peak_memory_bytes"),
        }
        for stage in STAGES
        if stage in stages and stage != "card"
    ]


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

"""The verdict of a version: what its gates say, and what its figures amount to when the gates are asked again."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from paracosm.eval.gates.catalogue import GATES
from paracosm.eval.gates.ruling import rule, verdict
from paracosm.eval.measuring.metric import ANCHORS, Anchor, Estimate, Metric, Obstacle, Result
from paracosm.foundation.errors import RegistryError
from paracosm.recipes.run.journal import versions
from paracosm.recipes.sections.release import Release

STATES = ("FAIL", "INCONCLUSIVE", "PASS")


def verdict_of(metrics: Mapping[str, Any]) -> str:
    """Return the verdict that the recorded gates amount to: the worst state; INCONCLUSIVE without a gate."""
    states = {gate["state"] for gate in metrics["gates"]}
    if "FAIL" in states:
        return "FAIL"
    return "PASS" if states == {"PASS"} else "INCONCLUSIVE"


def claimed_verdict(metrics: Any, *, where: Path) -> str:
    """Return `verdict_of` for metrics of unknown origin.

    Raises:
        RegistryError: they hold no gates.
    """
    try:
        return verdict_of(metrics)
    except (KeyError, TypeError) as fault:
        raise RegistryError(f"{where}: holds no gates") from fault


def recomputed_verdict(
    metrics: Mapping[str, Any], *, profile: str, limits: Mapping[str, float], paracosm: str, where: Path
) -> str:
    """Ask the gates of `profile` again, of the published figures and their intervals.

    A gate that the version was never asked is left out, unless this very version of Paracosm published it: then
    somebody took the gate away.

    Args:
        metrics: what a version publishes of `metrics.json`.
        profile: the release profile that its manifest records.
        limits: the recipe's own limits, as its manifest records them.
        paracosm: the version of Paracosm that published it.
        where: names the metrics in an error.

    Raises:
        RegistryError: the figures are damaged, or the profile or a gate is unknown here.
    """
    try:
        asked = {ruling["gate"] for ruling in (*metrics["gates"], *metrics.get("not_ruling", []))}
        measured = {each["name"] for each in metrics["metrics"] if each.get("value") is not None}
        never = {
            ruling["gate"]
            for ruling in metrics.get("not_ruling", [])
            if ruling["state"] == "NOT APPLICABLE" and ruling["metric"] not in measured
        }
        results = [entry_result(each) for each in metrics["metrics"] if each.get("value") is not None]
        release = Release.model_validate({"profile": profile, "gates": dict(limits)})
        missing = {gate.metric: Obstacle("as published", curable=gate.name not in never) for gate in GATES}
        rulings = rule(results, missing, release)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError) as fault:
        raise RegistryError(
            f"{where}: its figures cannot be read, so the verdict cannot be checked"
        ) from fault
    known = {gate.name for gate in GATES}
    if unknown := sorted(asked - known):
        raise RegistryError(
            f"{where}: names the gate {unknown[0]!r}, which this version of Paracosm does not know"
        )
    strict = paracosm == versions().get("paracosm")
    return verdict([ruling for ruling in rulings if strict or ruling.gate in asked])


def own_limits(release: Release) -> dict[str, float]:
    """Return the limits of a recipe that are not its profile's."""
    profile = release.model_copy(update={"gates": {}})
    return {
        gate.name: release.gates[gate.name]
        for gate in GATES
        if gate.name in release.gates and gate.limit(release) != gate.limit(profile)
    }


def entry_result(entry: Mapping[str, Any]) -> Result:
    """Return the metric of `metrics.json` as what a gate reads: figures and intervals, without breakdowns."""
    anchors = entry.get("anchors", {})
    estimates: dict[Anchor, Estimate] = {
        name: _estimate(anchors[name], {}) for name in ANCHORS if name in anchors
    }
    estimates["synthetic"] = _estimate(entry, entry.get("facts", {}))
    goal, _, target = entry["goal"].partition(" ")
    metric = Metric(
        name=entry["name"],
        title=entry["title"],
        section=entry["group"],
        goal=goal,
        range=(float("-inf"), float("inf")),
        source="",
        what="",
        read=lambda _: "",
        zero=entry["zero"],
        unit=entry["unit"],
        target=float(target) if target else None,
    )
    return Result(metric, estimates)


def _estimate(plain: Mapping[str, Any], facts: Mapping[str, Any]) -> Estimate:
    low, high = map(float, plain["interval"])
    return Estimate(float(plain["value"]), low, high, facts=dict(facts))

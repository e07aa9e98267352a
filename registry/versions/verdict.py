"""Check of a version's verdict: its recorded gates, and the gates ruled again on its published metrics."""

from collections.abc import Mapping
from pathlib import Path

from paracosm.eval.gates.catalogue import GATES
from paracosm.eval.gates.ruling import rule, verdict
from paracosm.eval.measuring.metric import Obstacle, Result
from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.eval.results.gate_result import Verdict
from paracosm.foundation.errors import RecipeError, RegistryError
from paracosm.recipes.run.journal import versions
from paracosm.recipes.sections.release import Release


def recomputed_verdict(
    evaluation: EvaluationFile,
    *,
    profile: str,
    what: str,
    limits: Mapping[str, float],
    paracosm: str,
    where: Path,
) -> Verdict:
    """Rule again on published metrics and return the verdict.

    A gate that is not recorded is left out, unless this version of Paracosm published the metrics: then the gate was removed
    by hand.

    Args:
        evaluation: the published `metrics.json`.
        profile: the release profile that the manifest records.
        what: what the version releases, as the manifest records it.
        limits: the recipe's own limits, as the manifest records them.
        paracosm: the version of Paracosm that published it.
        where: the file's path, for error messages.

    Raises:
        RegistryError: a metric cannot be ruled on, or the profile or a gate is unknown to this version of Paracosm.
    """
    from paracosm.eval.catalogue import metrics

    registered = {metric.name: metric for metric in metrics()}
    results = [
        Result(registered[name], entry.estimates())
        for name, entry in evaluation.measured.items()
        if name in registered
    ]
    inapplicable = {
        gate.metric
        for gate in evaluation.not_ruling
        if gate.state == "NOT APPLICABLE" and gate.metric not in evaluation.measured
    }
    missing = {
        gate.metric: Obstacle("as published", curable=gate.metric not in inapplicable) for gate in GATES
    }
    try:
        release = Release.model_validate({"profile": profile, "what": what, "gates": dict(limits)})
        gates = rule(results, missing, release)
    except (KeyError, ValueError, TypeError, RecipeError) as error:
        raise RegistryError(
            f"{where}: its metrics cannot be ruled on under the manifest's profile and limits, so the verdict cannot be checked"
        ) from error
    recorded = {gate.gate for gate in evaluation.every_gate}
    if unknown := sorted(recorded - {gate.name for gate in GATES}):
        raise RegistryError(
            f"{where}: names the gate {unknown[0]!r}, which this version of Paracosm does not have"
        )
    same_version = paracosm == versions().get("paracosm")
    return verdict((gate for gate in gates if same_version or gate.gate in recorded), release.what)


def own_limits(release: Release) -> dict[str, float]:
    """Return the limits of a recipe that differ from its profile's."""
    profile = release.model_copy(update={"gates": {}})
    return {
        gate.name: release.gates[gate.name]
        for gate in GATES
        if gate.name in release.gates and gate.limit(release) != gate.limit(profile)
    }

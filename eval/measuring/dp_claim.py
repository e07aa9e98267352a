"""The (epsilon, delta) that differentially private training claims, for comparison with the audit by canaries."""

from dataclasses import dataclass

from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.release import Release

GATE = "audit_epsilon"


@dataclass(frozen=True)
class Claim:
    """Epsilon and delta as the privacy accountant of the training reports them."""

    epsilon: float
    delta: float


def claim_of(run: Run) -> Claim | None:
    """Return the claim of a run's training; None where training was not private."""
    facts = run.journal.stage("finetune").get("facts", {})
    return Claim(facts["epsilon"], facts["delta"]) if "epsilon" in facts else None


def with_claim(release: Release, claim: Claim | None) -> Release:
    """Return `release` with the claimed epsilon as the limit of the audit, unless a lower one is set."""
    if claim is None:
        return release
    limit = min(claim.epsilon, release.gates.get(GATE, claim.epsilon))
    return release.model_copy(update={"gates": release.gates | {GATE: limit}})

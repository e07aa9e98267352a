"""The empirical epsilon of the canary audit stays below the claimed epsilon, unless noise or clipping is missing."""

from pathlib import Path

import pytest
from privacy_audit import Defect, train_and_audit
from tiny_models import save_tiny_llama

CANARIES = 200


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("audit") / "model")


@pytest.mark.parametrize(("epsilon", "seed"), [(1.0, 0), (1.0, 1), (1.0, 2), (2.0, 3)])
def test_the_audit_stays_below_the_accountant(base: Path, tmp_path: Path, epsilon: float, seed: int) -> None:
    claim, proven = train_and_audit(base, tmp_path / "run", epsilon=epsilon, seed=seed, canaries=CANARIES)
    assert claim.epsilon <= epsilon
    assert proven.facts["delta"] == claim.delta
    # The audit has enough power: perfect guesses would have exceeded the claim.
    assert proven.facts["most"] > claim.epsilon
    assert proven.value <= claim.epsilon


@pytest.mark.parametrize("defect", ["no noise", "no clipping"])
def test_the_audit_detects_missing_noise_or_clipping(base: Path, tmp_path: Path, defect: Defect) -> None:
    claim, proven = train_and_audit(
        base, tmp_path / "run", epsilon=1.0, seed=1, canaries=CANARIES, defect=defect
    )
    assert proven.value > claim.epsilon

"""What planted records prove never exceeds what the accountant states; where the protection is broken, it does."""

from pathlib import Path

import pytest
from privacy_audit import Fault, audited
from tiny_models import save_tiny_llama

CANARIES = 200


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("audit") / "model")


@pytest.mark.parametrize(("epsilon", "seed"), [(1.0, 0), (1.0, 1), (1.0, 2), (2.0, 3)])
def test_the_audit_stays_below_the_accountant(base: Path, tmp_path: Path, epsilon: float, seed: int) -> None:
    claim, proven = audited(base, tmp_path / "run", epsilon=epsilon, seed=seed, canaries=CANARIES)
    assert claim.epsilon <= epsilon
    assert proven.facts["delta"] == claim.delta
    # Perfect guesses would have proven more than is claimed, so that the audit could have objected.
    assert proven.facts["most"] > claim.epsilon
    assert proven.value <= claim.epsilon


@pytest.mark.parametrize("fault", ["no noise", "no clipping"])
def test_the_audit_finds_broken_training(base: Path, tmp_path: Path, fault: Fault) -> None:
    claim, proven = audited(base, tmp_path / "run", epsilon=1.0, seed=1, canaries=CANARIES, fault=fault)
    assert proven.value > claim.epsilon

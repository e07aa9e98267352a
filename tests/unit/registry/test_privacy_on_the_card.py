"""Differential privacy on the cards: the spent budget, what it does not cover, and the gate of the audit."""

from pathlib import Path
from typing import Any

import finished_run
import pytest

from paracosm.eval.attacks.canary_audit import AUDIT_EPSILON
from paracosm.eval.gates.catalogue import GATES
from paracosm.eval.gates.ruling import rule, verdict
from paracosm.eval.measuring.dp_claim import Claim, claim_of, with_claim
from paracosm.eval.measuring.metric import Estimate, Obstacle, Result
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.release import Release
from paracosm.registry.card.provenance import settings
from paracosm.registry.card.stage import write_card
from paracosm.registry.versions.verdict import own_limits

PRIVATE: dict[str, Any] = {
    "epsilon": 7.93,
    "delta": 2.1e-4,
    "planned_epochs": 30,
    "privacy": {
        "unit": "subject",
        "units": 729,
        "noise_multiplier": 1.416,
        "sampling_rate": 0.1756,
        "steps": 171,
        "max_grad_norm": 1.0,
        "accountant": "PRV",
        "schema": "declared in the recipe",
        "gradient_difference": 1e-7,
        "trainings": 3,
    },
}


@pytest.fixture
def private_run(tmp_path: Path) -> Run:
    recipe = finished_run.recipe_of(privacy={"epsilon": 8})
    run = finished_run.finished_run(tmp_path / "run", recipe)
    journal = run.journal.read()
    journal["stages"]["finetune"]["facts"] |= PRIVATE
    run.journal.write(journal)
    assert write_card(recipe=recipe, run=run)
    return run


def test_the_card_states_the_epsilon_that_was_spent(private_run: Run) -> None:
    card = private_run.card.read_text(encoding="utf-8")
    assert "differentially private: epsilon 7.93, delta 0.00021, per subject" in card
    assert "**7.93** (at most 8 was allowed)" in card
    assert "probability 0.176 (Poisson sampling)" in card
    assert "none: the training added no noise" not in card
    assert "of at most 30:" in card


def test_the_card_states_what_epsilon_does_not_cover(private_run: Run) -> None:
    card = private_run.card.read_text(encoding="utf-8")
    assert "measured on the real records without noise" in card
    assert "Runs that were made to choose settings are not accounted for" in card
    assert "3 adapters were trained on these records" in card
    assert "early stop" not in card
    assert "stratified" not in card
    data_card = private_run.data_card.read_text(encoding="utf-8")
    assert "differentially private: epsilon 7.93" in data_card


def test_the_card_of_a_training_without_noise_states_that(tmp_path: Path) -> None:
    card = finished_run.finished_run(tmp_path / "run", finished_run.recipe_of()).card.read_text(
        encoding="utf-8"
    )
    assert "none: the training added no noise" in card
    assert "differentially private" not in card


def test_provenance_records_the_privacy_budget() -> None:
    assert settings(finished_run.recipe_of(privacy={"epsilon": 8}))["privacy"]["epsilon"] == 8
    assert "privacy" not in settings(finished_run.recipe_of())


def audited(proven: float, release: Release) -> dict[str, str]:
    elsewhere = {gate.metric: Obstacle("not asked here", curable=False) for gate in GATES}
    result = Result(AUDIT_EPSILON, {"synthetic": Estimate(proven, proven, 5.0)})
    return {ruling.gate: ruling.state for ruling in rule([result], elsewhere, release)}


def test_an_audit_above_the_claimed_epsilon_fails_and_one_below_it_never_passes() -> None:
    release = with_claim(Release(), Claim(1.5, 1e-5))
    assert audited(1.6, release)["audit_epsilon"] == "FAIL"
    assert audited(1.4, release)["audit_epsilon"] == "NO OBJECTION"
    # Where nothing is claimed, nothing can be disproven.
    assert "audit_epsilon" not in audited(9.0, with_claim(Release(), None))
    assert (
        verdict(rule([], {gate.metric: Obstacle("", curable=False) for gate in GATES}, release))
        == "INCONCLUSIVE"
    )


def test_a_stricter_limit_of_the_recipe_is_kept_and_the_claim_is_recorded(private_run: Run) -> None:
    assert claim_of(private_run) == Claim(7.93, 2.1e-4)
    assert with_claim(Release(gates={"audit_epsilon": 1.0}), Claim(7.93, 1e-4)).gates == {
        "audit_epsilon": 1.0
    }
    assert own_limits(with_claim(Release(), claim_of(private_run))) == {"audit_epsilon": 7.93}
    assert private_run.journal.stage("card")["facts"]["limits"]["audit_epsilon"] == 7.93

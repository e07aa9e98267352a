"""Scores beside shadow adapters: they find what a plain loss does not, and nothing where there is nothing."""

import numpy as np
import pytest

from paracosm.eval.attacks.lira_rmia import (
    Shadows,
    _moderated,
    confidence,
    likelihood_ratio_scores,
    relative_scores,
)
from paracosm.eval.attacks.shadow_models import complementary_halves
from paracosm.eval.statistics.attack_scores import Targets, strongest
from paracosm.recipes.sections.evaluate import Evaluate

QUICK = Evaluate(bootstrap=200)


def world(seed: int, *, leak: float, members: int = 150, others: int = 120) -> tuple[np.ndarray, Shadows]:
    """Return mean log probabilities under an adapter and its shadows: records differ far more than a leak moves them."""
    random = np.random.default_rng(seed)
    count = members + others
    inside = complementary_halves(np.arange(count), 8, seed)
    difficulty, spread = random.normal(-1.2, 0.4, count), random.gamma(4, 0.01, count)
    shadows = difficulty + inside * leak + random.normal(0, 1, (8, count)) * spread
    ours = difficulty + (np.arange(count) < members) * leak + random.normal(0, 1, count) * spread
    return np.minimum(ours, -1e-3), Shadows(np.minimum(shadows, -1e-3), inside)


def scores(ours: np.ndarray, shadows: Shadows, members: int = 150) -> dict[str, np.ndarray]:
    """Return every score beside shadows."""
    strangers = np.arange(len(ours)) >= members
    relative = relative_scores(ours, np.full(len(ours), -3.0), strangers, shadows)
    return likelihood_ratio_scores(ours, shadows) | {"rmia": relative}


def test_each_score_finds_what_the_loss_cannot_see() -> None:
    ours, shadows = world(0, leak=0.1)
    loss = strongest(Targets({"loss": ours}, 150), QUICK, "x")["x_auc"]
    assert loss.low < 0.6
    for name, values in scores(ours, shadows).items():
        found = strongest(Targets({name: values}, 150), QUICK, "x")
        assert found["x_auc"].low > 0.85, name
        assert found["x_tpr"].low > 0.1, name


def test_without_a_leak_the_interval_holds_chance_about_as_often_as_it_says() -> None:
    found = [
        strongest(Targets(scores(*world(seed, leak=0.0)), 150), QUICK, "x")["x_auc"] for seed in range(80)
    ]
    missed = np.mean([not each.low <= 0.5 <= each.high for each in found])
    assert missed <= 0.1125  # 9 of 80: below 1% where each misses in 5%
    assert np.mean([each.value for each in found]) == pytest.approx(0.5, abs=0.02)


def test_a_level_that_all_share_changes_nothing() -> None:
    ours, shadows = world(1, leak=0.1)
    moved = Shadows(np.log(1 / (1 + np.exp(-(confidence(shadows.likelihood) - 0.3)))), shadows.inside)
    for name, values in likelihood_ratio_scores(ours, moved).items():
        np.testing.assert_allclose(values, likelihood_ratio_scores(ours, shadows)[name], atol=1e-6)


def test_variances_are_pooled_as_far_as_they_resemble_each_other() -> None:
    random = np.random.default_rng(0)
    alike = random.chisquare(3, 5000) / 3
    assert np.ptp(_moderated(alike, np.full(5000, 3))) < 0.2
    unlike = alike * np.where(np.arange(5000) < 2500, 0.01, 1.0)
    kept = _moderated(unlike, np.full(5000, 3))
    assert np.median(kept[2500:]) > 3 * np.median(kept[:2500])


def test_a_relative_score_is_a_rank_among_strangers() -> None:
    ours, _ = world(2, leak=0.0)
    strangers = np.arange(len(ours)) >= 150
    found = relative_scores(ours, np.full(len(ours), -3.0), strangers, None)
    assert sorted(found[strangers]) == pytest.approx(list(np.arange(1, 121) / 120))
    assert (np.argsort(found[strangers]) == np.argsort(ours[strangers])).all()


def test_halves_complement_each_other_and_keep_subjects_together() -> None:
    subjects = np.repeat(np.arange(30), 3)
    halves = complementary_halves(subjects, 8, 0)
    assert (halves.sum(axis=0) == 4).all()
    assert (halves[0::2] == ~halves[1::2]).all()
    assert all(len(set(half[subjects == each])) == 1 for half in halves for each in range(30))
    assert len({half.tobytes() for half in halves}) == 8

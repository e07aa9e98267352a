"""LiRA and RMIA scores: they find a leak that the loss alone misses, and nothing where there is no leak."""

import numpy as np
import pytest

from paracosm.eval.attacks.lira_rmia import (
    ShadowLikelihoods,
    _moderated_variances,
    confidence,
    lira_scores,
    rmia_scores,
)
from paracosm.eval.attacks.shadow_models import complementary_halves
from paracosm.eval.statistics.attack_scores import Targets, strongest
from paracosm.recipes.sections.evaluate import Evaluate

QUICK = Evaluate(bootstrap=200)


def simulate(
    seed: int, *, leak: float, members: int = 150, others: int = 120
) -> tuple[np.ndarray, ShadowLikelihoods]:
    """Return mean log probabilities under a target and its shadow models; records differ far more than the leak is large."""
    random = np.random.default_rng(seed)
    count = members + others
    inside = complementary_halves(np.arange(count), 8, seed)
    difficulty, spread = random.normal(-1.2, 0.4, count), random.gamma(4, 0.01, count)
    shadows = difficulty + inside * leak + random.normal(0, 1, (8, count)) * spread
    target = difficulty + (np.arange(count) < members) * leak + random.normal(0, 1, count) * spread
    return np.minimum(target, -1e-3), ShadowLikelihoods(np.minimum(shadows, -1e-3), inside)


def scores(target: np.ndarray, shadows: ShadowLikelihoods, members: int = 150) -> dict[str, np.ndarray]:
    """Return the scores of all attacks that use shadow models."""
    non_members = np.arange(len(target)) >= members
    rmia = rmia_scores(target, np.full(len(target), -3.0), non_members, shadows)
    return lira_scores(target, shadows, non_members) | {"rmia": rmia}


def test_every_score_finds_a_leak_that_the_loss_misses() -> None:
    target, shadows = simulate(0, leak=0.1)
    loss = strongest(Targets({"loss": target}, 150), QUICK, "x")["x_auc"]
    assert loss.low < 0.6
    for name, values in scores(target, shadows).items():
        found = strongest(Targets({name: values}, 150), QUICK, "x")
        assert found["x_auc"].low > 0.85, name
        assert found["x_tpr"].low > 0.1, name


def test_without_a_leak_intervals_contain_one_half_at_their_level() -> None:
    aucs = [
        strongest(Targets(scores(*simulate(seed, leak=0.0)), 150), QUICK, "x")["x_auc"] for seed in range(80)
    ]
    missed = np.mean([not auc.low <= 0.5 <= auc.high for auc in aucs])
    assert missed <= 0.1125  # 9 of 80: probability below 1% at a miss rate of 5%
    assert np.mean([auc.value for auc in aucs]) == pytest.approx(0.5, abs=0.02)


def test_a_shift_of_all_confidences_does_not_change_the_scores() -> None:
    target, shadows = simulate(1, leak=0.1)
    moved = ShadowLikelihoods(
        np.log(1 / (1 + np.exp(-(confidence(shadows.mean_log_probability) - 0.3)))), shadows.trained_on
    )
    known = np.arange(len(target)) >= 150
    for name, values in lira_scores(target, moved, known).items():
        np.testing.assert_allclose(values, lira_scores(target, shadows, known)[name], atol=1e-6)


def test_the_shift_does_not_depend_on_the_number_of_members() -> None:
    target, shadows = simulate(1, leak=0.5)
    known, few = np.arange(len(target)) >= 150, np.arange(100, len(target))
    every = lira_scores(target, shadows, known)
    fewer = lira_scores(target[few], shadows.select(few), known[few])
    # Variances are pooled over all records, so that the scores agree closely and not exactly.
    assert np.corrcoef(every["lira"][few], fewer["lira"])[0, 1] > 0.99
    assert abs(np.median(every["lira_offline"][known]) - np.median(fewer["lira_offline"][known[few]])) < 0.1
    assert abs(np.median(every["lira_offline"][known])) < 0.2


def test_variances_are_shrunk_as_far_as_they_are_alike() -> None:
    random = np.random.default_rng(0)
    alike = random.chisquare(3, 5000) / 3
    assert np.ptp(_moderated_variances(alike, np.full(5000, 3))) < 0.2
    unlike = alike * np.where(np.arange(5000) < 2500, 0.01, 1.0)
    kept = _moderated_variances(unlike, np.full(5000, 3))
    assert np.median(kept[2500:]) > 3 * np.median(kept[:2500])


def test_the_rmia_score_is_a_rank_among_non_members() -> None:
    target, _ = simulate(2, leak=0.0)
    non_members = np.arange(len(target)) >= 150
    found = rmia_scores(target, np.full(len(target), -3.0), non_members, None)
    assert sorted(found[non_members]) == pytest.approx(list(np.arange(120) / 119))
    assert (np.argsort(found[non_members]) == np.argsort(target[non_members])).all()


def test_halves_are_complementary_and_keep_subjects_together() -> None:
    subjects = np.repeat(np.arange(30), 3)
    halves = complementary_halves(subjects, 8, 0)
    assert (halves.sum(axis=0) == 4).all()
    assert (halves[0::2] == ~halves[1::2]).all()
    assert all(len(set(half[subjects == subject])) == 1 for half in halves for subject in range(30))
    assert len({half.tobytes() for half in halves}) == 8

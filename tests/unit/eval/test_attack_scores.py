"""Membership inference statistics: unbiased under the null for any number of attacks, and decisive where there is a leak."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from paracosm.eval.attacks.likelihoods.of_adapter import LONG_TEXT, long_texts_first
from paracosm.eval.statistics.attack_scores import Targets, roc_curve, strongest, tpr_at
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Field

QUICK = Evaluate(bootstrap=200)


def null(seed: int, *, members: int = 150, others: int = 120, attacks: int = 8) -> Targets:
    """Return scores that are independent of membership."""
    random = np.random.default_rng(seed)
    scores = {f"attack {number}": random.normal(size=members + others) for number in range(attacks)}
    return Targets(scores, members)


def test_random_scores_have_a_tpr_equal_to_the_fpr() -> None:
    """The mean over random orders is the false positive rate itself, though it is not a multiple of 1 / (n + 1)."""
    random, labels = np.random.default_rng(0), np.arange(60) < 23
    rates = [
        tpr_at(random.permutation(60).astype(float), labels, np.ones((1, 60)), 0.05)[0] for _ in range(6000)
    ]
    assert np.mean(rates) == pytest.approx(0.05, abs=0.003)


def test_weights_act_like_repeated_targets() -> None:
    scores, labels = np.array([9.0, 8, 7, 6, 5, 4, 3, 2]), np.array([1, 0, 1, 0, 1, 0, 1, 0], dtype=bool)
    twice = np.array([[1.0, 2, 1, 2, 1, 2, 1, 2]])
    repeated = np.repeat(scores, twice[0].astype(int)) + np.linspace(0, -1e-9, 12)
    repeated_labels = np.repeat(labels, twice[0].astype(int))
    for rate in (0.05, 0.2, 0.4):
        assert tpr_at(scores, labels, twice, rate) == pytest.approx(
            tpr_at(repeated, repeated_labels, np.ones((1, 12)), rate)
        )


def test_selecting_among_random_attacks_causes_no_bias() -> None:
    found = [strongest(null(seed), QUICK, "x") for seed in range(60)]
    aucs, rates = (np.array([result[name].value for result in found]) for name in ("x_auc", "x_tpr"))
    assert abs(aucs.mean() - 0.5) < 3 * aucs.std() / np.sqrt(60)
    assert abs(rates.mean()) < 3 * rates.std() / np.sqrt(60)
    assert np.mean([result["x_auc"].low <= 0.5 <= result["x_auc"].high for result in found]) >= 0.85
    assert np.mean([result["x_tpr"].low <= 0 <= result["x_tpr"].high for result in found]) >= 0.85


@pytest.mark.parametrize("seed", range(8))
def test_few_targets_or_few_subjects_have_an_interval_too(seed: int) -> None:
    """No resample of a half may lack members or non-members."""
    few_targets = null(seed, members=5, others=40)
    few_subjects = Targets(null(seed, members=60, others=40).scores, 60, np.arange(100) // 8)
    for targets in (few_targets, few_subjects):
        found = strongest(targets, QUICK, "x")
        assert all(np.isfinite([estimate.low, estimate.high]).all() for estimate in found.values())
        assert found["x_auc"].low <= found["x_auc"].value <= found["x_auc"].high


def test_a_leak_gives_a_tight_interval_and_names_its_attack() -> None:
    targets = null(1)
    leak = dict(targets.scores) | {"memory": targets.labels + np.random.default_rng(0).normal(0, 0.1, 270)}
    found = strongest(Targets(leak, targets.members), QUICK, "x")
    assert found["x_auc"].low > 0.99
    assert found["x_tpr"].value == pytest.approx(1 - 5 / targets.non_members)
    assert found["x_tpr"].low > 0.9
    assert found["x_auc"].facts["attack"] == "memory"
    assert found["x_tpr"].facts["false_positive_rate"] == 5 / targets.non_members
    assert found["x_tpr"].facts["named_beyond_5%"][0] == pytest.approx(0.95)


def test_tied_scores_favour_neither_side() -> None:
    found = strongest(Targets({"blind": np.zeros(400)}, 200), QUICK, "x")
    assert found["x_auc"].low < 0.5 < found["x_auc"].high
    assert found["x_tpr"].low < 0 < found["x_tpr"].high


@pytest.mark.parametrize(("others", "rate"), [(60, 0.05), (200, 0.025), (1000, 0.01)])
def test_five_non_members_pass_the_threshold_but_for_few_and_for_many(others: int, rate: float) -> None:
    found = strongest(null(3, others=others), Evaluate(bootstrap=100), "x")
    assert found["x_tpr"].facts["false_positive_rate"] == rate


def test_the_records_of_one_subject_count_once() -> None:
    """Ten copies of every record under the same subject give intervals as wide as without the copies."""
    once, random = null(5, attacks=1), np.random.default_rng(0)
    scores = {
        name: np.repeat(values, 10) + random.normal(0, 1e-6, 2700) for name, values in once.scores.items()
    }
    grouped = Targets(scores, 1500, np.repeat(np.arange(270), 10))
    alone, together, ignored = (
        strongest(targets, QUICK, "x")["x_auc"] for targets in (once, grouped, Targets(scores, 1500))
    )
    assert together.high - together.low > 0.7 * (alone.high - alone.low)
    assert ignored.high - ignored.low < 0.5 * (alone.high - alone.low)


def test_the_roc_curve_is_monotone_and_ends_at_one() -> None:
    labels = np.arange(300) < 100
    points = np.array(roc_curve(np.random.default_rng(0).normal(size=300) + labels, labels))
    assert (np.diff(points, axis=0) >= 0).all()
    assert points[-1].tolist() == [1.0, 1.0]
    assert points[0][0] == pytest.approx(1 / 200)


def test_scores_that_are_not_finite_are_refused() -> None:
    with pytest.raises(ValueError, match="'odd' gives scores that are not finite numbers"):
        Targets({"odd": np.array([1.0, np.nan])}, 1)


def test_the_memorising_copy_takes_records_withlong_texts_first() -> None:
    note = Field(name="note", type="text")
    codec: Any = SimpleNamespace(schema=SimpleNamespace(modelled=(note,)))
    lengths = [3, LONG_TEXT, 0, LONG_TEXT + 9, 5]
    table = pd.DataFrame({"note": pd.Series([" ".join(["w"] * n) or None for n in lengths], dtype="string")})
    assert long_texts_first(table, codec).tolist() == [1, 3, 0, 2, 4]

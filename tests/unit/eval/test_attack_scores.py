"""Scores of membership: unbiased under the null whatever the number of attacks, and certain where there is a leak."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from paracosm.eval.attacks.target import LONG_TEXT, _long_texts_first
from paracosm.eval.statistics.attack_scores import Targets, roc_curve, strongest, tpr_at
from paracosm.recipes.sections.evaluate import Evaluate

QUICK = Evaluate(bootstrap=200)


def null(seed: int, *, members: int = 150, others: int = 120, attacks: int = 8) -> Targets:
    """Return scores that know nothing."""
    random = np.random.default_rng(seed)
    scores = {f"attack {number}": random.normal(size=members + others) for number in range(attacks)}
    return Targets(scores, members)


def test_the_threshold_lets_pass_what_chance_gives() -> None:
    """Over random orders the expected rate is the false positive rate itself, though n + 1 does not divide it."""
    random, labels = np.random.default_rng(0), np.arange(60) < 23
    found = [
        tpr_at(random.permutation(60).astype(float), labels, np.ones((1, 60)), 0.05)[0] for _ in range(6000)
    ]
    assert np.mean(found) == pytest.approx(0.05, abs=0.003)


def test_weights_count_as_repeated_targets() -> None:
    scores, labels = np.array([9.0, 8, 7, 6, 5, 4, 3, 2]), np.array([1, 0, 1, 0, 1, 0, 1, 0], dtype=bool)
    twice = np.array([[1.0, 2, 1, 2, 1, 2, 1, 2]])
    repeated = np.repeat(scores, twice[0].astype(int)) + np.linspace(0, -1e-9, 12)
    known = np.repeat(labels, twice[0].astype(int))
    for rate in (0.05, 0.2, 0.4):
        assert tpr_at(scores, labels, twice, rate) == pytest.approx(
            tpr_at(repeated, known, np.ones((1, 12)), rate)
        )


def test_choosing_among_attacks_that_know_nothing_costs_no_bias() -> None:
    found = [strongest(null(seed), QUICK, "x") for seed in range(60)]
    aucs, rates = (np.array([each[name].value for each in found]) for name in ("x_auc", "x_tpr"))
    assert abs(aucs.mean() - 0.5) < 3 * aucs.std() / np.sqrt(60)
    assert abs(rates.mean()) < 3 * rates.std() / np.sqrt(60)
    assert np.mean([each["x_auc"].low <= 0.5 <= each["x_auc"].high for each in found]) >= 0.85
    assert np.mean([each["x_tpr"].low <= 0 <= each["x_tpr"].high for each in found]) >= 0.85


@pytest.mark.parametrize("seed", range(8))
def test_a_handful_of_targets_or_of_persons_has_an_interval_too(seed: int) -> None:
    """No resample may lose all members or all others of a half."""
    few = null(seed, members=5, others=40)
    of_persons = Targets(null(seed, members=60, others=40).scores, 60, np.arange(100) // 8)
    for targets in (few, of_persons):
        found = strongest(targets, QUICK, "x")
        assert all(np.isfinite([each.low, each.high]).all() for each in found.values())
        assert found["x_auc"].low <= found["x_auc"].value <= found["x_auc"].high


def test_a_leak_is_certain_and_names_its_attack() -> None:
    targets = null(1)
    leak = dict(targets.scores) | {"memory": targets.labels + np.random.default_rng(0).normal(0, 0.1, 270)}
    found = strongest(Targets(leak, targets.members), QUICK, "x")
    assert found["x_auc"].low > 0.99
    assert found["x_tpr"].value == pytest.approx(0.95)
    assert found["x_tpr"].low > 0.9
    assert found["x_auc"].facts["attack"] == "memory"
    assert found["x_tpr"].facts["false_positive_rate"] == 0.05


def test_scores_that_are_all_alike_favour_nobody() -> None:
    found = strongest(Targets({"blind": np.zeros(400)}, 200), QUICK, "x")
    assert found["x_auc"].low < 0.5 < found["x_auc"].high
    assert found["x_tpr"].low < 0 < found["x_tpr"].high


def test_many_strangers_are_read_at_one_percent() -> None:
    found = strongest(null(3, others=1000), Evaluate(bootstrap=100), "x")
    assert found["x_tpr"].facts["false_positive_rate"] == 0.01


def test_records_of_one_subject_count_once() -> None:
    """Each subject's records repeated ten times: intervals as wide as without the repetitions."""
    once, random = null(5, attacks=1), np.random.default_rng(0)
    scores = {
        name: np.repeat(values, 10) + random.normal(0, 1e-6, 2700) for name, values in once.scores.items()
    }
    grouped = Targets(scores, 1500, np.repeat(np.arange(270), 10))
    alone, together, ignored = (
        strongest(each, QUICK, "x")["x_auc"] for each in (once, grouped, Targets(scores, 1500))
    )
    assert together.high - together.low > 0.7 * (alone.high - alone.low)
    assert ignored.high - ignored.low < 0.5 * (alone.high - alone.low)


def test_the_curve_runs_from_nobody_to_everybody() -> None:
    labels = np.arange(300) < 100
    points = np.array(roc_curve(np.random.default_rng(0).normal(size=300) + labels, labels))
    assert (np.diff(points, axis=0) >= 0).all()
    assert points[-1].tolist() == [1.0, 1.0]
    assert points[0][0] == pytest.approx(1 / 200)


def test_scores_must_be_numbers() -> None:
    with pytest.raises(ValueError, match="'odd' gives scores that are no finite numbers"):
        Targets({"odd": np.array([1.0, np.nan])}, 1)


def test_what_is_learnt_by_heart_are_records_whose_text_can_be_continued() -> None:
    note = SimpleNamespace(name="note", type="text")
    codec: Any = SimpleNamespace(schema=SimpleNamespace(modelled=(note,)))
    lengths = [3, LONG_TEXT, 0, LONG_TEXT + 9, 5]
    table = pd.DataFrame({"note": pd.Series([" ".join(["w"] * n) or None for n in lengths], dtype="string")})
    assert _long_texts_first(table, codec).tolist() == [1, 3, 0, 2, 4]

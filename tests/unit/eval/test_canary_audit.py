"""Canary exposure by rank, and the one-run audit against the power that its authors derive."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paracosm.eval.attacks.canary_audit import (
    audit,
    exposure,
    largest_refuted,
    p_value,
    read_canaries,
)
from paracosm.finetune.objectives.canaries import INCLUDED
from paracosm.foundation.errors import DataError
from paracosm.records.schema.schema import Field, Schema

SCHEMA = Schema((Field(name="age", type="integer", minimum=0, maximum=99),))


@pytest.mark.parametrize(("canaries", "epsilon"), [(100, 2.78), (500, 4.40), (1000, 5.09)])
def test_perfect_guesses_refute_the_epsilon_of_the_theory(canaries: int, epsilon: float) -> None:
    assert largest_refuted(canaries, canaries // 2, canaries // 2, 1e-5) == pytest.approx(epsilon, abs=0.005)


def test_random_guessing_refutes_at_most_at_the_level() -> None:
    random, alarms = np.random.default_rng(0), 0
    for _ in range(400):
        included = random.random(200) < 0.5
        alarms += audit(random.normal(size=200), included).value > 0
    assert alarms / 400 <= 0.08


def test_randomised_response_stays_below_its_epsilon() -> None:
    """Scores that are right with probability e/(1 + e) are 1-DP: a larger epsilon is refuted in at most 5% of runs."""
    random, alarms = np.random.default_rng(1), 0
    for _ in range(200):
        included = random.random(400) < 0.5
        truthful = random.random(400) < np.e / (1 + np.e)
        scores = np.where(truthful, included, ~included) + random.normal(0, 1e-3, 400)
        alarms += audit(scores, included, delta=0.0).value > 1.0
    assert alarms / 200 <= 0.08


def test_a_perfect_attack_refutes_the_largest_epsilon() -> None:
    included = np.arange(200) % 2 == 0
    found = audit(included.astype(float), included)
    assert found.value == found.facts["most"] == found.high
    assert found.value > 2.5


def test_p_values_fall_with_right_guesses_and_rise_with_epsilon() -> None:
    by_right = [p_value(200, 50, right, 1.0, 1e-5) for right in range(0, 51, 5)]
    by_epsilon = [p_value(200, 50, 45, epsilon, 1e-5) for epsilon in (0.0, 1.0, 2.0, 4.0)]
    assert by_right == sorted(by_right, reverse=True)
    assert by_epsilon == sorted(by_epsilon)


def test_exposure_is_the_log_rank_in_bits() -> None:
    included = np.arange(1023 + 20) < 20
    scores = np.where(included, 5.0, np.random.default_rng(0).normal(0, 0.1, len(included)))
    assert exposure(scores, included, 100, 0).value == pytest.approx(10.0)
    blind = exposure(np.random.default_rng(0).normal(size=1043), included, 100, 0)
    assert blind.breakdown["median"] == pytest.approx(1.0, abs=0.7)
    tied = exposure(np.zeros(1043), included, 100, 0)
    assert tied.value == pytest.approx(1.0, abs=0.01)


def test_the_interval_of_exposure_varies_with_the_canaries_that_were_left_out() -> None:
    random = np.random.default_rng(0)
    outside = random.normal(size=60)
    certain = np.concatenate([np.full(40, 1.5), outside])
    found = exposure(certain, np.arange(100) < 40, 300, 0)
    # All that were added have one score: only the ranks among the others vary.
    assert found.low < found.value < found.high


def test_a_file_without_inclusion_or_with_few_canaries_is_refused(tmp_path: Path) -> None:
    table = pd.DataFrame({"age": pd.Series(range(30), dtype="Int64")})
    table.to_parquet(tmp_path / "canaries.parquet")
    with pytest.raises(DataError, match="lacks the boolean column 'canary_included'"):
        read_canaries(tmp_path / "canaries.parquet", SCHEMA)
    table.assign(**{INCLUDED: [True] * 28 + [False] * 2}).to_parquet(tmp_path / "few.parquet")
    with pytest.raises(DataError, match="28 canaries are in train and 2 are not; at least 10 of each"):
        read_canaries(tmp_path / "few.parquet", SCHEMA)

"""The arithmetic below the metrics, against brute force and against scikit-learn."""

from itertools import combinations
from math import comb

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import r2_score, roc_auc_score

from paracosm.eval.fidelity.distances import js_distance, ks_distance, tv_distance
from paracosm.eval.privacy.copies.exact import exact_flags
from paracosm.eval.privacy.distance_to_closest import _none_drawn, _shares
from paracosm.eval.report.svg import Scale
from paracosm.eval.representations.row_distance import RowVectors, nearest
from paracosm.eval.statistics.classifier import auc_with_variances
from paracosm.eval.statistics.intervals import around, wilson
from paracosm.eval.statistics.weighted_scores import weighted_auc, weighted_r2
from paracosm.records.schema.schema import Field

SCORES = st.lists(st.tuples(st.integers(0, 5), st.booleans()), min_size=4, max_size=30)


@settings(deadline=None)
@given(SCORES)
def test_weighted_auc_is_the_auc_of_the_repeated_rows(rows: list[tuple[int, bool]]) -> None:
    scores, positive = (np.array(each) for each in zip(*rows, strict=True))
    weights = np.arange(len(rows)) % 3
    found = weighted_auc(scores.astype(float), positive, np.vstack([np.ones(len(rows)), weights]))
    for value, times in zip(found, (np.ones(len(rows), dtype=int), weights), strict=True):
        labels, repeated = np.repeat(positive, times), np.repeat(scores, times)
        if len(set(labels)) < 2:
            assert np.isnan(value)
        else:
            assert value == pytest.approx(roc_auc_score(labels, repeated))


@settings(deadline=None)
@given(SCORES)
def test_auc_and_its_variances_agree_with_all_pairs(rows: list[tuple[int, bool]]) -> None:
    scores, labels = (
        np.array([score for score, _ in rows], dtype=float),
        np.array([int(each) for _, each in rows]),
    )
    if min(labels.sum(), (1 - labels).sum()) < 2:
        return
    auc, positive, negative = auc_with_variances(scores, labels)
    won = (scores[labels == 1][:, None] > scores[labels == 0]) + (
        scores[labels == 1][:, None] == scores[labels == 0]
    ) / 2
    assert auc == pytest.approx(won.mean())
    assert positive == pytest.approx(won.mean(axis=1).var(ddof=1) / len(won), abs=1e-12)
    assert negative == pytest.approx(won.mean(axis=0).var(ddof=1) / won.shape[1], abs=1e-12)


def test_weighted_r2_is_that_of_the_repeated_rows() -> None:
    random = np.random.default_rng(0)
    truth, guesses = random.normal(size=40), random.normal(size=40)
    weights = random.integers(0, 4, 40)
    found = weighted_r2(guesses, truth, np.vstack([np.ones(40), weights]))
    assert found[0] == pytest.approx(r2_score(truth, guesses))
    assert found[1] == pytest.approx(r2_score(np.repeat(truth, weights), np.repeat(guesses, weights)))
    assert weighted_r2(guesses, np.full(40, 3.0), np.ones((1, 40)))[0] == 0.0


def test_distances_between_counts() -> None:
    assert tv_distance(np.array([[3.0, 1.0]]), np.array([[1.0, 1.0]]))[0] == pytest.approx(0.25)
    assert js_distance(np.array([[5.0, 0.0]]), np.array([[0.0, 2.0]]))[0] == pytest.approx(1.0)
    assert js_distance(np.array([[5.0, 5.0]]), np.array([[2.0, 2.0]]))[0] == 0.0
    # Bin 0 counts missing cells: present values are equal, a quarter is missing on one side.
    assert ks_distance(np.array([[1.0, 1.0, 2.0]]), np.array([[0.0, 1.0, 2.0]]))[0] == pytest.approx(0.25)
    assert ks_distance(np.array([[0.0, 4.0, 0.0]]), np.array([[0.0, 1.0, 3.0]]))[0] == pytest.approx(0.75)


@pytest.mark.parametrize(("rows", "drawn"), [(6, 2), (7, 6), (5, 5)])
def test_no_early_rank_is_drawn_with_the_hypergeometric_probability(rows: int, drawn: int) -> None:
    for ranks in range(rows + 1):
        without = sum(min(subset) >= ranks for subset in combinations(range(rows), drawn))
        assert _none_drawn(np.array([ranks]), rows, drawn)[0] == pytest.approx(without / comb(rows, drawn))


def test_dcr_share_averages_over_all_subsamples_of_train() -> None:
    known, unseen, ours = np.array([1.0, 2, 2, 5, 7]), np.array([2.0, 6]), 0.0
    control = np.abs(unseen - ours).min()
    brute = [
        (min(known[list(subset)]) < control) + (min(known[list(subset)]) == control) / 2
        for subset in combinations(range(5), 2)
    ]
    found = _shares(np.array([(known < control).sum()]), np.array([(known <= control).sum()]), 5, 2)
    assert found[0] == pytest.approx(np.mean(brute))


def test_the_wilson_interval_is_valid_at_zero_and_at_all() -> None:
    low, high = wilson(0, 100)
    assert low == 0
    assert 0.03 < high < 0.04
    assert wilson(100, 100) == pytest.approx((1 - high, 1))


def _mixed(rows: list[tuple]) -> pd.DataFrame:
    columns = dict(zip(("size", "colour", "note"), zip(*rows, strict=True), strict=True))
    return pd.DataFrame(columns).astype({"size": "Float64", "colour": "string", "note": "string"})


FIELDS = (
    Field(name="size", type="number"),
    Field(name="colour", type="category"),
    Field(name="note", type="text"),
)


def test_row_distance_includes_every_field_type() -> None:
    real = _mixed([(float(each), "red", f"note number {each} of many") for each in range(20)])
    base = (3.0, "red", "note number 3 of many")
    others = [
        base,
        (3.0, "blue", base[2]),
        (None, "red", base[2]),
        (3.0, "red", "quite another text"),
        (3.0, None, base[2]),
    ]
    vectors = RowVectors(FIELDS, real)
    found = nearest(vectors(_mixed(others)), vectors(_mixed([base])), 1).distance[:, 0]
    assert found[0] == pytest.approx(0, abs=1e-3)
    assert found[1] == pytest.approx(np.sqrt(1 / 3), abs=1e-2)
    assert found[2] >= np.sqrt(1 / 3) - 1e-2
    assert found[3] > 0.4
    assert found[4] == pytest.approx(np.sqrt(1 / 3), abs=1e-2)


def test_nearest_is_exact_search() -> None:
    random = np.random.default_rng(0)
    rows, others = random.random((30, 4), dtype=np.float32), random.random((50, 4), dtype=np.float32)
    found = nearest(rows, others, 5)
    brute = np.sqrt(((rows[:, None] - others[None]) ** 2).sum(-1))
    assert (found.index[:, 0] == brute.argmin(axis=1)).all()
    np.testing.assert_allclose(found.distance, np.sort(brute, axis=1)[:, :5], atol=2e-3)
    assert nearest(rows, others[:3], 9).index.shape == (30, 3)


def test_exact_copies_need_every_field_and_missing_equals_missing() -> None:
    train = _mixed([(1.0, "red", "a"), (None, None, "b")])
    table = _mixed([(1.0, "red", "a"), (None, None, "b"), (1.0, None, "a"), (1.0, "red", "A")])
    assert exact_flags(table, train, FIELDS).tolist() == [True, True, False, False]


@settings(deadline=None)
@given(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6))
def test_ticks_are_few_round_and_inside(low: float, span: float) -> None:
    ticks = Scale(low, low + span, 0, 100).ticks(4)
    assert len(ticks) <= 10
    assert all(low - span * 1e-3 <= tick <= low + span * 1.001 for tick in ticks)


def test_a_clipped_interval_keeps_its_deviation() -> None:
    edge = around(0.99, 0.05**2, (0.0, 1.0))
    assert edge.high == 1.0
    assert edge.deviation == pytest.approx(0.05)

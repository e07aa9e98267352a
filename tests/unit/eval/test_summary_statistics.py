"""The table of summary statistics: right numbers, noise as stated, no statistic of a few persons; rare classes; histograms."""

import example_tables
import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import average_precision_score, f1_score, recall_score

from paracosm.eval.fidelity.summary_statistics import summary_statistics
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Estimate, Result
from paracosm.eval.report.histograms import distributions
from paracosm.eval.statistics.sampling_noise import correlation, cramers_v, share, spread
from paracosm.eval.utility.augmentation import AUGMENTATION_GAIN, utility_beyond
from paracosm.eval.utility.rare_class import rare_class_scores
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Field

patients, PATIENTS = example_tables.patients, example_tables.PATIENTS


def _statistics(synthetic: pd.DataFrame) -> Estimate:
    context = Context(PATIENTS, patients(500, 10), patients(200, 11), None, None, Evaluate(), 200)
    return summary_statistics(context, synthetic)["statistics"]


def _row(found: Estimate, column: str, statistic: str) -> dict[str, object]:
    rows = found.facts["statistics"]
    return next(row for row in rows if (row["column"], row["statistic"]) == (column, statistic))


def test_statistics_are_those_of_the_tables_and_name_what_changed() -> None:
    train, fresh = patients(500, 10), patients(500, 1)
    found = _statistics(fresh)
    age = _row(found, "age", "mean")
    assert age["train"] == pytest.approx(train["age"].mean(), abs=1e-3)
    assert age["synthetic"] == pytest.approx(fresh["age"].mean(), abs=1e-3)
    assert age["within_noise"] is True
    assert found.value > 0.85
    older = fresh.assign(age=fresh["age"] + 6)
    assert _row(_statistics(older), "age", "mean")["within_noise"] is False
    assert _row(_statistics(older), "age", "standard deviation")["within_noise"] is True


def test_no_statistic_speaks_of_fewer_than_five_records() -> None:
    train = patients(500, 10)
    train["sex"] = pd.Series(["other"] * 4 + list(train["sex"][4:]), dtype="string")
    train["pressure"] = train["pressure"].mask(np.arange(500) >= 4)
    context = Context(PATIENTS, train, patients(200, 11), None, None, Evaluate(), 200)
    rows = summary_statistics(context, patients(400, 1))["statistics"].facts["statistics"]
    assert not [row for row in rows if row["statistic"] == "share of other"]
    assert not [row for row in rows if "pressure" in row["column"] and row["statistic"] == "mean"]
    pairs = [row for row in rows if "pressure" in row["column"] and "×" in row["column"]]
    assert {row["train"] for row in pairs} == {None}


def test_variances_are_those_of_repeated_samples() -> None:
    random = np.random.default_rng(0)
    for measure in (
        lambda x, y: spread(x),
        lambda x, y: share(x > 0.5),
        lambda x, y: correlation(x, y, ranked=False),
        lambda x, y: correlation(x, y, ranked=True),
        lambda x, y: cramers_v((x > 0).astype(str), (y > 0).astype(str)),
    ):
        found = []
        for _ in range(300):
            x = random.normal(size=200)
            found.append(measure(x, 0.6 * x + 0.8 * random.normal(size=200)))
        variance = float(np.mean([one.variance for one in found]))
        assert np.var([one.value for one in found]) == pytest.approx(variance, rel=0.35)


def test_scores_of_a_class_are_those_of_scikit_learn() -> None:
    random = np.random.default_rng(0)
    truth = random.integers(0, 3, 80)
    prediction = np.round(random.dirichlet(np.ones(3), 80), 1)
    weights = np.vstack([np.ones(80), np.arange(80) % 3])
    found = rare_class_scores({"linear": [prediction]}, truth, 2, weights)
    for number, times in enumerate(weights.astype(int)):
        real, called = (np.repeat(side, times) for side in (truth, prediction.argmax(axis=1)))
        scores = np.repeat(prediction[:, 2], times)
        assert found["recall"][number] == pytest.approx(recall_score(real == 2, called == 2))
        assert found["F1"][number] == pytest.approx(f1_score(real == 2, called == 2))
        assert found["PR-AUC"][number] == pytest.approx(average_precision_score(real == 2, scores))


def test_augmentation_states_overall_and_for_the_rare_class_whether_it_helps() -> None:
    train, test = patients(200, 0), patients(150, 1)
    context = Context(PATIENTS, train, test, test, "ill", Evaluate(bootstrap=100), 150)
    gain = utility_beyond(context, patients(200, 2))["augmentation_gain"]
    curve = gain.facts["curve"]
    assert [point["part"] for point in curve[::4]] == ["5%", "10%", "25%", "100%"]
    assert {point["score"].split()[0] for point in curve} == {"AUC", "recall", "F1", "PR-AUC"}
    assert all(point["low"] <= point["gain"] <= point["high"] for point in curve)
    assert "5% of train" in Result(AUGMENTATION_GAIN, {"synthetic": gain}).reading


def test_a_histogram_has_no_bin_of_one_person() -> None:
    one, few = ([0.0] * 199 + [63.27]), [28.0, 29.0, 29.0, 34.0] + [None] * 296
    for values in (one, few):
        column = pd.DataFrame({"a": pd.array(values, dtype="Float64")})
        found = distributions((Field(name="a", type="number"),), column, column)[0]
        counts = [share * len(values) for share in found.train]
        assert all(count >= 4 for count in counts if count)
        assert not any("63" in label or "33" in label for label in found.labels)

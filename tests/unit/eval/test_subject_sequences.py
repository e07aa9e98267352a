"""Metrics of records in time: exact sums, real order against random order, and what does not allow them."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from paracosm.eval import measure_tables
from paracosm.eval.measure_tables import measure_all
from paracosm.eval.measuring.context import Context
from paracosm.eval.sequences import subject_metrics
from paracosm.eval.sequences.subject_sequences import (
    ForecastSums,
    LaggedSums,
    Scale,
    SubjectRecords,
    matrices,
    shuffled_in_time,
)
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Field, Schema, SubjectSequence

SCHEMA = Schema(
    (
        Field(name="patient", type="identifier", fresh=True),
        Field(name="visit", type="integer", minimum=1, maximum=9),
        Field(name="sex", type="category", categories=("f", "m")),
        Field(name="pulse", type="number", decimals=3, minimum=-50.0, maximum=50.0, nullable=True),
        Field(name="dose", type="number", decimals=3, minimum=-50.0, maximum=50.0),
    ),
    SubjectSequence("patient", "visit", ("sex",), 9),
)
KEPT = 0.8
"""Share of a pulse that the next one keeps."""


def visits(subjects: int, seed: int, kept: float = KEPT) -> pd.DataFrame:
    """Return visits whose pulse follows the pulse before, and whose dose follows the pulse at the visit before."""
    random = np.random.default_rng(seed)
    rows = []
    for subject in range(subjects):
        pulse = random.normal()
        for visit in range(1, 10):
            before, pulse = pulse, kept * pulse + random.normal() * np.sqrt(1 - kept**2)
            rows.append((f"P{seed}-{subject}", visit, "fm"[subject % 2], pulse, before))
    table = pd.DataFrame(rows, columns=[field.name for field in SCHEMA.fields])
    table.loc[random.random(len(table)) < 0.05, "pulse"] = np.nan
    # The order of the rows is not that of the visits.
    return table.sample(frac=1, random_state=seed).reset_index(drop=True)


def of(table: pd.DataFrame) -> SubjectRecords:
    return SubjectRecords(table, pd.factorize(table["patient"])[0])


def context_of(
    train: pd.DataFrame, synthetic: pd.DataFrame, schema: Schema = SCHEMA, others: int = 150
) -> Context:
    tables = {"train": train, "control": visits(others, 1), "test": visits(others, 2)}
    return Context(
        schema,
        tables["train"],
        tables["control"],
        tables["test"],
        None,
        Evaluate(),
        100,
        subjects={name: of(table).subjects + 1000 * at for at, (name, table) in enumerate(tables.items())},
        synthetic_subjects=of(synthetic).subjects,
    )


def test_correlations_and_forecasts_of_sums_are_those_of_the_records() -> None:
    train = visits(50, 0)
    sequences = matrices(of(train), SCHEMA, Scale.of(SCHEMA, train))
    assert len(sequences) == 50
    chosen = np.arange(5, 40)
    pairs = np.concatenate(
        [np.stack([each[:-2, 0], each[2:, 1]], axis=1) for each in np.take(sequences, chosen, axis=0)]
    )
    pairs = pairs[~np.isnan(pairs).any(axis=1)]
    found = LaggedSums.of(sequences).correlations(chosen)
    assert found[1, 0, 1] == pytest.approx(np.corrcoef(pairs.T)[0, 1])
    sums = ForecastSums.of(sequences)
    weights = sums.fitted(chosen)
    goals, guesses = [], []
    for each in np.take(sequences, chosen, axis=0):
        filled = np.nan_to_num(each)
        features = np.concatenate([np.ones((len(each), 1)), filled, np.isnan(each)], axis=1)
        goals.append(filled[1:])
        guesses.append(features[:-1] @ weights)
    actual, guessed = np.concatenate(goals), np.concatenate(guesses)
    errors = ((actual - guessed) ** 2).sum(axis=0) / ((actual - actual.mean(axis=0)) ** 2).sum(axis=0)
    assert sums.explained(weights, chosen) == pytest.approx(np.mean(1 - errors))


def test_fresh_subjects_are_near_and_random_order_is_far() -> None:
    synthetic, flat = visits(300, 3), visits(300, 4, kept=0.0)
    context = context_of(visits(300, 0), synthetic)
    candidates = subject_metrics.MEASURE.candidates(context, synthetic)
    assert set(candidates) == {"synthetic", "ceiling", "floor"}
    found = {name: subject_metrics.correlation_metrics(*candidate) for name, candidate in candidates.items()}
    for metric in ("sequence_autocorrelation", "sequence_cross_correlation"):
        assert found["synthetic"][metric].high < found["floor"][metric].low
        assert found["ceiling"][metric].value < 0.1
        assert (
            subject_metrics.correlation_metrics(context, of(flat))[metric].low > found["ceiling"][metric].high
        )
    skills = {
        name: subject_metrics.forecast_metric(*candidate)["sequence_next_record"]
        for name, candidate in subject_metrics.FORECAST_MEASURE.candidates(context, synthetic).items()
    }
    # Of the next pulse KEPT squared is known, and of the next dose everything but where the pulse is missing.
    assert skills["ceiling"].value == pytest.approx((KEPT**2 + 1) / 2, abs=0.08)
    assert skills["synthetic"].value == pytest.approx(skills["ceiling"].value, abs=0.02)
    assert skills["floor"].high < skills["synthetic"].low


def test_large_steps_that_follow_large_ones_are_seen() -> None:
    def calm_or_wild(seed: int, clustered: bool) -> pd.DataFrame:
        table = visits(80, seed).sort_values(["patient", "visit"]).reset_index(drop=True)
        random = np.random.default_rng(seed)
        wild = random.random(80).repeat(9) < 0.5 if clustered else random.random(720) < 0.5
        table["pulse"] = random.normal(size=720) * np.where(wild, 4.0, 0.5)
        return table

    train, fresh = calm_or_wild(0, clustered=True), calm_or_wild(5, clustered=True)
    context = context_of(train, fresh)
    near = subject_metrics.correlation_metrics(context, of(fresh))
    far = subject_metrics.correlation_metrics(context, of(calm_or_wild(6, clustered=False)))
    assert near["sequence_volatility"].high < far["sequence_volatility"].low


def test_random_order_keeps_times_and_records() -> None:
    train = visits(30, 0)
    moved = shuffled_in_time(of(train), SCHEMA, 0).table
    assert (moved["visit"] == train["visit"]).all()
    assert (moved["patient"] == train["patient"]).all()
    assert (moved["dose"] != train["dose"]).any()
    for name in ("pulse", "dose"):
        for patient, cells in train.groupby("patient")[name]:
            other = moved.loc[moved["patient"] == patient, name]
            assert sorted(cells.dropna()) == sorted(other.dropna())


def test_what_has_no_order_in_time_is_named() -> None:
    train = visits(30, 0)
    fixed = Schema(SCHEMA.fields[:3], SCHEMA.sequence)
    for context, words in (
        (context_of(train, train, Schema(SCHEMA.fields)), "records are not sequences (data.sequence)"),
        (context_of(train, train, fixed), "no number or date changes"),
        (context_of(train, train, others=3), "only 6 subjects on the smallest side"),
        (replace(context_of(train, train), synthetic_subjects=None), "a table lacks the column 'patient'"),
    ):
        found = subject_metrics.MEASURE.obstacle(context)
        assert found is not None
        assert found.reason.startswith(words)


def test_an_evaluation_measures_the_sequences_of_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("train", "control", "test", "synthetic")
    tables = {name: visits(30, seed) for seed, name in enumerate(names)}
    contexts = []

    def only_sequences(context: Context, synthetic: pd.DataFrame, **_: object) -> tuple[list, dict]:
        contexts.append(context)
        return [], {}

    monkeypatch.setattr(measure_tables, "measure_all", only_sequences)
    settings = Evaluate(bootstrap=100, repeats=1, attacks=[])
    measure_tables.measure(
        train=tables["train"],
        control=tables["control"],
        test=tables["test"],
        synthetic=tables["synthetic"],
        schema=SCHEMA,
        subject="patient",
        settings=settings,
    )
    (context,) = contexts
    assert len(np.unique(context.synthetic_subjects)) == 30
    measures = (subject_metrics.MEASURE, subject_metrics.FORECAST_MEASURE)
    results, missing = measure_all(context, tables["synthetic"], measures)
    assert not missing
    assert [result.metric for result in results] == [
        metric for measure in measures for metric in measure.metrics
    ]
    assert all(set(result.estimates) == {"synthetic", "ceiling", "floor"} for result in results)

"""Records of subjects in time: autocorrelation, cross-correlation, clustering of large steps, and next-record forecasts.

The ceiling are held-out subjects, or train itself where a forecaster learns; the floor are training records in which those of each
subject are in random order.
"""

from __future__ import annotations

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import FEWEST_ROWS, Anchor, Estimate, Metric, Obstacle
from paracosm.eval.measuring.readings import interpret_distance, interpret_share
from paracosm.eval.sequences.subject_sequences import (
    ForecastSums,
    LaggedSums,
    Scale,
    SubjectRecords,
    changing_fields,
    matrices,
    shuffled_in_time,
)

Anchored = dict[Anchor, tuple[Context, SubjectRecords]]
AUTOCORRELATION = Metric(
    name="sequence_autocorrelation",
    title="Autocorrelation distance (sequences)",
    section="fidelity",
    goal="down",
    range=(0.0, 2.0),
    source="Box & Jenkins 1970; distance of autocorrelations, as in Yoon et al. 2019, Time-series GAN",
    what="How far the correlation of a value with the later ones of the same subject is from that of real subjects.",
    formula="mean over columns and lags of 1 to 3 records of |r in the candidate - r in train|",
    read=interpret_distance,
    unit="plain",
)
CROSS_CORRELATION = Metric(
    name="sequence_cross_correlation",
    title="Cross-correlation distance (sequences)",
    section="fidelity",
    goal="down",
    range=(0.0, 2.0),
    source="Box & Jenkins 1970; distance of cross-correlations with delay",
    what="How far the correlation of one column with later values of another one is from that of real subjects.",
    formula="mean over pairs of different columns and lags of 1 to 3 records of |r in the candidate - r in train|",
    read=interpret_distance,
    unit="plain",
)
VOLATILITY = Metric(
    name="sequence_volatility",
    title="Volatility clustering distance (sequences)",
    section="fidelity",
    goal="down",
    range=(0.0, 2.0),
    source="Mandelbrot 1963; autocorrelation of absolute steps, as in Cont 2001",
    what="How far large changes follow large ones of the same subject as often as they do for real subjects.",
    formula="mean over columns and lags of |r of absolute steps in the candidate - r in train|",
    read=interpret_distance,
    unit="plain",
)
NEXT_RECORD = Metric(
    name="sequence_next_record",
    title="Next-record forecast: TSTR R squared (sequences)",
    section="utility",
    goal="up",
    range=(-np.inf, 1.0),
    source="Esteban et al. 2017, TSTR; Yoon et al. 2019, Time-series GAN, predictive score",
    what="How much of the next record of held-out subjects a linear forecaster explains that learnt on the synthetic ones.",
    formula="mean over columns of R squared on control and test; ridge regression on the record before",
    read=interpret_share,
)


def correlation_metrics(context: Context, candidate: SubjectRecords) -> dict[str, Estimate]:
    """Return the distances of correlations over time between a candidate and train."""
    from paracosm.eval.statistics.jackknife import jackknifed

    scale = _scale(context)
    seed = context.settings.seed
    estimates: dict[str, Estimate] = {}
    of_train = context.once("sequences of train", lambda: matrices(_train(context), context.schema, scale))
    of_candidate = matrices(candidate, context.schema, scale)
    values = [LaggedSums.of(side) for side in (of_candidate, of_train)]
    steps = [
        LaggedSums.of([_sizes(each) for each in side if len(each) > 2]) for side in (of_candidate, of_train)
    ]
    same = np.eye(len(scale.fields), dtype=bool)
    for metric, sides, pairs in (
        (AUTOCORRELATION, values, same),
        (CROSS_CORRELATION, values, ~same),
        (VOLATILITY, steps, same),
    ):
        counts = (len(sides[0].sums), len(sides[1].sums))
        if not pairs.any() or min(counts) < FEWEST_ROWS:
            continue
        first, second = sides

        def distance(
            a: np.ndarray,
            b: np.ndarray,
            first: LaggedSums = first,
            second: LaggedSums = second,
            pairs: np.ndarray = pairs,
        ) -> float:
            difference = first.correlations(a) - second.correlations(b)
            return float(np.abs(difference[:, pairs]).mean())

        estimates[metric.name] = jackknifed(distance, counts, seed, (0.0, 2.0))
    return estimates


def _sizes(values: np.ndarray) -> np.ndarray:
    """Return the absolute steps of a subject's records: (records - 1, columns)."""
    return np.abs(np.diff(values, axis=0))


def forecast_metric(context: Context, candidate: SubjectRecords) -> dict[str, Estimate]:
    """Return how well a forecaster that learnt on a candidate predicts the next records of held-out subjects."""
    from paracosm.eval.statistics.jackknife import jackknifed

    scale = _scale(context)
    unseen = context.once(
        "sums of held-out sequences",
        lambda: ForecastSums.of(_several(matrices(_held_out(context), context.schema, scale))),
    )
    sequences = _several(matrices(candidate, context.schema, scale))
    if min(len(sequences), len(unseen.count)) < FEWEST_ROWS:
        return {}
    learnt = ForecastSums.of(sequences)
    counts = (len(learnt.count), len(unseen.count))
    return {
        NEXT_RECORD.name: jackknifed(
            lambda a, b: unseen.explained(learnt.fitted(a), b), counts, context.settings.seed, (-np.inf, 1.0)
        )
    }


def _several(sequences: list[np.ndarray]) -> list[np.ndarray]:
    """Return the sequences of at least two records."""
    return [each for each in sequences if len(each) > 1]


def _scale(context: Context) -> Scale:
    return context.once("scale of sequences", lambda: Scale.of(context.schema, context.train))


def _train(context: Context) -> SubjectRecords:
    return SubjectRecords(context.train, context.subjects["train"])


def _held_out(context: Context) -> SubjectRecords:
    splits = ("control",) if context.test is None else ("control", "test")
    return SubjectRecords(context.held_out, np.concatenate([context.subjects[split] for split in splits]))


def _shuffled(context: Context) -> SubjectRecords:
    return context.once(
        "records in random order",
        lambda: shuffled_in_time(_train(context), context.schema, context.settings.seed),
    )


def _anchored(context: Context, synthetic: pd.DataFrame, ceiling: SubjectRecords) -> Anchored:
    assert context.synthetic_subjects is not None
    made = SubjectRecords(synthetic, context.synthetic_subjects)
    return {
        "synthetic": (context, made),
        "ceiling": (context, ceiling),
        "floor": (context, _shuffled(context)),
    }


def _compared(context: Context, synthetic: pd.DataFrame) -> Anchored:
    return _anchored(context, synthetic, _held_out(context))


def _learnt_on(context: Context, synthetic: pd.DataFrame) -> Anchored:
    return _anchored(context, synthetic, _train(context))


def _obstacle(context: Context) -> Obstacle | None:
    """Return why records have no order in time that could be measured, or None."""
    sequence = context.schema.sequence
    if sequence is None:
        return Obstacle("records are not sequences (data.sequence)", curable=False)
    if not changing_fields(context.schema):
        return Obstacle("no number or date changes between the records of a subject", curable=False)
    if not context.subjects or context.synthetic_subjects is None:
        return Obstacle(f"a table lacks the column {sequence.subject!r} of the subjects", curable=False)
    sides = (_train(context), _held_out(context))
    fewest = min(len(np.unique(side.subjects)) for side in sides)
    if fewest < FEWEST_ROWS:
        return Obstacle(f"only {fewest} subjects on the smallest side; at least {FEWEST_ROWS} are needed")
    return None


SHORT = Obstacle(f"fewer than {FEWEST_ROWS} subjects have enough records, or there is one column alone")
MEASURE = Measure(
    correlation_metrics,
    (AUTOCORRELATION, CROSS_CORRELATION, VOLATILITY),
    _compared,
    _obstacle,
    absent=SHORT,
)
FORECAST_MEASURE = Measure(forecast_metric, (NEXT_RECORD,), _learnt_on, _obstacle, absent=SHORT)

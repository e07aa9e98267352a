"""How a series behaves in time: autocorrelation, cross-correlation, spectrum, volatility clustering, and next-step forecasts."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

LAGS = 24
CROSS_LAGS = 5
BANDS = 20
FORECAST_LAGS = 6


@dataclass(frozen=True)
class SequenceMetric:
    """A metric of one stretch of a series against another one.

    Attributes:
        name: identifier.
        what: one sentence.
        higher_is_better: else it is a distance.
        measure: of a stretch (first argument) against the real one that the method was fitted to, in steps (differences), with
            the real later stretch last; all (steps, columns).
    """

    name: str
    what: str
    higher_is_better: bool
    measure: Callable[[np.ndarray, np.ndarray, np.ndarray], float]


def autocorrelations(column: np.ndarray, lags: int) -> np.ndarray:
    """Return the autocorrelation of a column at lags 1 to `lags`; 0 where it is constant."""
    centred = column - column.mean()
    total = float(centred @ centred)
    if total == 0:
        return np.zeros(lags)
    return np.array([centred[lag:] @ centred[:-lag] / total for lag in range(1, lags + 1)])


def _lags(*parts: np.ndarray) -> int:
    return max(1, min(LAGS, min(map(len, parts)) // 3))


def acf_distance(stretch: np.ndarray, real: np.ndarray, later: np.ndarray) -> float:
    """Return the mean absolute difference of autocorrelations over lags and columns."""
    lags = _lags(stretch, real)
    pairs = zip(stretch.T, real.T, strict=True)
    return float(np.mean([np.abs(autocorrelations(a, lags) - autocorrelations(b, lags)) for a, b in pairs]))


def volatility_distance(stretch: np.ndarray, real: np.ndarray, later: np.ndarray) -> float:
    """Return the same of the sizes of steps: whether large steps follow large ones."""
    return acf_distance(_sizes(stretch), _sizes(real), later)


def _sizes(steps: np.ndarray) -> np.ndarray:
    return np.abs(steps - steps.mean(axis=0))


def cross_distance(stretch: np.ndarray, real: np.ndarray, later: np.ndarray) -> float:
    """Return the mean absolute difference of correlations of two columns, at lags from -5 to 5."""
    return float(np.mean(np.abs(_crossed(stretch) - _crossed(real))))


def _crossed(steps: np.ndarray) -> np.ndarray:
    spread = steps.std(axis=0)
    standard = (steps - steps.mean(axis=0)) / np.where(spread > 0, spread, 1.0)
    found = []
    for lag in range(CROSS_LAGS + 1):
        crossed = standard[lag:].T @ standard[: len(standard) - lag] / len(standard)
        found.append(crossed[~np.eye(len(crossed), dtype=bool)])
    return np.concatenate(found)


def spectrum_distance(stretch: np.ndarray, real: np.ndarray, later: np.ndarray) -> float:
    """Return the total variation distance of the shares of variance in bands of frequencies, the mean over columns."""
    pairs = zip(stretch.T, real.T, strict=True)
    return float(np.mean([np.abs(_spectrum(a) - _spectrum(b)).sum() / 2 for a, b in pairs]))


def _spectrum(column: np.ndarray) -> np.ndarray:
    power = np.abs(np.fft.rfft(column - column.mean()))[1:] ** 2
    frequencies = np.arange(1, len(power) + 1) / len(power)
    bands = np.bincount(np.minimum((frequencies * BANDS).astype(int), BANDS - 1), power, BANDS)
    return bands / max(bands.sum(), 1e-300)


def forecast_skill(stretch: np.ndarray, real: np.ndarray, later: np.ndarray) -> float:
    """Return how well a forecaster of the next step that learnt on a stretch predicts the later real one: R squared (TSTR)."""
    from sklearn.linear_model import RidgeCV

    if len(later) <= 2 * FORECAST_LAGS or len(stretch) <= 2 * FORECAST_LAGS:
        return float("nan")
    (features, goals), (unseen, actual) = _windows(stretch), _windows(later)
    predicted = np.asarray(RidgeCV(np.logspace(-4, 2, 13)).fit(features, goals).predict(unseen)).reshape(
        actual.shape
    )
    usual = ((actual - actual.mean(axis=0)) ** 2).sum()
    return float(1 - ((actual - predicted) ** 2).sum() / usual) if usual > 0 else float("nan")


def _windows(steps: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    views = np.lib.stride_tricks.sliding_window_view(steps, FORECAST_LAGS, axis=0)[:-1]
    return views.reshape(len(views), -1), steps[FORECAST_LAGS:]


METRICS = (
    SequenceMetric(
        "autocorrelation",
        "How far the autocorrelations of steps are from the real ones.",
        False,
        acf_distance,
    ),
    SequenceMetric(
        "cross_correlation",
        "How far the correlations of columns, also with delays, are from the real ones.",
        False,
        cross_distance,
    ),
    SequenceMetric(
        "spectrum",
        "How much variance lies at other frequencies than in the real series.",
        False,
        spectrum_distance,
    ),
    SequenceMetric(
        "volatility",
        "How far the clustering of large steps is from the real one.",
        False,
        volatility_distance,
    ),
    SequenceMetric(
        "next_step",
        "R squared on the later real stretch of a forecaster that learnt on this one.",
        True,
        forecast_skill,
    ),
)


@dataclass(frozen=True)
class Measured:
    """One metric: of the paths, with the range of 95% of them, of the later real stretch, and of the steps in random order."""

    metric: SequenceMetric
    value: float
    low: float
    high: float
    ceiling: float
    floor: float


def steps_of(values: np.ndarray) -> np.ndarray:
    """Return differences of neighbouring steps, of logarithms where all values of a column are positive."""
    positive = (values > 0).all(axis=0)
    return np.diff(np.where(positive, np.log(np.where(positive, values, 1.0)), values), axis=0)


def measure_sequences(
    paths: Sequence[np.ndarray], real: np.ndarray, later: np.ndarray, *, seed: int = 0
) -> list[Measured]:
    """Measure paths of a series against the stretch that the method was fitted to.

    Args:
        paths: (steps, columns) each.
        real: the stretch that the method was fitted to.
        later: the real stretch after it: the ceiling, and what next steps are forecast on.
        seed: of the random order of the floor.
    """
    random = np.random.default_rng([seed, 3])
    of_real, of_later = steps_of(real), steps_of(later)
    shuffled = [of_real[random.permutation(len(of_real))] for _ in range(len(paths))]
    found = []
    for metric in METRICS:
        if metric.name == "cross_correlation" and real.shape[1] == 1:
            continue
        values = np.array([metric.measure(steps_of(path), of_real, of_later) for path in paths])
        # A forecaster that learnt on the real stretch itself is the best that can be expected on the later one.
        best = of_real if metric.name == "next_step" else of_later
        ceiling = metric.measure(best, of_real, of_later)
        floor = float(np.mean([metric.measure(each, of_real, of_later) for each in shuffled]))
        low, high = np.quantile(values, [0.025, 0.975])
        found.append(Measured(metric, float(values.mean()), float(low), float(high), ceiling, floor))
    return found

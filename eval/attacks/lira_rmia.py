"""Membership scores from shadow models: LiRA (Carlini et al. 2022) and RMIA (Zarifzadeh et al. 2024).

A shadow model is trained like the target model, but on a random half of all real records, so that for every record
some shadows trained on it and some did not. A member of the target model's training records is more likely under the
target model than under the shadows that did not train on it. No formula here uses who is a member.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import polygamma

from paracosm.eval.statistics.weighted_scores import weighted_auc

PROBABILITY_MARGIN = 1e-6
"""Geometric mean probabilities are clipped to this distance from 0 and 1."""
A_WITHOUT_SHADOWS = 0.3
"""The `a` of RMIA where the base model is the only reference and nothing can be tuned on."""
A_CANDIDATES = tuple(np.linspace(0.0, 1.0, 11))
FEWEST_VARIANCES = 20
LEAST_VARIANCE = 1e-12


@dataclass(frozen=True)
class ShadowLikelihoods:
    """Likelihoods of the targets under the shadow models (arrays: shadows x targets)."""

    mean_log_probability: np.ndarray
    """Mean log probability of the target's decisions."""
    trained_on: np.ndarray
    """Whether the shadow model trained on the target."""

    def select(self, targets: np.ndarray) -> "ShadowLikelihoods":
        """Return the same for some of the targets."""
        return ShadowLikelihoods(self.mean_log_probability[:, targets], self.trained_on[:, targets])


def lira_scores(means: np.ndarray, shadows: ShadowLikelihoods, known: np.ndarray) -> dict[str, np.ndarray]:
    """Return `lira_offline` and `lira` (Carlini et al. 2022, sections V and VI), higher for members.

    The confidence of a model in a record is the logit of the geometric mean probability of its decisions. A record's
    confidence under shadows that did not train on it is modelled as Gaussian: `lira_offline` is the number of standard
    deviations by which the target model exceeds it. `lira` is the log ratio of the densities under shadows that did and
    did not train on it.

    With few shadows a record's own variance is mostly noise, so it is shrunk towards that of all records as far as
    these resemble each other (Smyth 2004, Linear models and empirical Bayes methods). Where they all do, this is the
    fixed variance that the paper takes below 64 shadows.

    Args:
        means: mean log probability of each target's decisions under the target model.
        shadows: the same under the shadows; at least two trained on each target and two did not.
        known: mask of targets that are known not to have trained the target model.
    """
    target, reference = confidence(means), confidence(shadows.mean_log_probability)
    (mean_out, deviation_out), (mean_in, deviation_in) = (
        _gaussians(reference, chosen) for chosen in (~shadows.trained_on, shadows.trained_on)
    )
    # Shadows train on fewer records than the target model did, which shifts all confidences alike. Members would shift more.
    target = target - np.median((target - mean_out)[known])
    return {
        "lira_offline": (target - mean_out) / deviation_out,
        "lira": _log_density(target, mean_in, deviation_in) - _log_density(target, mean_out, deviation_out),
    }


def rmia_scores(
    means: np.ndarray, base: np.ndarray, known: np.ndarray, shadows: ShadowLikelihoods | None
) -> np.ndarray:
    """Return the share of non-members whose likelihood ratio a target reaches (Zarifzadeh et al. 2024, offline RMIA).

    Ratio: probability under the target model over that in the population, which is estimated from models that did not
    train on the record: `((1 + a) p + 1 - a) / 2` with p the mean probability under them. These are the shadows that
    left it out, or the base model where there are no shadows. `a` is 0.3 for the base model alone; with shadows it is
    the one with which the other shadows best tell what the first one trained on. A probability is the geometric mean
    over decisions.

    Args:
        means: mean log probability of each target's decisions under the target model.
        base: the same under its base model.
        known: mask of the targets that serve as the population, because they are known not to have trained; each of them is
            ranked among the others.
        shadows: the same under shadows.
    """
    target = np.exp(means)
    if shadows is None:
        ratios = target / _population(np.exp(base), A_WITHOUT_SHADOWS)
    else:
        reference = np.exp(shadows.mean_log_probability)
        a = _a_from_first_shadow(reference, shadows.trained_on)
        ratios = target / _population(_mean_where(reference, ~shadows.trained_on), a)
    population = np.sort(ratios[known])
    reached = np.searchsorted(population, ratios, side="right") - known
    return reached / np.maximum(1, len(population) - known)


def confidence(means: np.ndarray) -> np.ndarray:
    """Return the logit of the geometric mean probability, which is closer to Gaussian than its logarithm."""
    probability = np.exp(means).clip(PROBABILITY_MARGIN, 1 - PROBABILITY_MARGIN)
    return np.log(probability) - np.log1p(-probability)


def _gaussians(values: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the moderated standard deviation of each column's chosen values."""
    mean, count = _mean_where(values, chosen), chosen.sum(axis=0)
    squares = np.where(chosen, (values - mean) ** 2, 0.0).sum(axis=0)
    return mean, np.sqrt(_moderated_variances(squares / (count - 1), count - 1))


def _moderated_variances(variances: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """Return variances shrunk towards a common one, fully where they differ no more than by chance (Smyth 2004)."""
    common = float(np.average(variances, weights=freedom))
    logs = np.log(np.maximum(variances, LEAST_VARIANCE * max(common, LEAST_VARIANCE)))
    surplus = (
        float(logs.var(ddof=1) - polygamma(1, freedom / 2).mean()) if len(logs) >= FEWEST_VARIANCES else 0.0
    )
    # trigamma(x) is about 1 / x + 1 / (2 x^2), solved for x: half of the common variance's degrees of freedom.
    weight = np.inf if surplus <= 0 else (1 + np.sqrt(1 + 2 * surplus)) / surplus
    if np.isinf(weight):
        return np.full(len(variances), max(common, LEAST_VARIANCE))
    return np.maximum((weight * common + freedom * variances) / (weight + freedom), LEAST_VARIANCE)


def _log_density(values: np.ndarray, mean: np.ndarray, deviation: np.ndarray) -> np.ndarray:
    """Return the log density of a Gaussian, up to a constant."""
    return -(((values - mean) / deviation) ** 2) / 2 - np.log(deviation)


def _mean_where(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return np.where(chosen, values, 0.0).sum(axis=0) / chosen.sum(axis=0)


def _population(outside: np.ndarray, a: float) -> np.ndarray:
    return np.maximum(((1 + a) * outside + 1 - a) / 2, PROBABILITY_MARGIN)


def _a_from_first_shadow(probability: np.ndarray, trained_on: np.ndarray) -> float:
    """Return the `a` with which the other shadows best tell what the first shadow trained on."""
    first, others, labels = probability[0], probability[1:], trained_on[0]
    outside = _mean_where(others, ~trained_on[1:])
    once = np.ones((1, len(labels)))
    aucs = [float(weighted_auc(first / _population(outside, a), labels, once)[0]) for a in A_CANDIDATES]
    return A_CANDIDATES[int(np.argmax(aucs))]

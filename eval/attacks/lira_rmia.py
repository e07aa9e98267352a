"""Membership from shadow adapters: is a record likelier under the attacked adapter than where it is known not to have trained?

A shadow adapter is trained as the attacked one was, on a random half of all real records, so that for every record there
are shadows that saw it and shadows that did not. No formula here asks who is a member of the attacked adapter's train.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import polygamma

from paracosm.eval.statistics.weighted_scores import weighted_auc

LEAST_DOUBT = 1e-6
"""Geometric mean probabilities are kept so far from 0 and 1."""
ALONE = 0.3
"""How the population's density is guessed from a reference alone, where no shadow tells how far a member stands out."""
SHARES = tuple(np.linspace(0.0, 1.0, 11))
FEWEST_SPREADS = 20


@dataclass(frozen=True)
class Shadows:
    """What shadow adapters say of the targets (arrays: shadows x targets)."""

    likelihood: np.ndarray
    """Mean log probability of the target's decisions."""
    inside: np.ndarray
    """Whether the target was among the records that the shadow learnt."""

    def of(self, rows: np.ndarray) -> "Shadows":
        """Return the same for some of the targets."""
        return Shadows(self.likelihood[:, rows], self.inside[:, rows])


def likelihood_ratio_scores(means: np.ndarray, shadows: Shadows) -> dict[str, np.ndarray]:
    """Return `lira_offline` and `lira` (Carlini et al. 2022, sections V and VI), higher for members.

    The confidence of a model in a record is the logit of the geometric mean probability of its decisions. A record's
    confidence under shadows that did not learn it is taken for Gaussian: `lira_offline` is by how many deviations the
    attacked adapter lies above. `lira` is the log ratio of the densities under shadows that did and did not learn it.

    With few shadows a record's own variance is mostly noise, so it is drawn towards that of all records as far as these
    resemble each other (Smyth 2004, Linear models and empirical Bayes methods); where they all do, this is the fixed
    variance that the paper takes below 64 shadows.

    Args:
        means: mean log probability of each target's decisions under the attacked adapter.
        shadows: the same under the shadows, at least two of which learnt each target and two of which did not.
    """
    ours, theirs = confidence(means), confidence(shadows.likelihood)
    (middle_out, spread_out), (middle_in, spread_in) = (
        _gaussians(theirs, chosen) for chosen in (~shadows.inside, shadows.inside)
    )
    # Shadows learn fewer records than the attacked adapter did, which moves all confidences alike.
    ours = ours - np.median(ours - (middle_in + middle_out) / 2)
    return {
        "lira_offline": (ours - middle_out) / spread_out,
        "lira": _log_density(ours, middle_in, spread_in) - _log_density(ours, middle_out, spread_out),
    }


def relative_scores(
    means: np.ndarray, base: np.ndarray, strangers: np.ndarray, shadows: Shadows | None
) -> np.ndarray:
    """Return the share of strangers whose likelihood ratio a target's reaches (Zarifzadeh et al. 2024, RMIA, offline).

    Ratio: probability under the attacked adapter over that in the population, which is guessed from models that did not
    learn the record: `((1 + a) p + 1 - a) / 2` with p the mean probability under them. These are the shadows that left it
    out, and where there are none the base model. `a` is 0.3 for the base alone; with shadows it is the one by
    which the other shadows best tell what the first of them learnt. A probability is the geometric mean over decisions.

    Args:
        means: mean log probability of each target's decisions under the attacked adapter.
        base: the same under its base model.
        strangers: which targets stand for the population.
        shadows: the same under shadows.
    """
    ours = np.exp(means)
    if shadows is None:
        ratios = ours / _population(np.exp(base), ALONE)
    else:
        theirs = np.exp(shadows.likelihood)
        share = _share_told_by_first(theirs, shadows.inside)
        ratios = ours / _population(_mean_where(theirs, ~shadows.inside), share)
    known = np.sort(ratios[strangers])
    return np.searchsorted(known, ratios, side="right") / max(1, len(known))


def confidence(means: np.ndarray) -> np.ndarray:
    """Return the logit of the geometric mean probability, which is closer to Gaussian than its logarithm."""
    share = np.exp(means).clip(LEAST_DOUBT, 1 - LEAST_DOUBT)
    return np.log(share) - np.log1p(-share)


def _gaussians(values: np.ndarray, chosen: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the mean and the moderated deviation of each column's chosen values."""
    middle, count = _mean_where(values, chosen), chosen.sum(axis=0)
    squares = np.where(chosen, (values - middle) ** 2, 0.0).sum(axis=0)
    return middle, np.sqrt(_moderated(squares / (count - 1), count - 1))


def _moderated(variances: np.ndarray, freedom: np.ndarray) -> np.ndarray:
    """Return variances drawn towards a common one, as far as they differ no more than chance would have it."""
    common = float(np.average(variances, weights=freedom))
    logs = np.log(np.maximum(variances, 1e-12 * max(common, 1e-12)))
    surplus = (
        float(logs.var(ddof=1) - polygamma(1, freedom / 2).mean()) if len(logs) >= FEWEST_SPREADS else 0.0
    )
    # trigamma(x) is about 1 / x + 1 / (2 x^2), solved for x: half of the common variance's degrees of freedom.
    weight = np.inf if surplus <= 0 else (1 + np.sqrt(1 + 2 * surplus)) / surplus
    if np.isinf(weight):
        return np.full(len(variances), max(common, 1e-12))
    return np.maximum((weight * common + freedom * variances) / (weight + freedom), 1e-12)


def _log_density(values: np.ndarray, middle: np.ndarray, spread: np.ndarray) -> np.ndarray:
    return -(((values - middle) / spread) ** 2) / 2 - np.log(spread)


def _mean_where(values: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    return np.where(chosen, values, 0.0).sum(axis=0) / chosen.sum(axis=0)


def _population(outside: np.ndarray, share: float) -> np.ndarray:
    return np.maximum(((1 + share) * outside + 1 - share) / 2, LEAST_DOUBT)


def _share_told_by_first(probability: np.ndarray, inside: np.ndarray) -> float:
    """Return the `a` with which the other shadows best tell what the first shadow learnt."""
    first, others, labels = probability[0], probability[1:], inside[0]
    outside = _mean_where(others, ~inside[1:])
    once = np.ones((1, len(labels)))
    aucs = [float(weighted_auc(first / _population(outside, each), labels, once)[0]) for each in SHARES]
    return SHARES[int(np.argmax(aucs))]

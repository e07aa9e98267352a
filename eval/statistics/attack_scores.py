"""Membership inference statistics: AUC and true positive rate at a low false positive rate of the strongest attack.

An attack gives every target a score, higher for likely members. The strongest of several attacks is selected on one
half of the targets and evaluated on the other half, and vice versa, so that the selection causes no bias.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from paracosm.eval.measuring.metric import NORMAL_95, Estimate
from paracosm.eval.statistics.intervals import wilson
from paracosm.eval.statistics.weighted_scores import weighted_auc
from paracosm.recipes.sections.evaluate import Evaluate

RATES = (0.01, 0.05)
"""False positive rates at which the true positive rate is always measured; that of the metric lies between them."""
PASSED = 5
"""Non-members that pass the threshold of the metric. A lower rate gives a narrower interval of TPR - FPR, and finds the few who are
surely named; a threshold that fewer pass would be one record's."""
MOST_RESAMPLES = 1000
CURVE_POINTS = 60
FEWEST_HIGHEST = 256
"""Highest scores among which the threshold of a low rate is searched first."""


@dataclass(frozen=True)
class Targets:
    """The targets of several attacks, members first, then non-members.

    Attributes:
        scores: attack -> one score for each target.
        members: number of members.
        groups: the subject of each target as a number; None where every record is its own subject.
    """

    scores: Mapping[str, np.ndarray]
    members: int
    groups: np.ndarray | None = None

    @property
    def labels(self) -> np.ndarray:
        """Mask of the members."""
        return np.arange(len(next(iter(self.scores.values())))) < self.members

    @property
    def non_members(self) -> int:
        return len(self.labels) - self.members

    def __post_init__(self) -> None:
        for name, values in self.scores.items():
            if not np.isfinite(values).all():
                raise ValueError(f"the attack {name!r} gives scores that are not finite numbers")


def strongest(targets: Targets, settings: Evaluate, prefix: str) -> dict[str, Estimate]:
    """Return `{prefix}_auc` and `{prefix}_tpr` of the strongest attack.

    The second is the true positive rate minus the false positive rate at which it is measured (five of the non-members,
    between 1% and 5%): 0 for random guessing. The threshold lies between two non-members' scores, so that random
    guessing has exactly this true positive rate in expectation.

    Intervals: bootstrap over subjects on both sides for the AUC. For the rate, Wilson's interval over members combined
    with the bootstrap of the threshold over non-members (Zou & Donner 2008), which is valid at 0 hits too.

    Args:
        targets: with at least two subjects on each side, one for either half.
        settings: seed and number of bootstrap resamples.
        prefix: of the names of the metrics.
    """
    random = np.random.default_rng([settings.seed, 31])
    rate = false_positive_rate(targets.non_members)
    labels, halves = targets.labels, _halves(targets, random)
    ranked = {name: _without_ties(scores, random) for name, scores in targets.scores.items()}
    weights = _resamples(targets, halves, min(settings.bootstrap, MOST_RESAMPLES), random)
    aucs = {
        name: float(weighted_auc(scores, labels, _unit_weights(labels))[0]) for name, scores in ranked.items()
    }
    by_half = [
        np.array([weighted_auc(scores[half], labels[half], weights[:, half]) for scores in ranked.values()])
        for half in halves
    ]
    pairs = (by_half, by_half[::-1])
    fixed, reselected = (
        np.mean([auc(*pair) for pair in pairs], axis=0) for auc in (_auc_fixed_choice, _auc_resampled_choice)
    )
    chosen = [list(ranked)[int(np.argmax(half[:, 0]))] for half in by_half]
    facts = {
        "members": targets.members,
        "others": targets.non_members,
        "attack": chosen[0] if chosen[0] == chosen[1] else f"{chosen[0]} and {chosen[1]}",
    }
    curve = roc_curve(ranked[max(aucs, key=aucs.__getitem__)], labels)
    tprs = {fpr: _tpr_of_strongest(ranked, labels, halves, weights, fpr, facts) for fpr in {*RATES, rate}}
    at_both = {
        f"named_beyond_{fpr:.0%}": [round(bound, 4) for bound in (tpr.value, tpr.low, tpr.high)]
        for fpr, tpr in tprs.items()
        if fpr in RATES
    }
    tprs[rate].facts.update(at_both)
    return {
        f"{prefix}_auc": _auc_estimate(fixed, reselected, aucs, facts, curve),
        f"{prefix}_tpr": tprs[rate],
    }


def false_positive_rate(non_members: int) -> float:
    """Return the false positive rate at which so many non-members allow the true positive rate to be measured."""
    return float(np.clip(PASSED / non_members, *RATES))


def _auc_fixed_choice(choose: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return the AUC in each resample, of the attack that is strongest on the other half without resampling.

    Args:
        choose: AUCs on the half that the attack is selected on (attacks x resamples; the first is not resampled).
        score: AUCs on the other half.
    """
    return score[int(np.argmax(choose[:, 0]))]


def _auc_resampled_choice(choose: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return the AUC in each resample, of the attack that is strongest on the other half of the same resample."""
    return np.take_along_axis(score, np.argmax(choose, axis=0)[None, :], axis=0)[0]


def _tpr_of_strongest(
    ranked: Mapping[str, np.ndarray],
    labels: np.ndarray,
    halves: tuple[np.ndarray, np.ndarray],
    weights: np.ndarray,
    rate: float,
    facts: dict[str, object],
) -> Estimate:
    """Return the true positive rate of the strongest attack at a false positive rate, minus that rate."""
    alone = {
        name: float(tpr_at(scores, labels, _unit_weights(labels), rate)[0]) for name, scores in ranked.items()
    }
    parts = []
    for choose, score in (halves, halves[::-1]):
        best = max(ranked, key=lambda name: _tpr(ranked[name], labels, choose, rate))
        parts.append(_rate_parts(ranked[best][score], labels[score], weights[:, score], rate))
    return _rate_estimate(parts, rate, int(labels.sum()), alone, facts)


def _auc_estimate(
    fixed: np.ndarray,
    reselected: np.ndarray,
    breakdown: dict[str, float],
    facts: dict[str, object],
    curve: list[list[float]],
) -> Estimate:
    """Return the AUC, the mean over both halves, with its interval.

    Each half selects the attack that is evaluated on the other, so the two vary together. With one selection for all
    resamples the variance is too small (11% of null draws of texts are rejected), with a selection in each resample too
    large (1.5%), since resamples select among attacks that are extreme by chance already. The mean of both variances is
    right; see bench/evaluation/calibration.py.

    Args:
        fixed: AUC in each resample with one selection for all; the first is not resampled.
        reselected: the same with a selection in each resample.
        breakdown: AUC of each attack.
        facts: of the estimate.
        curve: points of the ROC curve.
    """
    value = float(fixed[0])
    variances = [float(np.var(aucs[1:], ddof=1)) for aucs in (fixed, reselected)]
    margin = NORMAL_95 * float(np.sqrt(np.mean(variances)))
    return Estimate(
        value,
        max(0.0, value - margin),
        min(1.0, value + margin),
        breakdown,
        dict(facts),
        {"roc": curve},
    )


def _rate_estimate(
    parts: list[tuple[np.ndarray, np.ndarray]],
    rate: float,
    members: int,
    breakdown: dict[str, float],
    facts: dict[str, object],
) -> Estimate:
    both_sides = np.mean([part[0] for part in parts], axis=0)
    threshold_only = np.mean([part[1] for part in parts], axis=0)
    value = float(both_sides[0])
    low, high = wilson(value * members, members)
    lowest, highest = np.quantile(threshold_only[1:], [0.025, 0.975])
    return Estimate(
        value - rate,
        value - float(np.hypot(value - low, max(0.0, value - lowest))) - rate,
        value + float(np.hypot(high - value, max(0.0, highest - value))) - rate,
        {name: tpr - rate for name, tpr in breakdown.items()},
        dict(facts) | {"false_positive_rate": rate},
    )


def _rate_parts(
    scores: np.ndarray, labels: np.ndarray, weights: np.ndarray, rate: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the true positive rate under resamples of both sides, and of the non-members (the threshold) alone."""
    non_members_only = np.where(labels, 1.0, weights)
    return tpr_at(scores, labels, weights, rate), tpr_at(scores, labels, non_members_only, rate)


def tpr_at(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray, rate: float) -> np.ndarray:
    """Return the true positive rate at a false positive rate, for each row of weights.

    The r-th highest of n non-members' scores as threshold has a false positive rate of r / (n + 1) in expectation.
    Between the two ranks around `rate` (n + 1) the true positive rate is interpolated.

    Args:
        scores: one for each target, without ties.
        labels: mask of the members.
        weights: resamples x targets.
        rate: the false positive rate.
    """
    order = np.argsort(-scores)
    wanted = rate * (weights @ ~labels + 1)
    rank = np.floor(wanted)
    passed, hits = _highest(weights, order, labels, rank + 1)
    lower, upper = (_hits_before(passed, hits, limit) for limit in (rank, rank + 1))
    fraction = wanted - rank
    interpolated = (1 - fraction) * np.where(rank > 0, lower, 0.0) + fraction * upper
    return interpolated / np.maximum(weights @ labels, 1e-12)


def _highest(
    weights: np.ndarray, order: np.ndarray, labels: np.ndarray, ranks: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the cumulative weights of non-members and of members, from the highest score down to the rank that is asked for.

    Only the few highest scores decide a low rate, so that the others are not summed.
    """
    count = min(len(order), FEWEST_HIGHEST)
    while True:
        ordered, member = weights[:, order[:count]], labels[order[:count]]
        passed = np.cumsum(ordered * ~member, axis=1)
        if count == len(order) or (passed[:, -1] >= ranks).all():
            return passed, np.cumsum(ordered * member, axis=1)
        count = min(len(order), 2 * count)


def _hits_before(passed: np.ndarray, hits: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Return the number of members with a score above the non-members' score of this rank."""
    position = (passed < rank[:, None]).sum(axis=1)
    return hits[np.arange(len(hits)), np.minimum(position, hits.shape[1] - 1)]


def roc_curve(scores: np.ndarray, labels: np.ndarray) -> list[list[float]]:
    """Return (false positive rate, true positive rate) points of the ROC curve, dense at low rates for a log axis."""
    order = np.argsort(-scores)
    members = np.concatenate([[0], np.cumsum(labels[order])]) / max(1, labels.sum())
    others = np.concatenate([[0], np.cumsum(~labels[order])]) / max(1, (~labels).sum())
    fewest = 1 / max(1, (~labels).sum())
    rates = np.unique(np.concatenate([np.geomspace(fewest, 1, CURVE_POINTS), [fewest, 1.0]]))
    return [[float(rate), float(members[np.searchsorted(others, rate + 1e-12) - 1])] for rate in rates]


def _tpr(scores: np.ndarray, labels: np.ndarray, part: np.ndarray, rate: float) -> float:
    return float(tpr_at(scores[part], labels[part], _unit_weights(labels[part]), rate)[0])


def _unit_weights(labels: np.ndarray) -> np.ndarray:
    return np.ones((1, len(labels)))


def _without_ties(scores: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return ranks, with equal scores in random order, so that ties favour neither side."""
    ranks = np.empty(len(scores))
    ranks[np.lexsort((random.random(len(scores)), scores))] = np.arange(len(scores))
    return ranks


def _halves(targets: Targets, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of two halves of the targets, each with half of the members; a subject is in one half only."""
    groups = np.arange(len(targets.labels)) if targets.groups is None else targets.groups
    first = np.zeros(len(groups), dtype=bool)
    for side in (targets.labels, ~targets.labels):
        drawn = random.permutation(np.unique(groups[side]))
        first |= side & np.isin(groups, drawn[: len(drawn) // 2])
    return np.flatnonzero(first), np.flatnonzero(~first)


def _resamples(
    targets: Targets, halves: tuple[np.ndarray, np.ndarray], count: int, random: np.random.Generator
) -> np.ndarray:
    """Return weights (resamples x targets) of a bootstrap over subjects; the first row is all ones.

    Subjects are drawn within each half and side, so that no resample of a half lacks members or non-members.
    """
    labels = targets.labels
    groups = np.arange(len(labels)) if targets.groups is None else targets.groups
    weights = np.ones((count + 1, len(labels)))
    for half in halves:
        for rows in (half[labels[half]], half[~labels[half]]):
            subjects, member_of = np.unique(groups[rows], return_inverse=True)
            drawn = random.multinomial(len(subjects), np.full(len(subjects), 1 / len(subjects)), size=count)
            weights[1:, rows] = drawn[:, member_of]
    return weights

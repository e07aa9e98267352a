"""How well scores tell members from others: AUC, true positives at a small false positive rate, the strongest attack.

An attack gives every target a score, higher where it takes the target for a member. The strongest of several attacks
is chosen on one half of the targets and scored on the other, and the other way round, so that choosing costs no bias.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from paracosm.eval.measuring.metric import NORMAL_95, Estimate
from paracosm.eval.statistics.intervals import wilson
from paracosm.eval.statistics.weighted_scores import weighted_auc
from paracosm.recipes.sections.evaluate import Evaluate

RATES = (0.01, 0.05)
"""False positive rates at which members are named."""
ENOUGH_OTHERS = 1000
"""Others below which the rate of false positives is 5% and not 1%."""
MOST_RESAMPLES = 1000
CURVE_POINTS = 60


@dataclass(frozen=True)
class Targets:
    """Members first, then others: their scores under every attack, and whom each is about.

    Attributes:
        scores: attack -> one score a target.
        members: how many of the targets are members.
        groups: the subject of each target as a number; None where every record is its own subject.
    """

    scores: Mapping[str, np.ndarray]
    members: int
    groups: np.ndarray | None = None

    @property
    def labels(self) -> np.ndarray:
        """Which targets are members."""
        return np.arange(len(next(iter(self.scores.values())))) < self.members

    @property
    def others(self) -> int:
        return len(self.labels) - self.members

    def __post_init__(self) -> None:
        for name, values in self.scores.items():
            if not np.isfinite(values).all():
                raise ValueError(f"the attack {name!r} gives scores that are no finite numbers")


def strongest(targets: Targets, settings: Evaluate, prefix: str) -> dict[str, Estimate]:
    """Return `{prefix}_auc` and `{prefix}_tpr` of the strongest attack.

    The second is the true positive rate minus the false positive rate at which it is read, 0 for an attack that knows
    nothing: 1% with at least 1,000 others, else 5%. Its threshold lies between two of the others' scores such that an
    attack that knows nothing expects exactly that rate.

    Each side needs two subjects, one for either half. Intervals: bootstrap over subjects on both sides for the AUC; for the rate, Wilson's interval over members joined
    with the bootstrap of the threshold over others (Zou & Donner 2008), which stays sound at no hit at all.
    """
    random = np.random.default_rng([settings.seed, 31])
    rate = RATES[0] if targets.others >= ENOUGH_OTHERS else RATES[1]
    labels, halves = targets.labels, _halves(targets, random)
    ranked = {name: _without_ties(scores, random) for name, scores in targets.scores.items()}
    weights = _resamples(targets, halves, min(settings.bootstrap, MOST_RESAMPLES), random)
    aucs = {name: float(weighted_auc(scores, labels, _once(labels))[0]) for name, scores in ranked.items()}
    by_half = [
        np.array([weighted_auc(scores[half], labels[half], weights[:, half]) for scores in ranked.values()])
        for half in halves
    ]
    pairs = (by_half, by_half[::-1])
    chosen_once, chosen_anew = (
        np.mean([pick(*pair) for pair in pairs], axis=0) for pick in (_of_strongest, _of_strongest_anew)
    )
    chosen = [list(ranked)[int(np.argmax(half[:, 0]))] for half in by_half]
    facts = {
        "members": targets.members,
        "others": targets.others,
        "attack": chosen[0] if chosen[0] == chosen[1] else f"{chosen[0]} and {chosen[1]}",
    }
    curve = roc_curve(ranked[max(aucs, key=aucs.__getitem__)], labels)
    named = {each: _named(ranked, labels, halves, weights, each, facts) for each in RATES}
    at_both = {
        f"named_beyond_{each:.0%}": [round(bound, 4) for bound in (found.value, found.low, found.high)]
        for each, found in named.items()
    }
    named[rate].facts.update(at_both)
    return {
        f"{prefix}_auc": _auc_estimate(chosen_once, chosen_anew, aucs, facts, curve),
        f"{prefix}_tpr": named[rate],
    }


def _of_strongest(choose: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return, per resample, the AUC on one half of the attack that is strongest on the other before any resampling.

    Args:
        choose: AUCs on the half that the attack is chosen on (attacks x resamples, the first of them all targets once).
        score: the same on the other half.
    """
    return score[int(np.argmax(choose[:, 0]))]


def _of_strongest_anew(choose: np.ndarray, score: np.ndarray) -> np.ndarray:
    """Return the same where each resample chooses for itself."""
    return np.take_along_axis(score, np.argmax(choose, axis=0)[None, :], axis=0)[0]


def _named(
    ranked: Mapping[str, np.ndarray],
    labels: np.ndarray,
    halves: tuple[np.ndarray, np.ndarray],
    weights: np.ndarray,
    rate: float,
    facts: dict[str, object],
) -> Estimate:
    """Return the share of members that the strongest attack names at a false positive rate, beyond that rate."""
    alone = {name: float(tpr_at(scores, labels, _once(labels), rate)[0]) for name, scores in ranked.items()}
    parts = []
    for choose, score in (halves, halves[::-1]):
        best = max(ranked, key=lambda name: _rate(ranked[name], labels, choose, rate))
        parts.append(_rate_parts(ranked[best][score], labels[score], weights[:, score], rate))
    return _rate_estimate(parts, rate, int(labels.sum()), alone, facts)


def _auc_estimate(
    chosen_once: np.ndarray,
    chosen_anew: np.ndarray,
    breakdown: dict[str, float],
    facts: dict[str, object],
    curve: list[list[float]],
) -> Estimate:
    """Return the mean of both halves.

    Each half chooses the attack that the other is read with, so that both vary together: with one choice for all
    resamples the variance is too small (11% of null draws are rejected among texts), with a choice in each too large (1.5%), as
    resamples choose among what is extreme by chance already. Their mean is right; see bench/evaluation/calibration.py.
    """
    value = float(chosen_once[0])
    variances = [float(np.var(each[1:], ddof=1)) for each in (chosen_once, chosen_anew)]
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
    whole = np.mean([each[0] for each in parts], axis=0)
    threshold_moves = np.mean([each[1] for each in parts], axis=0)
    value = float(whole[0])
    low, high = wilson(value * members, members)
    lowest, highest = np.quantile(threshold_moves[1:], [0.025, 0.975])
    return Estimate(
        value - rate,
        value - float(np.hypot(value - low, max(0.0, value - lowest))) - rate,
        value + float(np.hypot(high - value, max(0.0, highest - value))) - rate,
        {name: each - rate for name, each in breakdown.items()},
        dict(facts) | {"false_positive_rate": rate},
    )


def _rate_parts(
    scores: np.ndarray, labels: np.ndarray, weights: np.ndarray, rate: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rate under whole resamples, and under resamples of the others alone."""
    others_only = np.where(labels, 1.0, weights)
    return tpr_at(scores, labels, weights, rate), tpr_at(scores, labels, others_only, rate)


def tpr_at(scores: np.ndarray, labels: np.ndarray, weights: np.ndarray, rate: float) -> np.ndarray:
    """Return the share of members above the threshold that others pass at `rate`, for each row of weights.

    The threshold at rank r from above of n others lets r / (n + 1) of unseen others pass in expectation; between the
    two ranks around `rate` (n + 1) the share is interpolated. Scores must not tie.
    """
    order = np.argsort(-scores)
    ordered, member = weights[:, order], labels[order]
    passed = np.cumsum(ordered * ~member, axis=1)
    hits = np.cumsum(ordered * member, axis=1)
    wanted = rate * (passed[:, -1] + 1)
    rank = np.floor(wanted)
    lower, upper = (_hits_before(passed, hits, each) for each in (rank, rank + 1))
    share = wanted - rank
    found = (1 - share) * np.where(rank > 0, lower, 0.0) + share * upper
    return found / np.maximum(hits[:, -1], 1e-12)


def _hits_before(passed: np.ndarray, hits: np.ndarray, rank: np.ndarray) -> np.ndarray:
    """Return how many members stand above the others' score of this rank."""
    place = (passed < rank[:, None]).sum(axis=1)
    return hits[np.arange(len(hits)), np.minimum(place, hits.shape[1] - 1)]


def roc_curve(scores: np.ndarray, labels: np.ndarray) -> list[list[float]]:
    """Return (false positive rate, true positive rate) points, dense at the small rates that a log axis shows."""
    order = np.argsort(-scores)
    members = np.concatenate([[0], np.cumsum(labels[order])]) / max(1, labels.sum())
    others = np.concatenate([[0], np.cumsum(~labels[order])]) / max(1, (~labels).sum())
    fewest = 1 / max(1, (~labels).sum())
    rates = np.unique(np.concatenate([np.geomspace(fewest, 1, CURVE_POINTS), [fewest, 1.0]]))
    return [[float(rate), float(members[np.searchsorted(others, rate + 1e-12) - 1])] for rate in rates]


def _rate(scores: np.ndarray, labels: np.ndarray, part: np.ndarray, rate: float) -> float:
    return float(tpr_at(scores[part], labels[part], _once(labels[part]), rate)[0])


def _once(labels: np.ndarray) -> np.ndarray:
    return np.ones((1, len(labels)))


def _without_ties(scores: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return ranks, equal scores in random order: an attack that cannot tell two targets apart favours neither."""
    ranks = np.empty(len(scores))
    ranks[np.lexsort((random.random(len(scores)), scores))] = np.arange(len(scores))
    return ranks


def _halves(targets: Targets, random: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return two halves of the targets, each with half of the members; a subject stays in one half."""
    groups = np.arange(len(targets.labels)) if targets.groups is None else targets.groups
    first = np.zeros(len(groups), dtype=bool)
    for side in (targets.labels, ~targets.labels):
        drawn = random.permutation(np.unique(groups[side]))
        first |= side & np.isin(groups, drawn[: len(drawn) // 2])
    return np.flatnonzero(first), np.flatnonzero(~first)


def _resamples(
    targets: Targets, halves: tuple[np.ndarray, np.ndarray], count: int, random: np.random.Generator
) -> np.ndarray:
    """Return weights (resamples x targets), the first row all ones: subjects drawn with replacement.

    They are drawn within each half and side: a half that lost its members or its others to chance would have no AUC.
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

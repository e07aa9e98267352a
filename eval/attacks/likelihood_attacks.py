"""Membership scores of a record from its likelihood under the target model and under reference models."""

import zlib
from collections.abc import Sequence

import numpy as np

from paracosm.eval.attacks.likelihoods.likelihood import Likelihood
from paracosm.eval.attacks.lira_rmia import ShadowLikelihoods, lira_scores, rmia_scores
from paracosm.records.schema.schema import Record

MIN_K_SHARE = 0.2
WINDOWS = (2, 3, 4, 6, 9, 13, 18, 25, 32, 40)
LEAST_DEVIATION = 1e-3


def attack_scores(
    likelihoods: Sequence[Likelihood],
    base: Sequence[Likelihood],
    records: Sequence[Record],
    *,
    known: np.ndarray,
    shadows: ShadowLikelihoods | None = None,
) -> dict[str, np.ndarray]:
    """Return six membership scores for each record, higher for members, and two more where there are shadow models.

    `loss`: mean log probability (Yeom et al. 2018). `zlib`: summed, over the compressed size (Carlini et al. 2021).
    `ratio`: mean log probability minus the base model's. `min_k_plus`: mean of the lowest fifth of the standardised
    log probabilities (Zhang et al. 2025, Min-K%++). `windows`: share of windows in which the model beats the base
    (WBC, arXiv 2601.02751). `rmia`: relative to a population (Zarifzadeh et al. 2024). `lira_offline`, `lira`:
    relative to shadow models that did not train on the record, and to both kinds (Carlini et al. 2022).

    Args:
        likelihoods: of each record under the target model.
        base: the same under its base model.
        records: as plain values.
        known: mask of non-members that the attacker knows as such: the population, and the reference of shifts.
        shadows: the same records under the shadow models.
    """
    texts = ["|".join("" if cell is None else str(cell) for cell in record.values()) for record in records]
    sizes = np.array([len(zlib.compress(text.encode())) for text in texts])
    target_means, base_means = mean_log_probabilities(likelihoods), mean_log_probabilities(base)
    sums = np.array([likelihood.log_probability.sum() for likelihood in likelihoods])
    scores = {
        "loss": target_means,
        "zlib": sums / sizes,
        "ratio": target_means - base_means,
        "min_k_plus": np.array([_min_k_plus(likelihood) for likelihood in likelihoods]),
        "windows": np.array([_windows_won(*pair) for pair in zip(likelihoods, base, strict=True)]),
        "rmia": rmia_scores(target_means, base_means, known, shadows),
    }
    return scores if shadows is None else scores | lira_scores(target_means, shadows, known)


def mean_log_probabilities(likelihoods: Sequence[Likelihood]) -> np.ndarray:
    """Return the mean log probability of each record's decisions."""
    return np.array([likelihood.log_probability.mean() for likelihood in likelihoods])


def _min_k_plus(likelihood: Likelihood) -> float:
    deviation = np.maximum(likelihood.deviation, LEAST_DEVIATION)
    standard = np.sort((likelihood.log_probability - likelihood.expected) / deviation)
    return float(standard[: max(1, round(MIN_K_SHARE * len(standard)))].mean())


def _windows_won(likelihood: Likelihood, base: Likelihood) -> float:
    gain = np.concatenate([[0.0], np.cumsum(likelihood.log_probability - base.log_probability)])
    widths = [width for width in WINDOWS if width < len(gain)] or [len(gain) - 1]
    return float(np.mean([(gain[width:] - gain[:-width] > 0).mean() for width in widths]))

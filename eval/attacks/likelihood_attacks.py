"""Membership scores from the exact likelihood of a record under a model and under references."""

import zlib
from collections.abc import Sequence

import numpy as np

from paracosm.eval.attacks.likelihood import Likelihood
from paracosm.eval.attacks.lira_rmia import Shadows, likelihood_ratio_scores, relative_scores
from paracosm.records.schema.schema import Record

LOWEST_SHARE = 0.2
WINDOWS = (2, 3, 4, 6, 9, 13, 18, 25, 32, 40)


def attack_scores(
    likelihoods: Sequence[Likelihood],
    base: Sequence[Likelihood],
    records: Sequence[Record],
    *,
    members: int,
    shadows: Shadows | None = None,
) -> dict[str, np.ndarray]:
    """Return six scores a record, higher for members, and two more where there are shadow adapters.

    `loss`: mean log probability (Yeom et al. 2018). `zlib`: summed, over the compressed size (Carlini et al. 2021).
    `ratio`: mean log probability minus the base model's. `min_k_plus`: mean of the lowest fifth of the standardised
    log probabilities (Zhang et al. 2025, Min-K%++). `windows`: share of windows in which the model beats the base
    (WBC, arXiv 2601.02751). `rmia`: relative to a population (Zarifzadeh et al. 2024). `lira_offline`, `lira`:
    relative to shadow adapters that did not learn the record, and to both kinds (Carlini et al. 2022).

    Args:
        likelihoods: of each record under the attacked model.
        base: the same under its base model.
        records: as plain values.
        members: how many of the records, the first ones, are called members; the others stand for the population.
        shadows: what shadow adapters say of the records.
    """
    texts = ["|".join("" if cell is None else str(cell) for cell in record.values()) for record in records]
    sizes = np.array([len(zlib.compress(text.encode())) for text in texts])
    ours, theirs = means(likelihoods), means(base)
    sums = np.array([each.log_probability.sum() for each in likelihoods])
    scores = {
        "loss": ours,
        "zlib": sums / sizes,
        "ratio": ours - theirs,
        "min_k_plus": np.array([_lowest(each) for each in likelihoods]),
        "windows": np.array([_windows_won(*pair) for pair in zip(likelihoods, base, strict=True)]),
        "rmia": relative_scores(ours, theirs, np.arange(len(records)) >= members, shadows),
    }
    return scores if shadows is None else scores | likelihood_ratio_scores(ours, shadows)


def means(likelihoods: Sequence[Likelihood]) -> np.ndarray:
    """Return the mean log probability of each record's decisions."""
    return np.array([each.log_probability.mean() for each in likelihoods])


def _lowest(likelihood: Likelihood) -> float:
    spread = np.maximum(likelihood.deviation, 1e-3)
    standard = np.sort((likelihood.log_probability - likelihood.expected) / spread)
    return float(standard[: max(1, round(LOWEST_SHARE * len(standard)))].mean())


def _windows_won(likelihood: Likelihood, base: Likelihood) -> float:
    gain = np.concatenate([[0.0], np.cumsum(likelihood.log_probability - base.log_probability)])
    widths = [width for width in WINDOWS if width < len(gain)] or [len(gain) - 1]
    return float(np.mean([(gain[width:] - gain[:-width] > 0).mean() for width in widths]))

"""Canaries: records planted in train by coin flips. How exposed are they, and which privacy budget do they disprove?

The run holds them in `canaries.parquet` (`finetune.canaries` makes them): a typed table with the schema's fields and the boolean column
`canary_included`, which says for each whether the coin put it into train. Those that stayed out are the comparison.
"""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from scipy.optimize import brentq
from scipy.stats import binom

from paracosm.eval.attacks.likelihood_reader import reader_of
from paracosm.eval.attacks.target import adapter_likelihoods, base_likelihoods
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Estimate, Obstacle
from paracosm.finetune.models.trained_model import load_codec
from paracosm.finetune.objectives.canaries import INCLUDED
from paracosm.foundation.errors import DataError
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table, to_records

FEWEST = 10
GUESSED = 0.25
"""Share of the canaries that the audit guesses to be in, fixed beforehand: choosing it afterwards would cheat."""
DELTA = 1e-5
LEVEL = 0.05
LARGEST_EPSILON = 30.0


def canary_candidates(
    context: Context, _: object
) -> dict[str, tuple[Context, Literal["adapter", "base", "perfect"]]]:
    """Return what is audited: the adapter, its base, and an attack that is never wrong."""
    return {"synthetic": (context, "adapter"), "floor": (context, "base"), "worst": (context, "perfect")}


def canary_obstacle(context: Context) -> Obstacle | None:
    """Return why nothing can be said of canaries, or None."""
    if context.canaries is None:
        return Obstacle("no canaries were planted in train", curable=False)
    if context.adapter is None:
        return Obstacle("there are canaries but no adapter at hand", curable=False)
    return None


def read_canaries(path: Path, schema: Schema) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the canaries of a run, and which of them the coin put into train.

    Raises:
        DataError: the file lacks a column, or too few canaries are in or out.
    """
    table = read_table(path, schema)
    try:
        included = pq.read_table(path, columns=[INCLUDED]).column(0).to_numpy().astype(bool)
    except (KeyError, ValueError, pa.ArrowException) as fault:
        raise DataError(f"{path}: lacks the boolean column {INCLUDED!r}") from fault
    if min(included.sum(), (~included).sum()) < FEWEST:
        raise DataError(
            f"{path}: {included.sum()} canaries are in train and {(~included).sum()} are not; at least {FEWEST} of each are needed"
        )
    return table, included


def canary_audit(context: Context, model: Literal["adapter", "base", "perfect"]) -> dict[str, Estimate]:
    """Return `canary_exposure` and `audit_epsilon` from how much likelier each canary is under the adapter."""
    adapter, base, included = context.once("canaries", lambda: _read_scores(context))
    scores = {"adapter": adapter - base, "base": base, "perfect": included.astype(float)}[model]
    return {
        "canary_exposure": exposure(scores, included, context.settings.bootstrap, context.settings.seed),
        "audit_epsilon": audit(scores, included, DELTA if context.claim is None else context.claim.delta),
    }


def exposure(scores: np.ndarray, included: np.ndarray, resamples: int, seed: int) -> Estimate:
    """Return the 95th percentile of the exposure in bits, log2 |R| - log2 rank (Carlini et al. 2019, The Secret Sharer).

    R: a canary that went in together with all that did not; its rank among them by score, ties counting against it by
    half. Interval: bootstrap over the canaries that went in.
    """
    ours, theirs = scores[included], np.sort(scores[~included])
    above = len(theirs) - np.searchsorted(theirs, ours, side="right")
    ties = np.searchsorted(theirs, ours, side="right") - np.searchsorted(theirs, ours, side="left")
    bits = np.log2(len(theirs) + 1) - np.log2(1 + above + ties / 2)
    random = np.random.default_rng([seed, 53])
    drawn = np.quantile(bits[random.integers(0, len(bits), (resamples, len(bits)))], 0.95, axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    facts = {
        "canaries_in": len(ours),
        "canaries_out": len(theirs),
        "most_bits": float(np.log2(len(theirs) + 1)),
    }
    return Estimate(
        float(np.quantile(bits, 0.95)), float(low), float(high), {"median": float(np.median(bits))}, facts
    )


def audit(scores: np.ndarray, included: np.ndarray, delta: float = DELTA) -> Estimate:
    """Return the largest epsilon that the canaries disprove at 95% (Steinke, Nasr & Jagielski 2023, one training run).

    The quarter of the canaries with the highest scores is guessed to be in. The interval goes up to what perfect
    guesses would disprove: the audit bounds epsilon from below only.
    """
    guesses = max(1, int(GUESSED * len(scores)))
    guessed = np.argsort(-scores, kind="stable")[:guesses]
    right = int(included[guessed].sum())
    found, most = (largest_refuted(len(scores), guesses, each, delta) for each in (right, guesses))
    facts = {"canaries": len(scores), "guesses": guesses, "right": right, "delta": delta, "most": most}
    return Estimate(found, found, max(found, most), facts=facts)


def largest_refuted(canaries: int, guesses: int, right: int, delta: float, level: float = LEVEL) -> float:
    """Return the supremum of the epsilons under which `right` of `guesses` being correct has p-value at most `level`."""

    def surplus(epsilon: float) -> float:
        return p_value(canaries, guesses, right, epsilon, delta) - level

    if surplus(0.0) > 0:
        return 0.0
    return float(brentq(surplus, 0.0, LARGEST_EPSILON)) if surplus(LARGEST_EPSILON) > 0 else LARGEST_EPSILON  # type: ignore[arg-type]


def p_value(canaries: int, guesses: int, right: int, epsilon: float, delta: float) -> float:
    """Return the p-value of at least `right` correct guesses under (epsilon, delta)-DP (Steinke et al. 2023, theorem 5.2)."""
    chance = 1 / (1 + np.exp(-epsilon))
    beta = float(binom.sf(right - 1, guesses, chance))
    fewer = np.arange(1, right + 1)
    slack = (binom.sf(right - fewer - 1, guesses, chance) - beta) / fewer if right else np.zeros(1)
    return min(1.0, beta + 2 * canaries * delta * float(np.max(slack, initial=0.0)))


def _read_scores(context: Context) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean log probability of every canary under the adapter and under its base, and which went in."""
    assert context.adapter is not None
    assert context.canaries is not None
    codec, masks = load_codec(context.adapter)
    table, included = read_canaries(context.canaries, codec.schema)
    records, unknown = reader_of(codec, masks).encode(to_records(table, codec.schema))
    if unknown:
        raise DataError(f"{context.canaries}: {unknown} canaries lie outside the adapter's domains")
    sides = (
        [each.log_probability.mean() for each in read(context.adapter, codec, masks, records)]
        for read in (adapter_likelihoods, base_likelihoods)
    )
    adapter, base = (np.array(side) for side in sides)
    return adapter, base, included

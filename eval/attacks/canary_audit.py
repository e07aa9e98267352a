"""Canary exposure and a one-run privacy audit.

Canaries are random records, each added to the training records with probability 1/2 (`finetune.canaries`). A run holds
them in `canaries.parquet`: a typed table with the schema's fields and the boolean column `canary_included`, which is
true for those that were added. The others are the comparison.
"""

import math
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import CANARIES, Gate
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import Anchor, Estimate, Metric, Obstacle, Result
from paracosm.foundation.errors import DataError
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table, to_records

Model = Literal["adapter", "base", "perfect"]
"""What is audited; `perfect` is an attack that is never wrong."""
FEWEST_CANARIES = 10
GUESSED = 0.25
"""Share of the canaries that the audit guesses to be in; fixed beforehand, since a share chosen afterwards is biased."""
DELTA = 1e-5
LEVEL = 0.05
LARGEST_EPSILON = 30.0


def canary_candidates(context: Context, _: object) -> dict[Anchor, tuple[Context, Model]]:
    """Return what is audited for each anchor: the adapter, its base model, a perfect attack."""
    return {"synthetic": (context, "adapter"), "floor": (context, "base"), "worst": (context, "perfect")}


def canary_obstacle(context: Context) -> Obstacle | None:
    """Return why there is nothing to audit, or None."""
    if context.canaries is None:
        return Obstacle("train holds no canaries", curable=False)
    if context.adapter is None:
        return Obstacle("there are canaries but there is no adapter", curable=False)
    return None


def read_canaries(path: Path, schema: Schema) -> tuple[pd.DataFrame, np.ndarray]:
    """Return the canaries of a run, and a mask of those that were added to the training records.

    Raises:
        DataError: the file lacks a column, or fewer than 10 canaries were added or left out.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    from paracosm.finetune.objectives.canaries import INCLUDED

    table = read_table(path, schema)
    try:
        included = pq.read_table(path, columns=[INCLUDED]).column(0).to_numpy().astype(bool)
    except (KeyError, ValueError, pa.ArrowException) as error:
        raise DataError(f"{path}: lacks the boolean column {INCLUDED!r}") from error
    if min(included.sum(), (~included).sum()) < FEWEST_CANARIES:
        raise DataError(
            f"{path}: {included.sum()} canaries are in train and {(~included).sum()} are not; at least {FEWEST_CANARIES} of each are needed"
        )
    return table, included


def canary_audit(context: Context, model: Model) -> dict[str, Estimate]:
    """Return `canary_exposure` and `audit_epsilon` from each canary's likelihood ratio of adapter to base model."""
    adapter, base, included = context.once("canaries", lambda: _read_scores(context))
    scores = {"adapter": adapter - base, "base": base, "perfect": included.astype(float)}[model]
    return {
        "canary_exposure": exposure(scores, included, context.settings.bootstrap, context.settings.seed),
        "audit_epsilon": audit(scores, included, DELTA if context.claim is None else context.claim.delta),
    }


def exposure(scores: np.ndarray, included: np.ndarray, resamples: int, seed: int) -> Estimate:
    """Return the 95th percentile of the exposure in bits, log2 |R| - log2 rank (Carlini et al. 2019, The Secret Sharer).

    R: one canary that was added, together with all that were not; rank: its position among them by score, where ties
    count half against it. Interval: bootstrap over the canaries that were added and over those that were left out.

    Args:
        scores: one for each canary, higher where the model is taken to have trained on it.
        included: mask of the canaries that were added.
        resamples: of the bootstrap.
        seed: of the bootstrap.
    """
    inside, outside = scores[included], scores[~included]
    bits = _exposures(inside, outside)
    random = np.random.default_rng([seed, 53])
    drawn = [
        float(
            np.quantile(
                _exposures(random.choice(inside, len(inside)), random.choice(outside, len(outside))), 0.95
            )
        )
        for _ in range(resamples)
    ]
    low, high = np.quantile(drawn, [0.025, 0.975])
    facts = {
        "canaries_in": len(inside),
        "canaries_out": len(outside),
        "most_bits": float(np.log2(len(outside) + 1)),
    }
    return Estimate(
        float(np.quantile(bits, 0.95)), float(low), float(high), {"median": float(np.median(bits))}, facts
    )


def _exposures(inside: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Return the exposure in bits of each canary that was added among those that were not."""
    ordered = np.sort(outside)
    above = len(ordered) - np.searchsorted(ordered, inside, side="right")
    ties = np.searchsorted(ordered, inside, side="right") - np.searchsorted(ordered, inside, side="left")
    return np.log2(len(ordered) + 1) - np.log2(1 + above + ties / 2)


def audit(scores: np.ndarray, included: np.ndarray, delta: float = DELTA) -> Estimate:
    """Return the empirical epsilon: the largest one refuted at 95% (Steinke, Nasr & Jagielski 2023, one training run).

    The quarter of the canaries with the highest scores is guessed to be in. The audit bounds epsilon from below only,
    so the upper end of the interval is the largest epsilon that perfect guesses would refute.
    """
    guesses = max(1, int(GUESSED * len(scores)))
    guessed = np.argsort(-scores, kind="stable")[:guesses]
    right = int(included[guessed].sum())
    epsilon, most = (largest_refuted(len(scores), guesses, hits, delta) for hits in (right, guesses))
    facts = {"canaries": len(scores), "guesses": guesses, "right": right, "delta": delta, "most": most}
    return Estimate(epsilon, epsilon, max(epsilon, most), facts=facts)


def largest_refuted(canaries: int, guesses: int, right: int, delta: float, level: float = LEVEL) -> float:
    """Return the largest epsilon for which `right` correct guesses out of `guesses` have a p-value of at most `level`."""
    from scipy.optimize import brentq

    def surplus(epsilon: float) -> float:
        return p_value(canaries, guesses, right, epsilon, delta) - level

    if surplus(0.0) > 0:
        return 0.0
    return float(brentq(surplus, 0.0, LARGEST_EPSILON)) if surplus(LARGEST_EPSILON) > 0 else LARGEST_EPSILON  # type: ignore[arg-type]


def p_value(canaries: int, guesses: int, right: int, epsilon: float, delta: float) -> float:
    """Return the p-value of at least `right` correct guesses under (epsilon, delta)-DP (Steinke et al. 2023, theorem 5.2)."""
    from scipy.stats import binom

    chance = 1 / (1 + np.exp(-epsilon))
    beta = float(binom.sf(right - 1, guesses, chance))
    fewer = np.arange(1, right + 1)
    slack = (binom.sf(right - fewer - 1, guesses, chance) - beta) / fewer if right else np.zeros(1)
    return min(1.0, beta + 2 * canaries * delta * float(np.max(slack, initial=0.0)))


def _read_scores(context: Context) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return each canary's mean log probability under the adapter and under its base model, and the mask of those added."""
    from paracosm.eval.attacks.likelihood_attacks import mean_log_probabilities
    from paracosm.eval.attacks.likelihoods.of_adapter import adapter_likelihoods, base_likelihoods
    from paracosm.eval.attacks.likelihoods.reader import reader_of
    from paracosm.finetune.models.trained_model import load_codec

    assert context.adapter is not None
    assert context.canaries is not None
    codec, masks = load_codec(context.adapter)
    table, included = read_canaries(context.canaries, codec.schema)
    records, unknown = reader_of(codec, masks).encode(to_records(table, codec.schema))
    if unknown:
        raise DataError(
            f"{context.canaries}: {unknown} canaries have a value outside the domains of the adapter's schema"
        )
    # Of the tokens alone: bins are fitted to the real records, so a canary's value inside its bin tells nothing about its training.
    adapter, base = (
        mean_log_probabilities(likelihoods(context.adapter, codec, masks, records))
        for likelihoods in (adapter_likelihoods, base_likelihoods)
    )
    return adapter, base, included


def _interpret_exposure(result: Result) -> str:
    facts = result.synthetic.facts
    return (
        f"A twentieth of the {facts['canaries_in']:,} canaries have an exposure of {result.synthetic.value:.1f} bits or more; "
        f"with {facts['canaries_out']:,} left out, {facts['most_bits']:.1f} bits is the most that can be measured."
    )


def _interpret_audit(result: Result) -> str:
    facts = result.synthetic.facts
    return (
        f"{facts['right']:,} of {facts['guesses']:,} guesses about canaries are right, which refutes every epsilon "
        f"below {result.synthetic.value:.2f}; perfect guesses would refute {facts['most']:.2f}."
    )


CANARY_EXPOSURE = Metric(
    name="canary_exposure",
    title="Canary exposure",
    section="privacy",
    goal="down",
    range=(0.0, float("inf")),
    source="Carlini et al. 2019, The Secret Sharer; 95th percentile over canaries, in bits",
    what="How many bits of a canary the adapter reveals, measured against canaries that were left out of training.",
    formula="95th percentile of log2 |R| - log2 rank, R: a canary that went in with all that did not, ranked by likelihood ratio to "
    "the base model",
    read=_interpret_exposure,
    zero="worst",
    unit="plain",
    # Chance gives 4.3 bits, and 500 canaries at most 8.0: a limit that so many cannot break would prove nothing.
    gates=(
        Gate(
            "at most",
            6.0,
            6.0,
            6.0,
            settled_by=CANARIES,
            why="Canaries are planted to prove that single records are not memorised, for every reader.",
        ),
    ),
    anchors="canaries",
)
AUDIT_EPSILON = Metric(
    name="audit_epsilon",
    title="Empirical epsilon (privacy audit)",
    section="privacy",
    goal="down",
    range=(0.0, float("inf")),
    source="Steinke, Nasr & Jagielski 2023, Privacy Auditing with One (1) Training Run",
    what="Lower bound on the epsilon of the adapter that canaries prove; above the accountant's epsilon, the claim is wrong.",
    formula="largest epsilon whose p-value for v of r right guesses is at most 5%, r = a quarter of the canaries",
    read=_interpret_audit,
    zero=None,
    unit="plain",
    # No limit by profile: where training was private, the limit is the epsilon that its accountant reports.
    gates=(
        Gate(
            "at most",
            math.inf,
            math.inf,
            math.inf,
            settled_by=CANARIES,
            proof_for=(),
            own_question="records",
            why="An audit refutes a claim of differential privacy and cannot prove one; the claim covers the records too.",
        ),
    ),
    anchors="canaries",
)
MEASURE = Measure(
    canary_audit, (CANARY_EXPOSURE, AUDIT_EPSILON), canary_candidates, canary_obstacle, own_threads=True
)

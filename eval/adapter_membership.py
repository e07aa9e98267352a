"""Can one tell from the adapter who was in train? Attacks on its exact likelihoods, the strongest of them."""

import zlib
from collections.abc import Sequence
from typing import Literal

import numpy as np

from paracosm.eval.attacked_adapter import Attacked, read_attacked
from paracosm.eval.context import Context
from paracosm.eval.membership import Targets, strongest
from paracosm.eval.metric import FEWEST_ROWS, Estimate, Obstacle, excess
from paracosm.eval.record_likelihood import Likelihood
from paracosm.finetune.tuned_model import objective_of
from paracosm.records.schema import Record

Model = Literal["adapter", "clean", "base", "memorised"]
LOWEST_SHARE = 0.2
WINDOWS = (2, 3, 4, 6, 9, 13, 18, 25, 32, 40)
PREFIX = SUFFIX = 50
SHORTEST_SUFFIX = 20
ATTEMPTS = (1, 100, 10_000)
CHANCE = 0.5


def adapter_candidates(context: Context, _: object) -> dict[str, tuple[Context, Model]]:
    """Return what is attacked: the adapter; strangers against strangers; its base; a copy made to memorise."""
    models: dict[str, Model] = {
        "synthetic": "adapter",
        "ceiling": "clean",
        "floor": "base",
        "worst": "memorised",
    }
    return {anchor: (context, model) for anchor, model in models.items()}


def adapter_obstacle(context: Context) -> Obstacle | None:
    """Return why the adapter cannot be attacked, or None."""
    if context.adapter is None:
        return Obstacle("there is no adapter at hand", curable=False)
    if "adapter" not in context.settings.attacks:
        return Obstacle("the recipe leaves it out (eval.attacks)")
    if len(context.held_out) < 2 * FEWEST_ROWS:
        return Obstacle(f"only {len(context.held_out)} unseen records; at least {2 * FEWEST_ROWS} are needed")
    return None


def text_adapter_obstacle(context: Context) -> Obstacle | None:
    """Return why texts cannot be extracted from the adapter, or None."""
    if all(each.type != "text" for each in context.fields):
        return Obstacle("there is no text column", curable=False)
    if context.adapter is not None and objective_of(context.adapter) == "masked":
        return Obstacle("a masked model writes no continuation of a text", curable=False)
    return adapter_obstacle(context)


def adapter_membership(context: Context, model: Model) -> dict[str, Estimate]:
    """Return `adapter_mia_auc` and `adapter_mia_tpr` of the strongest attack on one of the models."""
    attacked: Attacked = context.once("attacked adapter", lambda: read_attacked(context))
    members, likelihoods = attacked.members, attacked.adapter
    records, base, groups = attacked.records, attacked.base, attacked.groups
    if model == "clean":
        # Control before test in the tables, so the halves are drawn.
        drawn = np.random.default_rng([context.settings.seed, 71]).permutation(
            np.arange(members, len(records))
        )
        likelihoods, records, base = ([each[row] for row in drawn] for each in (likelihoods, records, base))
        groups = None if groups is None else groups[drawn]
        members = len(drawn) // 2
    elif model == "base":
        likelihoods = base
    elif model == "memorised":
        kept = [*range(attacked.memorised_members), *range(members, len(records))]
        records, base = [records[each] for each in kept], [base[each] for each in kept]
        groups = None if groups is None else groups[kept]
        members, likelihoods = attacked.memorised_members, attacked.memorised
    scores = attack_scores(likelihoods, base, records)
    found = strongest(Targets(scores, members, groups), context.settings, "adapter_mia")
    for estimate in found.values():
        estimate.facts["unseen_left_out"] = attacked.unknown
    return found


def attack_scores(
    likelihoods: Sequence[Likelihood], base: Sequence[Likelihood], records: Sequence[Record]
) -> dict[str, np.ndarray]:
    """Return five scores a record, higher for members.

    `loss`: mean log probability (Yeom et al. 2018). `zlib`: summed, over the compressed size (Carlini et al. 2021).
    `ratio`: mean log probability minus the base model's. `min_k_plus`: mean of the lowest fifth of the standardised
    log probabilities (Zhang et al. 2025, Min-K%++). `windows`: share of windows in which the adapter beats the base
    (WBC, arXiv 2601.02751).
    """
    texts = ["|".join("" if cell is None else str(cell) for cell in record.values()) for record in records]
    sizes = np.array([len(zlib.compress(text.encode())) for text in texts])
    means = np.array([each.log_probability.mean() for each in likelihoods])
    sums = np.array([each.log_probability.sum() for each in likelihoods])
    return {
        "loss": means,
        "zlib": sums / sizes,
        "ratio": means - np.array([each.log_probability.mean() for each in base]),
        "min_k_plus": np.array([_lowest(each) for each in likelihoods]),
        "windows": np.array([_windows_won(*pair) for pair in zip(likelihoods, base, strict=True)]),
    }


def _lowest(likelihood: Likelihood) -> float:
    spread = np.maximum(likelihood.deviation, 1e-3)
    standard = np.sort((likelihood.log_probability - likelihood.expected) / spread)
    return float(standard[: max(1, round(LOWEST_SHARE * len(standard)))].mean())


def _windows_won(likelihood: Likelihood, base: Likelihood) -> float:
    gain = np.concatenate([[0.0], np.cumsum(likelihood.log_probability - base.log_probability)])
    widths = [width for width in WINDOWS if width < len(gain)] or [len(gain) - 1]
    return float(np.mean([(gain[width:] - gain[:-width] > 0).mean() for width in widths]))


def extraction(context: Context, model: Model) -> dict[str, Estimate]:
    """Return the share of training texts whose continuation the model gives away, minus that of unseen texts.

    The second 50 tokens of a text after its first 50 (halves of a shorter one) count as extractable where at least one
    of 100 samples would be they with a probability of a half (Hayes et al. 2025, (n, p)-discoverable extraction). One
    forward pass gives the probability of a continuation, so nothing is sampled. Nothing where texts are too short.
    """
    attacked: Attacked = context.once("attacked adapter", lambda: read_attacked(context))
    likelihoods = {"adapter": attacked.adapter, "clean": attacked.adapter, "base": attacked.base}.get(
        model, attacked.memorised
    )
    members = attacked.memorised_members if model == "memorised" else attacked.members
    places = [number for number, each in enumerate(context.fields) if each.type == "text"]
    known, unseen = (
        [_continuation(each, places) for each in side]
        for side in (likelihoods[:members], likelihoods[members:])
    )
    if model == "clean":
        known, unseen = unseen[::2], unseen[1::2]
    known, unseen = ([each for each in side if each is not None] for side in (known, unseen))
    if len(known) < FEWEST_ROWS // 2 or len(unseen) < FEWEST_ROWS // 2:
        return {}
    facts: dict[str, float] = {"texts": len(known), "control_texts": len(unseen)}
    for attempts in ATTEMPTS:
        needed = np.log1p(-((1 - CHANCE) ** (1 / attempts)))
        for name, side in (("extracted", known), ("control_extracted", unseen)):
            facts[f"{name}_in_{attempts}"] = sum(total >= needed for total, _ in side)
    facts["greedily_extracted"] = sum(greedy for _, greedy in known)
    found = excess(facts["extracted_in_100"], len(known), facts["control_extracted_in_100"], len(unseen))
    return {"extraction": Estimate(found.value, found.low, found.high, facts=facts)}


def _continuation(likelihood: Likelihood, places: Sequence[int]) -> tuple[float, bool] | None:
    """Return the log probability of the likeliest text's continuation, and whether greedy decoding gives it."""
    found = []
    for place in places:
        there = np.flatnonzero(likelihood.place == place)
        start = min(PREFIX, len(there) // 2)
        suffix = there[start : start + SUFFIX]
        if len(suffix) >= SHORTEST_SUFFIX:
            total = float(likelihood.log_probability[suffix].sum())
            found.append((total, bool(likelihood.likeliest[suffix].all())))
    return max(found, default=None)

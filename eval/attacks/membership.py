"""Membership inference and text extraction attacks on the adapter, from its likelihoods."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from paracosm.eval.attacks.attack_training import training_obstacle
from paracosm.eval.attacks.likelihood import Likelihood
from paracosm.eval.attacks.likelihood_attacks import attack_scores, mean_log_probabilities
from paracosm.eval.attacks.lira_rmia import ShadowLikelihoods, lira_scores
from paracosm.eval.attacks.target import attack_target
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.measure import too_few_subjects
from paracosm.eval.measuring.metric import FEWEST_ROWS, Estimate, Obstacle
from paracosm.eval.statistics.attack_scores import Targets, strongest
from paracosm.eval.statistics.intervals import excess
from paracosm.finetune.models.trained_model import objective_of
from paracosm.records.schema.schema import Record

Model = Literal["adapter", "clean", "base", "memorised"]
"""What is attacked. `clean`: the adapter again, with non-members on both sides, so that there is nothing to find."""
PREFIX = SUFFIX = 50
SHORTEST_SUFFIX = 20
ATTEMPTS = (1, 100, 10_000)
EXTRACTION_PROBABILITY = 0.5


def adapter_candidates(context: Context, _: object) -> dict[str, tuple[Context, Model]]:
    """Return what is attacked for each anchor: the adapter, non-members only, the base model, a memorising copy."""
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
        return Obstacle("no adapter is available", curable=False)
    if "adapter" not in context.settings.attacks:
        return Obstacle("the recipe leaves it out (eval.attacks)")
    if len(context.held_out) < 2 * FEWEST_ROWS:
        return Obstacle(
            f"only {len(context.held_out)} held-out records; at least {2 * FEWEST_ROWS} are needed"
        )
    return too_few_subjects(context, ("train",), ("control", "test"))


def text_adapter_obstacle(context: Context) -> Obstacle | None:
    """Return why texts cannot be extracted from the adapter, or None."""
    if all(field.type != "text" for field in context.fields):
        return Obstacle("there is no text column", curable=False)
    if context.adapter is not None and objective_of(context.adapter) == "masked":
        return Obstacle("a masked model does not continue texts", curable=False)
    return adapter_obstacle(context)


def lira_obstacle(context: Context) -> Obstacle | None:
    """Return why the adapter is not compared with shadow models, or None."""
    return training_obstacle(context, "lira") or adapter_obstacle(context)


def adapter_membership(context: Context, model: Model) -> dict[str, Estimate]:
    """Return `adapter_mia_auc` and `adapter_mia_tpr` of the strongest attack on one of the models."""
    data = _attack_input(context, model)
    scores = attack_scores(
        data.likelihoods, data.base, data.records, members=data.members, shadows=data.shadows
    )
    estimates = strongest(Targets(scores, data.members, data.groups), context.settings, "adapter_mia")
    for estimate in estimates.values():
        estimate.facts["unseen_left_out"] = data.unknown
    return estimates


def shadow_membership(context: Context, model: Model) -> dict[str, Estimate]:
    """Return `lira_auc` and `lira_tpr`: the strongest of the two LiRA scores alone."""
    data = _attack_input(context, model)
    assert data.shadows is not None
    scores = lira_scores(mean_log_probabilities(data.likelihoods), data.shadows)
    estimates = strongest(Targets(scores, data.members, data.groups), context.settings, "lira")
    for estimate in estimates.values():
        estimate.facts["shadows"] = len(data.shadows.trained_on)
    return estimates


@dataclass(frozen=True)
class _AttackInput:
    """The targets of an attack on one of the models, members first."""

    likelihoods: list[Likelihood]
    base: list[Likelihood]
    records: list[Record]
    members: int
    groups: np.ndarray | None
    shadows: ShadowLikelihoods | None
    unknown: int


def _attack_input(context: Context, model: Model) -> _AttackInput:
    """Return the targets and likelihoods for an attack on one of the models."""
    target = attack_target(context)
    rows, members, likelihoods = np.arange(len(target.records)), target.members, target.adapter
    groups = target.groups
    if model == "clean":
        # Control comes before test in the tables, so the halves are drawn at random.
        rows = np.random.default_rng([context.settings.seed, 71]).permutation(rows[members:])
        members = len(rows) // 2
    elif model == "base":
        likelihoods = target.base
    elif model == "memorised":
        members = target.memorised_members
        rows = np.concatenate([rows[:members], rows[target.members :]])
        # The few memorised records may all be about one subject; here each record counts alone.
        groups = None
    return _AttackInput(
        target.memorised if model == "memorised" else [likelihoods[row] for row in rows],
        [target.base[row] for row in rows],
        [target.records[row] for row in rows],
        members,
        None if groups is None else groups[rows],
        None if target.shadows is None else target.shadows.select(rows),
        target.unknown,
    )


def extraction(context: Context, model: Model) -> dict[str, Estimate]:
    """Return `extraction`: the share of training texts whose continuation is extractable, minus that of held-out texts.

    The second 50 tokens of a text after its first 50 (halves of a shorter one) are extractable if at least one of 100
    samples reproduces them with probability 1/2 (Hayes et al. 2025, (n, p)-discoverable extraction). One forward pass
    gives the probability of a continuation, so nothing is sampled. Empty where texts are too short.
    """
    target = attack_target(context)
    likelihoods = {"adapter": target.adapter, "clean": target.adapter, "base": target.base}.get(
        model, target.memorised
    )
    members = target.memorised_members if model == "memorised" else target.members
    text_fields = [index for index, field in enumerate(context.fields) if field.type == "text"]
    train, held_out = (
        [_continuation(likelihood, text_fields) for likelihood in side]
        for side in (likelihoods[:members], likelihoods[members:])
    )
    if model == "clean":
        train, held_out = held_out[::2], held_out[1::2]
    train, held_out = ([text for text in side if text is not None] for side in (train, held_out))
    if len(train) < FEWEST_ROWS // 2 or len(held_out) < FEWEST_ROWS // 2:
        return {}
    facts: dict[str, float] = {"texts": len(train), "control_texts": len(held_out)}
    for attempts in ATTEMPTS:
        needed = np.log1p(-((1 - EXTRACTION_PROBABILITY) ** (1 / attempts)))
        for name, side in (("extracted", train), ("control_extracted", held_out)):
            facts[f"{name}_in_{attempts}"] = sum(total >= needed for total, _ in side)
    facts["greedily_extracted"] = sum(greedy for _, greedy in train)
    estimate = excess(facts["extracted_in_100"], len(train), facts["control_extracted_in_100"], len(held_out))
    return {"extraction": Estimate(estimate.value, estimate.low, estimate.high, facts=facts)}


def _continuation(likelihood: Likelihood, text_fields: Sequence[int]) -> tuple[float, bool] | None:
    """Return the log probability of the most likely text's continuation, and whether greedy decoding reproduces it."""
    continuations = []
    for index in text_fields:
        tokens = np.flatnonzero(likelihood.field_index == index)
        start = min(PREFIX, len(tokens) // 2)
        suffix = tokens[start : start + SUFFIX]
        if len(suffix) >= SHORTEST_SUFFIX:
            total = float(likelihood.log_probability[suffix].sum())
            continuations.append((total, bool(likelihood.is_argmax[suffix].all())))
    return max(continuations, default=None)

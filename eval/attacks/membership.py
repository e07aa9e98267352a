"""Can one tell from the adapter who was in train? Attacks on its exact likelihoods, the strongest of them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from paracosm.eval.attacks.attack_training import training_obstacle
from paracosm.eval.attacks.likelihood import Likelihood
from paracosm.eval.attacks.likelihood_attacks import attack_scores, means
from paracosm.eval.attacks.lira_rmia import Shadows, likelihood_ratio_scores
from paracosm.eval.attacks.target import AttackTarget, read_attacked
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.measure import too_few_subjects
from paracosm.eval.measuring.metric import FEWEST_ROWS, Estimate, Obstacle
from paracosm.eval.statistics.attack_scores import Targets, strongest
from paracosm.eval.statistics.intervals import excess
from paracosm.finetune.models.trained_model import objective_of
from paracosm.records.schema.schema import Record

Model = Literal["adapter", "clean", "base", "memorised"]
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
    return too_few_subjects(context, ("train",), ("control", "test"))


def text_adapter_obstacle(context: Context) -> Obstacle | None:
    """Return why texts cannot be extracted from the adapter, or None."""
    if all(each.type != "text" for each in context.fields):
        return Obstacle("there is no text column", curable=False)
    if context.adapter is not None and objective_of(context.adapter) == "masked":
        return Obstacle("a masked model writes no continuation of a text", curable=False)
    return adapter_obstacle(context)


def lira_obstacle(context: Context) -> Obstacle | None:
    """Return why the adapter is not compared with shadow adapters, or None."""
    return training_obstacle(context, "lira") or adapter_obstacle(context)


def adapter_membership(context: Context, model: Model) -> dict[str, Estimate]:
    """Return `adapter_mia_auc` and `adapter_mia_tpr` of the strongest attack on one of the models."""
    chosen = _under_attack(context, model)
    scores = attack_scores(
        chosen.likelihoods, chosen.base, chosen.records, members=chosen.members, shadows=chosen.shadows
    )
    found = strongest(Targets(scores, chosen.members, chosen.groups), context.settings, "adapter_mia")
    for estimate in found.values():
        estimate.facts["unseen_left_out"] = chosen.unknown
    return found


def shadow_membership(context: Context, model: Model) -> dict[str, Estimate]:
    """Return `lira_auc` and `lira_tpr`: what comparison with shadow adapters finds by itself."""
    chosen = _under_attack(context, model)
    assert chosen.shadows is not None
    scores = likelihood_ratio_scores(means(chosen.likelihoods), chosen.shadows)
    found = strongest(Targets(scores, chosen.members, chosen.groups), context.settings, "lira")
    for estimate in found.values():
        estimate.facts["shadows"] = len(chosen.shadows.inside)
    return found


@dataclass(frozen=True)
class _UnderAttack:
    """The targets of an attack on one of the models, members first."""

    likelihoods: list[Likelihood]
    base: list[Likelihood]
    records: list[Record]
    members: int
    groups: np.ndarray | None
    shadows: Shadows | None
    unknown: int


def _under_attack(context: Context, model: Model) -> _UnderAttack:
    attacked: AttackTarget = context.once("attacked adapter", lambda: read_attacked(context))
    rows, members, likelihoods = np.arange(len(attacked.records)), attacked.members, attacked.adapter
    groups = attacked.groups
    if model == "clean":
        # Control before test in the tables, so the halves are drawn.
        rows = np.random.default_rng([context.settings.seed, 71]).permutation(rows[members:])
        members = len(rows) // 2
    elif model == "base":
        likelihoods = attacked.base
    elif model == "memorised":
        members = attacked.memorised_members
        rows = np.concatenate([rows[:members], rows[attacked.members :]])
        # The few that were learnt may all be about one person; it is records that were learnt here.
        groups = None
    return _UnderAttack(
        attacked.memorised if model == "memorised" else [likelihoods[row] for row in rows],
        [attacked.base[row] for row in rows],
        [attacked.records[row] for row in rows],
        members,
        None if groups is None else groups[rows],
        None if attacked.shadows is None else attacked.shadows.of(rows),
        attacked.unknown,
    )


def extraction(context: Context, model: Model) -> dict[str, Estimate]:
    """Return the share of training texts whose continuation the model gives away, minus that of unseen texts.

    The second 50 tokens of a text after its first 50 (halves of a shorter one) count as extractable where at least one
    of 100 samples would be they with a probability of a half (Hayes et al. 2025, (n, p)-discoverable extraction). One
    forward pass gives the probability of a continuation, so nothing is sampled. Nothing where texts are too short.
    """
    attacked: AttackTarget = context.once("attacked adapter", lambda: read_attacked(context))
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

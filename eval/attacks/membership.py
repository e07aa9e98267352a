"""Membership inference on the model (adapter or fitted statistics), from its likelihoods; with shadow models also LiRA alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import TEST, Gate
from paracosm.eval.measuring.measure import Measure, too_few_subjects
from paracosm.eval.measuring.metric import FEWEST_ROWS, Anchor, Estimate, Metric, Obstacle, Result
from paracosm.eval.measuring.readings import interpret_membership, interpret_true_positives
from paracosm.records.schema.schema import Record

if TYPE_CHECKING:
    from paracosm.eval.attacks.likelihoods.likelihood import Likelihood
    from paracosm.eval.attacks.lira_rmia import ShadowLikelihoods
    from paracosm.eval.statistics.attack_scores import Targets

Model = Literal["adapter", "clean", "base", "memorised"]
"""What is attacked. `clean`: the adapter again, with non-members on both sides, so that there is nothing to find."""


def adapter_candidates(context: Context, _: object) -> dict[Anchor, tuple[Context, Model]]:
    """Return what is attacked for each anchor: the adapter, non-members only, the base model, a memorising copy."""
    models: dict[Anchor, Model] = {
        "synthetic": "adapter",
        "ceiling": "clean",
        "floor": "base",
        "worst": "memorised",
    }
    return {anchor: (context, model) for anchor, model in models.items()}


def adapter_obstacle(context: Context) -> Obstacle | None:
    """Return why the adapter cannot be attacked, or None."""
    if context.adapter is None and context.statistics is None:
        return Obstacle("no model is available", curable=False)
    if "adapter" not in context.settings.attacks:
        return Obstacle("the recipe leaves it out (eval.attacks)")
    name, unseen = ("control", context.control) if context.test is None else ("test", context.test)
    if len(unseen) < 2 * FEWEST_ROWS:
        return Obstacle(f"only {len(unseen)} {name} records; at least {2 * FEWEST_ROWS} are needed")
    return too_few_subjects(context, ("train",), (name,))


def lira_obstacle(context: Context) -> Obstacle | None:
    """Return why the adapter is not compared with shadow models, or None."""
    from paracosm.eval.attacks.attack_training import training_obstacle

    if obstacle := training_obstacle(context, "lira"):
        return obstacle
    if context.adapter is None and context.statistics is not None:
        return Obstacle("shadow models are trained for adapters alone", curable=False)
    return adapter_obstacle(context)


def adapter_membership(context: Context, model: Model) -> dict[str, Estimate]:
    """Return `adapter_mia_auc` and `adapter_mia_tpr` of the strongest attack on one of the models."""
    from paracosm.eval.attacks.likelihood_attacks import attack_scores
    from paracosm.eval.statistics.attack_scores import strongest

    data = _attack_input(context, model)
    scores = attack_scores(data.likelihoods, data.base, data.records, known=data.known, shadows=data.shadows)
    estimates = strongest(data.targets(scores), context.settings, "adapter_mia")
    for estimate in estimates.values():
        estimate.facts["unseen_left_out"] = data.unknown
    return estimates


def shadow_membership(context: Context, model: Model) -> dict[str, Estimate]:
    """Return `lira_auc` and `lira_tpr`: the strongest of the two LiRA scores alone."""
    from paracosm.eval.attacks.likelihood_attacks import mean_log_probabilities
    from paracosm.eval.attacks.lira_rmia import lira_scores
    from paracosm.eval.statistics.attack_scores import strongest

    data = _attack_input(context, model)
    assert data.shadows is not None
    scores = lira_scores(mean_log_probabilities(data.likelihoods), data.shadows, data.known)
    estimates = strongest(data.targets(scores), context.settings, "lira")
    for estimate in estimates.values():
        estimate.facts["shadows"] = len(data.shadows.trained_on)
    return estimates


@dataclass(frozen=True)
class _AttackInput:
    """The records of an attack on one of the models: members, non-members, and non-members that the attacker knows as such."""

    likelihoods: list[Likelihood]
    base: list[Likelihood]
    records: list[Record]
    members: int
    attacked: int
    """Number of members and non-members; the records after them are known."""
    groups: np.ndarray | None
    shadows: ShadowLikelihoods | None
    unknown: int

    @property
    def known(self) -> np.ndarray:
        """Mask of the known non-members; without a test split these are the non-members themselves."""
        rows = np.arange(len(self.records))
        return rows >= (self.attacked if self.attacked < len(rows) else self.members)

    def targets(self, scores: dict[str, np.ndarray]) -> Targets:
        """Return the scores of members and non-members, as the statistics of an attack take them."""
        from paracosm.eval.statistics.attack_scores import Targets

        groups = None if self.groups is None else self.groups[: self.attacked]
        return Targets(
            {name: values[: self.attacked] for name, values in scores.items()}, self.members, groups
        )


def _attack_input(context: Context, model: Model) -> _AttackInput:
    """Return the targets and likelihoods for an attack on one of the models."""
    from paracosm.eval.attacks.target import attack_target

    target = attack_target(context)
    members, others = np.arange(target.members), target.members + np.arange(target.others)
    known = np.arange(target.members + target.others, len(target.records))
    likelihoods, groups = target.adapter, target.groups
    if model == "clean":
        others = np.random.default_rng([context.settings.seed, 71]).permutation(others)
        members, others = np.array_split(others, [len(others) // 2])
    elif model == "base":
        likelihoods = target.base
    elif model == "memorised":
        members = members[: target.memorised_members]
        # The few memorised records may all be about one subject; here each record counts alone.
        groups = None
    rows = np.concatenate([members, others, known])
    return _AttackInput(
        target.memorised if model == "memorised" else [likelihoods[row] for row in rows],
        [target.base[row] for row in rows],
        [target.records[row] for row in rows],
        len(members),
        len(members) + len(others),
        None if groups is None else groups[rows],
        None if target.shadows is None else target.shadows.select(rows),
        target.unknown,
    )


WORST_CASE = "a model that was made to memorise"


def _interpret_auc(result: Result) -> str:
    return interpret_membership(result, WORST_CASE)


def _interpret_tpr(result: Result) -> str:
    return interpret_true_positives(result, WORST_CASE)


ADAPTER_MIA_AUC = Metric(
    name="adapter_mia_auc",
    title="Membership inference on the model: AUC",
    section="privacy",
    goal="down",
    range=(0.0, 1.0),
    source="Yeom et al. 2018; Carlini et al. 2021; Zhang et al. 2025 (Min-K%++); WBC (arXiv 2601.02751); Zarifzadeh et al. 2024 (RMIA)",
    what="How often the strongest attack that has the model itself (adapter, fitted statistics) ranks a training record above a non-member.",
    formula="as `data_mia_auc`, scores: loss, zlib, ratio to the base, Min-K%++, RMIA, windows won",
    read=_interpret_auc,
    zero="worst",
    unit="plain",
    gates=(
        Gate(
            "at most",
            0.6,
            0.575,
            0.55,
            settled_by=TEST,
            guarded=True,
            proven_by="cross_fit_auc",
            why="Who holds the model can attack it as often as he likes, so membership has to be ruled out for every reader.",
        ),
    ),
    anchors="adapter",
)
ADAPTER_MIA_TPR = Metric(
    name="adapter_mia_tpr",
    title="Membership inference on the model: true positives at a low false positive rate",
    section="privacy",
    goal="down",
    range=(-0.05, 1.0),
    source="Carlini et al. 2022, Membership Inference Attacks From First Principles: TPR at a low FPR, minus that FPR",
    what="Share of training records that the strongest attack on the model identifies at a threshold few non-members pass, minus "
    "their share.",
    formula="as `data_mia_tpr`",
    read=_interpret_tpr,
    zero="worst",
    unit="points",
    gates=(
        Gate(
            "at most",
            0.05,
            0.03,
            0.02,
            settled_by=TEST,
            guarded=True,
            proven_by="cross_fit_tpr",
            why="As for `adapter_mia_auc`.",
            excludes="{percent} of the training records",
        ),
    ),
    anchors="adapter",
)
LIRA_AUC = Metric(
    name="lira_auc",
    title="Membership inference on the adapter with shadow models (LiRA): AUC",
    section="privacy",
    goal="down",
    range=(0.0, 1.0),
    source="LiRA, Carlini et al. 2022, Membership Inference Attacks From First Principles",
    what="How often an attack that compares the adapter with models trained with and without each record ranks a training record "
    "above a non-member; it is part of the strongest attack on the adapter too.",
    formula="AUC of the likelihood ratio of a record's loss under shadow adapters that did and did not learn it; `lira` only",
    read=_interpret_auc,
    zero="worst",
    unit="plain",
    anchors="adapter",
)
LIRA_TPR = Metric(
    name="lira_tpr",
    title="Membership inference on the adapter with shadow models (LiRA): true positives at a low false positive rate",
    section="privacy",
    goal="down",
    range=(-0.05, 1.0),
    source="LiRA, Carlini et al. 2022, Membership Inference Attacks From First Principles: TPR at a low FPR, minus that FPR",
    what="Share of training records that the attack with shadow models identifies at a threshold few non-members pass, minus their "
    "share.",
    formula="as `data_mia_tpr`",
    read=_interpret_tpr,
    zero="worst",
    unit="points",
    anchors="adapter",
)
MEASURE = Measure(
    adapter_membership,
    (ADAPTER_MIA_AUC, ADAPTER_MIA_TPR),
    adapter_candidates,
    adapter_obstacle,
    own_threads=True,
)
LIRA_MEASURE = Measure(
    shadow_membership, (LIRA_AUC, LIRA_TPR), adapter_candidates, lira_obstacle, own_threads=True
)

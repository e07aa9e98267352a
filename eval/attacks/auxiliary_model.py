"""The auxiliary model audit: a fresh adapter learns the synthetic records alone, and is then attacked in their place.

What a language model can learn of a training record from synthetic ones, a fresh one shows in its likelihoods (arXiv
2606.10481). It needs neither the generator nor its kind: records of any origin can be audited.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd

from paracosm.eval.attacks.attack_training import ShadowJob, ShadowTraining, table_digest, training_obstacle
from paracosm.eval.attacks.likelihood import Likelihood
from paracosm.eval.attacks.likelihood_attacks import attack_scores
from paracosm.eval.attacks.likelihood_reader import reader_of
from paracosm.eval.attacks.target import adapter_likelihoods, base_likelihoods
from paracosm.eval.measuring.anchors import with_reference
from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.measuring.measure import membership_obstacle
from paracosm.eval.measuring.metric import FEWEST_ROWS, Estimate, Obstacle
from paracosm.eval.statistics.attack_scores import Targets, strongest
from paracosm.finetune.models.trained_model import load_codec
from paracosm.records.schema.table import to_records

Other = Literal["clean", "base", "copy"]
MOST_STEPS = 1000
"""Optimizer steps of one adapter, unless two passes over its records take more."""
EPOCHS = (2, 20)
OURS, BASE = "adapter ", "base "
WATCHED = 64
"""Records whose loss decides which epoch is kept: they are learnt too, so that what was learnt by heart stays."""


def auxiliary_candidates(
    context: Context, synthetic: pd.DataFrame
) -> dict[str, tuple[Context, pd.DataFrame | Other]]:
    """Return what the fresh adapter learns: the synthetic records; strangers; nothing at all; a copy of train.

    The test split is the reference, or without one a half of control; for strangers, half of it is learnt and the other
    half is the reference.
    """
    context = with_reference(context)
    return {
        "synthetic": (context, synthetic),
        "ceiling": (context, "clean"),
        "floor": (context, "base"),
        "worst": (context, "copy"),
    }


def auxiliary_obstacle(context: Context) -> Obstacle | None:
    """Return why no adapter learns the synthetic records, or None."""
    return training_obstacle(context, "auxiliary") or membership_obstacle(context)


def auxiliary_membership(context: Context, candidate: pd.DataFrame | Other) -> dict[str, Estimate]:
    """Return `auxiliary_mia_auc` and `auxiliary_mia_tpr` of the strongest attack on an adapter that learnt `candidate`.

    Members are records of train, others those of control. `reference` is the likelihood minus that under an adapter that
    learnt the reference records: what one learns from records of this kind anyway.
    """
    learnable = 0 if isinstance(candidate, str) else int(_allowed(context, candidate).sum())
    if not isinstance(candidate, str) and learnable < FEWEST_ROWS:
        return {}
    asked, members = context.once("auxiliary targets", lambda: _targets(context))
    tables = _lessons_of(context, candidate)
    if not isinstance(candidate, str):
        # All at once, so that the whole cost is said beforehand.
        tables |= _lessons_of(context, "copy") | _lessons_of(context, "clean")
    reference, *learnt = _answers(context, asked, members, tables)
    ours, prefix = (reference, BASE) if not learnt else (learnt[0], OURS)
    scores = {each.removeprefix(prefix): values for each, values in ours.items() if each.startswith(prefix)}
    scores["reference"] = scores["loss"] - reference[f"{OURS}loss"]
    groups = None
    if context.subjects:
        groups = np.concatenate([context.subjects["train"], context.subjects["control"]])[asked]
    estimates = strongest(Targets(scores, members, groups), context.settings, "auxiliary_mia")
    if not isinstance(candidate, str):
        for estimate in estimates.values():
            estimate.facts["learnt"] = learnable
    return estimates


def _targets(context: Context) -> tuple[np.ndarray, int]:
    """Return the rows of train, and after them of control, that are attacked, and how many are of train."""
    known = _drawn(context, context.train, context.settings.seed)
    unseen = _drawn(context, context.control, context.settings.seed + 1)
    return np.concatenate([known, len(context.train) + unseen]), len(known)


def _drawn(context: Context, table: pd.DataFrame, seed: int) -> np.ndarray:
    allowed = np.flatnonzero(_allowed(context, table))
    return allowed[drawn_rows(len(allowed), context.settings.attacked_records, seed)]


def _allowed(context: Context, table: pd.DataFrame) -> np.ndarray:
    """Return which records the codec can write: a value outside the training domain has no likelihood."""
    return np.array(
        [context.schema.allows(record) for record in to_records(table, context.schema)], dtype=bool
    )


def _lessons_of(context: Context, candidate: pd.DataFrame | Other) -> dict[str, pd.DataFrame]:
    """Return by name what adapters learn for a candidate: its reference first, then itself."""
    assert context.test is not None
    if isinstance(candidate, pd.DataFrame):
        return {"reference": context.test, "synthetic": candidate}
    if candidate == "clean":
        order = np.random.default_rng([context.settings.seed, 37]).permutation(len(context.test))
        fresh, rest = np.array_split(order, 2)
        return {"clean-reference": context.test.iloc[rest], "clean": context.test.iloc[fresh]}
    return {"reference": context.test} | ({"copy": context.train} if candidate == "copy" else {})


def _answers(
    context: Context, asked: np.ndarray, members: int, tables: Mapping[str, pd.DataFrame]
) -> list[Mapping[str, np.ndarray]]:
    """Return, for an adapter that learnt each of the tables, the scores of the targets under it and under its base."""
    assert context.attackers is not None
    targets = pd.concat([context.train, context.control], ignore_index=True).iloc[asked]
    question = f"scores of {members} members in {table_digest(targets)}"
    lessons = [
        _lesson(context, name, table[_allowed(context, table)].reset_index(drop=True), question)
        for name, table in tables.items()
    ]

    def read(folder: Path) -> dict[str, np.ndarray]:
        codec, masks = load_codec(folder)
        records, unknown = reader_of(codec, masks).encode(to_records(targets, codec.schema))
        assert not unknown
        base: list[Likelihood] = context.once(
            "auxiliary base", lambda: base_likelihoods(folder, codec, masks, records)
        )
        plain = to_records(targets, codec.schema)
        sides = {OURS: adapter_likelihoods(folder, codec, masks, records), BASE: base}
        return {
            f"{side}{name}": values
            for side, likelihoods in sides.items()
            for name, values in attack_scores(likelihoods, base, plain, members=members).items()
        }

    return ShadowTraining(context.attackers, context.schema, "auxiliary model").answers(lessons, read)


def _lesson(context: Context, name: str, table: pd.DataFrame, question: str) -> ShadowJob:
    assert context.attackers is not None
    usual = context.attackers.recipe.finetune
    steps = max(1, -(-len(table) // usual.batch_size))
    settings = {
        "epochs": int(np.clip(MOST_STEPS // steps, *EPOCHS)),
        "patience": None,
        "max_minutes": None,
        # Moved digits are not learnt by heart, and that is what is looked for.
        "smoothing": 0,
        "canaries": 0,
    }
    watched = table.iloc[drawn_rows(len(table), WATCHED, context.settings.seed)].reset_index(drop=True)
    # The synthetic records are out in the open: whoever attacks trains without noise.
    changes = {"finetune": usual.model_copy(update=settings), "privacy": None}
    recipe = context.attackers.recipe.model_copy(update=changes)
    return ShadowJob(f"auxiliary-{name}", table, watched, recipe, question)

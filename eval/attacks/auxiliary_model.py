"""Auxiliary model audit: train a fresh adapter on the synthetic records alone and attack it in their place.

What a language model can learn about a training record from synthetic records shows in the likelihoods of such a fresh
model (arXiv 2606.10481). The audit needs neither the generator nor its type: records of any origin can be audited.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import with_reference
from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.measuring.gate import CONTROL, OUTSIDE, Gate
from paracosm.eval.measuring.measure import Measure, membership_obstacle
from paracosm.eval.measuring.metric import FEWEST_ROWS, Anchor, Estimate, Metric, Obstacle, Result
from paracosm.eval.measuring.readings import interpret_membership, interpret_true_positives
from paracosm.records.schema.table import to_records

if TYPE_CHECKING:
    from paracosm.eval.attacks.attack_training import ShadowJob
    from paracosm.eval.attacks.likelihoods.likelihood import Likelihood

Substitute = Literal["clean", "base", "copy"]
"""What the model trains on instead of synthetic records: non-members, nothing, or a copy of train."""
MOST_STEPS = 1000
"""Optimizer steps of one model, unless two epochs take more."""
EPOCHS = (2, 20)
TRAINED, BASE = "adapter ", "base "
"""Prefixes of the scores under the fresh adapter and under its base model."""
WATCHED = 64
"""Records whose loss selects the epoch that is kept. They are training records too, so that memorisation is kept."""


def auxiliary_candidates(
    context: Context, synthetic: pd.DataFrame
) -> dict[Anchor, tuple[Context, pd.DataFrame | Substitute]]:
    """Return what the auxiliary model trains on for each anchor: synthetic records, non-members, nothing, train.

    The test split is the reference, or half of control where there is none. For non-members, the model trains on one
    half of it and the other half is the reference.
    """
    context = with_reference(context)
    return {
        "synthetic": (context, synthetic),
        "ceiling": (context, "clean"),
        "floor": (context, "base"),
        "worst": (context, "copy"),
    }


def auxiliary_obstacle(context: Context) -> Obstacle | None:
    """Return why no model can train on the synthetic records, or None."""
    from paracosm.eval.attacks.attack_training import training_obstacle

    return training_obstacle(context, "auxiliary") or membership_obstacle(context)


def auxiliary_membership(context: Context, candidate: pd.DataFrame | Substitute) -> dict[str, Estimate]:
    """Return `auxiliary_mia_auc` and `auxiliary_mia_tpr` of the strongest attack on a model trained on `candidate`.

    Members are records of train, non-members those of control. The score `reference` is the mean log probability minus
    that under a model trained on the reference records: it removes what any records of this kind would teach.
    """
    from paracosm.eval.attacks.likelihoods.likelihood import rows_in_domain
    from paracosm.eval.attacks.shadow_models import real_subjects
    from paracosm.eval.statistics.attack_scores import Targets, strongest

    is_table = not isinstance(candidate, str)
    usable = (
        int(rows_in_domain(candidate, context.schema).sum()) if isinstance(candidate, pd.DataFrame) else 0
    )
    if is_table and usable < FEWEST_ROWS:
        return {}
    rows, members = context.once("auxiliary targets", lambda: _targets(context))
    tables = _training_tables(context, candidate)
    if is_table:
        # All at once, so that the whole cost is announced beforehand.
        tables |= _training_tables(context, "copy") | _training_tables(context, "clean")
    reference, *trained = _train_and_score(context, rows, members, tables)
    result, prefix = (trained[0], TRAINED) if trained else (reference, BASE)
    scores = {name.removeprefix(prefix): values for name, values in result.items() if name.startswith(prefix)}
    scores["reference"] = scores["loss"] - reference[f"{TRAINED}loss"]
    subjects = real_subjects(context)
    groups = None if subjects is None else subjects[rows]
    estimates = strongest(Targets(scores, members, groups), context.settings, "auxiliary_mia")
    if is_table:
        for estimate in estimates.values():
            estimate.facts["learnt"] = usable
    return estimates


def _targets(context: Context) -> tuple[np.ndarray, int]:
    """Return the attacked rows of train and then of control, numbered as in `context.real`, and the number of members."""
    members = _drawn(context, context.train, context.settings.seed)
    non_members = _drawn(context, context.control, context.settings.seed + 1)
    return np.concatenate([members, len(context.train) + non_members]), len(members)


def _drawn(context: Context, table: pd.DataFrame, seed: int) -> np.ndarray:
    from paracosm.eval.attacks.likelihoods.likelihood import rows_in_domain

    allowed = np.flatnonzero(rows_in_domain(table, context.schema))
    return allowed[drawn_rows(len(allowed), context.settings.attacked_records, seed)]


def _training_tables(context: Context, candidate: pd.DataFrame | Substitute) -> dict[str, pd.DataFrame]:
    """Return the training tables for a candidate by name: its reference first, then the candidate itself."""
    assert context.test is not None
    if isinstance(candidate, pd.DataFrame):
        return {"reference": context.test, "synthetic": candidate}
    if candidate == "clean":
        order = np.random.default_rng([context.settings.seed, 37]).permutation(len(context.test))
        fresh, rest = np.array_split(order, 2)
        return {"clean-reference": context.test.iloc[rest], "clean": context.test.iloc[fresh]}
    return {"reference": context.test} | ({"copy": context.train} if candidate == "copy" else {})


def _train_and_score(
    context: Context, rows: np.ndarray, members: int, tables: Mapping[str, pd.DataFrame]
) -> list[Mapping[str, np.ndarray]]:
    """Train one model for each table; return the scores of the targets under it and under its base model."""
    from paracosm.eval.attacks.attack_training import ShadowTraining, table_digest
    from paracosm.eval.attacks.likelihood_attacks import attack_scores
    from paracosm.eval.attacks.likelihoods.likelihood import rows_in_domain
    from paracosm.eval.attacks.likelihoods.of_adapter import adapter_likelihoods, base_likelihoods
    from paracosm.eval.attacks.likelihoods.of_values import with_values
    from paracosm.eval.attacks.likelihoods.reader import reader_of
    from paracosm.finetune.models.trained_model import load_codec
    from paracosm.foundation.digests import value_digest
    from paracosm.records.codec.stored_codec import codec_to_json

    assert context.attackers is not None
    targets = pd.concat([context.train, context.control], ignore_index=True).iloc[rows]
    query = f"scores of {members} members in {table_digest(targets)}"
    jobs = [
        _job(context, name, table[rows_in_domain(table, context.schema)].reset_index(drop=True), query)
        for name, table in tables.items()
    ]

    def read(folder: Path) -> dict[str, np.ndarray]:
        codec, masks = load_codec(folder)
        plain = to_records(targets, codec.schema)
        records, unknown = reader_of(codec, masks).encode(plain)
        assert not unknown
        # Models with the same bins have the same base.
        base: list[Likelihood] = context.once(
            f"auxiliary base {value_digest(codec_to_json(codec))}",
            lambda: with_values(base_likelihoods(folder, codec, masks, records), codec, plain, fitted=False),
        )
        trained = with_values(adapter_likelihoods(folder, codec, masks, records), codec, plain, fitted=True)
        sides = {TRAINED: trained, BASE: base}
        return {
            f"{prefix}{name}": values
            for prefix, likelihoods in sides.items()
            for name, values in attack_scores(
                likelihoods, base, plain, known=np.arange(len(plain)) >= members
            ).items()
        }

    training = ShadowTraining(context.attackers, context.schema, "auxiliary model")
    return training.train_and_read(jobs, read)


def _job(context: Context, name: str, table: pd.DataFrame, query: str) -> ShadowJob:
    from paracosm.eval.attacks.attack_training import ShadowJob

    assert context.attackers is not None
    usual = context.attackers.recipe.finetune
    steps = max(1, -(-len(table) // usual.batch_size))
    settings = {
        "epochs": int(np.clip(MOST_STEPS // steps, *EPOCHS)),
        "patience": None,
        "max_minutes": None,
        # Smoothing would hide the memorised digits that the attack looks for.
        "smoothing": 0,
        "canaries": 0,
    }
    watched = table.iloc[drawn_rows(len(table), WATCHED, context.settings.seed)].reset_index(drop=True)
    # The synthetic records are public: an attacker trains on them without noise.
    changes = {"finetune": usual.model_copy(update=settings), "privacy": None}
    recipe = context.attackers.recipe.model_copy(update=changes)
    return ShadowJob(f"auxiliary-{name}", table, watched, recipe, query)


WORST_CASE = "a model of a copy of train"


def _interpret_auc(result: Result) -> str:
    return interpret_membership(result, WORST_CASE)


def _interpret_tpr(result: Result) -> str:
    return interpret_true_positives(result, WORST_CASE)


AUXILIARY_MIA_AUC = Metric(
    name="auxiliary_mia_auc",
    title="Membership inference by an auxiliary model of the synthetic records: AUC",
    section="privacy",
    goal="down",
    range=(0.0, 1.0),
    source="Audit of synthetic data by an auxiliary model, Mitchell, Andrew et al. 2026 (arXiv 2606.10481)",
    what="How often a language model trained on the synthetic records alone ranks a training record above a non-member.",
    formula="as `adapter_mia_auc`, of an adapter trained on the synthetic records, compared with one trained on the test split; `auxiliary` "
    "only",
    read=_interpret_auc,
    zero="worst",
    unit="plain",
    gates=(
        Gate(
            "at most",
            0.6,
            0.575,
            0.55,
            settled_by=CONTROL,
            guarded=True,
            why="Who asks for this attack wants its answer.",
        ),
    ),
    anchors="auxiliary",
)
AUXILIARY_MIA_TPR = Metric(
    name="auxiliary_mia_tpr",
    title="Membership inference by an auxiliary model of the synthetic records: true positives at a low false positive rate",
    section="privacy",
    goal="down",
    range=(-0.05, 1.0),
    source="Mitchell, Andrew et al. 2026 (arXiv 2606.10481); TPR at a low FPR, minus that FPR (Carlini et al. 2022)",
    what="Share of training records that a model trained on the synthetic records identifies at a threshold few non-members pass, minus "
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
            settled_by=CONTROL,
            guarded=True,
            proof_for=OUTSIDE,
            why="As for `data_mia_tpr`.",
            excludes="{percent} of the training records",
        ),
    ),
    anchors="auxiliary",
)
MEASURE = Measure(
    auxiliary_membership,
    (AUXILIARY_MIA_AUC, AUXILIARY_MIA_TPR),
    auxiliary_candidates,
    auxiliary_obstacle,
    Obstacle("hardly any synthetic record lies within the schema's domains", curable=False),
    own_threads=True,
)

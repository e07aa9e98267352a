"""The model under attack: likelihoods of members and non-members under it, its base model and a memorising copy."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from paracosm.eval.attacks.attack_training import training_obstacle
from paracosm.eval.attacks.likelihoods.likelihood import Likelihood, joined, rows_in_domain
from paracosm.eval.attacks.likelihoods.of_adapter import (
    MEMORISED_RECORDS,
    adapter_likelihoods,
    base_likelihoods,
    encoded,
    learnt_part,
    long_texts_first,
    memorised_count,
    memorised_likelihoods,
)
from paracosm.eval.attacks.likelihoods.of_statistics import columns_likelihoods
from paracosm.eval.attacks.likelihoods.of_values import shadow_model_likelihoods, with_values
from paracosm.eval.attacks.lira_rmia import ShadowLikelihoods
from paracosm.eval.attacks.shadow_models import real_subjects, shadow_likelihoods
from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.finetune.models.trained_model import load_codec
from paracosm.generate.statistics.stored_chain import COLUMNS, FILES, load_chain
from paracosm.generate.strategies.combined import holds_columns
from paracosm.records.schema.learnt_part import learnt_columns
from paracosm.records.schema.schema import Field, Record
from paracosm.records.schema.table import to_records


@dataclass(frozen=True)
class AttackTarget:
    """Records and their likelihoods under the models of an attack: members, then non-members, then known non-members.

    Early stopping chose the adapter by its loss on control, which makes that loss a little too low. So non-members are records of
    test, where there is a test split, and control serves the attacker as records known not to have trained.
    """

    records: list[Record]
    members: int
    others: int
    """Number of non-members."""
    adapter: list[Likelihood]
    base: list[Likelihood]
    memorised: list[Likelihood]
    """Under the memorising copy: of the first `memorised_members` members, then of all that follow the members."""
    memorised_members: int
    groups: np.ndarray | None
    """Subject of each record; None where every record is its own subject."""
    shadows: ShadowLikelihoods | None
    """Under the shadow models, where the settings ask for them."""
    fields: tuple[Field, ...]
    """The fields in the order in which the model writes them; a likelihood counts them in this order."""
    unknown: int
    """Non-members left out because a value that training never saw has no likelihood."""


def attack_target(context: Context) -> AttackTarget:
    """Return the likelihoods that the attacks on the context's adapter share; computed at most once for a context."""
    return context.once("attacked adapter", lambda: read_target(context))


def read_target(context: Context) -> AttackTarget:
    """Load what the context's records were made with and compute the likelihoods that every attack on it needs."""
    if context.adapter is None:
        return _statistics_target(context)
    folder = context.adapter
    codec, masks = load_codec(folder)
    train_rows, other_rows, known_rows, unseen, start = _drawn(context)
    members, kept, _ = encoded(context.train.iloc[train_rows], codec, masks)
    first = long_texts_first(context.train.iloc[train_rows[kept]], codec)
    members, train_rows = [members[row] for row in first], train_rows[kept[first]]
    non_members, kept, unknown = encoded(unseen.iloc[other_rows], codec, masks)
    other_rows = other_rows[kept]
    known, kept, _ = encoded(context.control.iloc[known_rows], codec, masks)
    held_out_rows = np.concatenate([start + other_rows, known_rows[kept]])
    following = [*non_members, *known]
    records = [*members, *following]
    chosen = memorised_count(members)
    columns = holds_columns(folder)
    # The adapter may have been trained on a part of each record alone, such as the texts given the columns.
    loss = None if context.attackers is None else context.attackers.recipe.finetune.loss
    learnt = learnt_columns(codec.schema, loss, texts_follow=columns)
    if learnt is not None:
        members, following, records = (
            [learnt_part(record, codec, learnt) for record in side] for side in (members, following, records)
        )
    adapter = adapter_likelihoods(folder, codec, masks, records)
    base = base_likelihoods(folder, codec, masks, records)
    memorised = memorised_likelihoods(folder, codec, masks, [*members[:chosen], *following], members[:chosen])
    rows = np.concatenate([train_rows, len(context.train) + held_out_rows])
    subjects = real_subjects(context)
    plain = [
        *to_records(context.train.iloc[train_rows], codec.schema),
        *to_records(context.held_out.iloc[held_out_rows], codec.schema),
    ]
    adapter = with_values(adapter, codec, plain, learnt, fitted=True)
    base = with_values(base, codec, plain, learnt, fitted=False)
    memorised = with_values(memorised, codec, [*plain[:chosen], *plain[len(members) :]], learnt, fitted=True)
    if columns:
        of_columns = columns_likelihoods(folder, COLUMNS, plain, len(members), chosen)
        adapter, base, memorised = (
            [joined(pair) for pair in zip(first, second, strict=True)]
            for first, second in zip(of_columns, (adapter, base, memorised), strict=True)
        )
    shadows = None
    if training_obstacle(context, "lira") is None:
        shadows = shadow_likelihoods(
            context,
            codec,
            rows,
            lambda shadow: shadow_model_likelihoods(shadow, codec, plain, learnt),
        )
    groups = None if subjects is None else subjects[rows]
    return AttackTarget(
        plain,
        len(members),
        len(non_members),
        adapter,
        base,
        memorised,
        chosen,
        groups,
        shadows,
        codec.fields,
        unknown,
    )


def _drawn(context: Context) -> tuple[np.ndarray, np.ndarray, np.ndarray, pd.DataFrame, int]:
    """Return row numbers of members, non-members and known non-members, the table of the second, and where it begins in `held_out`."""
    most, seed = context.settings.attacked_records, context.settings.seed
    unseen, start = (context.control, 0) if context.test is None else (context.test, len(context.control))
    known = 0 if context.test is None else len(context.control)
    return (
        drawn_rows(len(context.train), most, seed),
        drawn_rows(len(unseen), most, seed + 1),
        drawn_rows(known, most, seed + 1),
        unseen,
        start,
    )


def _statistics_target(context: Context) -> AttackTarget:
    """Return the likelihoods under fitted statistics, and under the marginals as their base."""
    assert context.statistics is not None
    schema = load_chain(context.statistics).schema
    train_rows, other_rows, known_rows, unseen, start = _drawn(context)
    drawn = (
        (context.train, train_rows),
        (unseen, other_rows),
        (context.control, known_rows),
    )
    kept = [rows[rows_in_domain(table.iloc[rows], schema)] for table, rows in drawn]
    records = [
        record
        for (table, _), rows in zip(drawn, kept, strict=True)
        for record in to_records(table.iloc[rows], schema)
    ]
    members, others = len(kept[0]), len(kept[1])
    chosen = min(MEMORISED_RECORDS[1], members)
    model, base, memorised = columns_likelihoods(context.statistics, FILES, records, members, chosen)
    rows = np.concatenate([kept[0], len(context.train) + np.concatenate([start + kept[1], kept[2]])])
    subjects = real_subjects(context)
    return AttackTarget(
        records,
        members,
        others,
        model,
        base,
        memorised,
        chosen,
        None if subjects is None else subjects[rows],
        None,
        schema.modelled,
        len(other_rows) - others,
    )

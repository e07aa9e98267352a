"""The model under attack: likelihoods of members and non-members under it, its base model and a memorising copy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from paracosm.eval.attacks.attack_training import rows_in_domain, training_obstacle
from paracosm.eval.attacks.likelihood import Likelihood, joined
from paracosm.eval.attacks.likelihood_reader import reader_of
from paracosm.eval.attacks.lira_rmia import ShadowLikelihoods
from paracosm.eval.attacks.model_likelihoods import (
    MEMORISED_RECORDS,
    Encoded,
    adapter_likelihoods,
    base_likelihoods,
    memorised_likelihoods,
    shadow_model_likelihoods,
    text_tokens_alone,
    with_values,
)
from paracosm.eval.attacks.shadow_models import real_subjects, shadow_likelihoods
from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.representations.features import as_texts
from paracosm.finetune.models.trained_model import load_codec
from paracosm.generate.statistics.chain import Chain
from paracosm.generate.statistics.likelihoods import field_likelihoods
from paracosm.generate.statistics.marginals import Marginals
from paracosm.generate.statistics.stored_chain import COLUMNS, FILES, load_chain
from paracosm.generate.strategies.combined import holds_columns
from paracosm.generate.strategies.preparation import fit_chain
from paracosm.recipes.sections.statistical import Statistical
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.schema import Field, Record
from paracosm.records.schema.table import to_records
from paracosm.records.text.words import count_words

MEMORISED_TOKENS = 1500
"""Tokens of the training records that the memorising copy overfits to, at most."""
MEMORISED_TIMES = 10
"""Copies of each record that a memorising chain is fitted to."""
LEAST_LOG_PROBABILITY = -30.0
"""Natural log probability of what a chain cannot draw."""
LONG_TEXT = 50
"""Words of a text that is surely long enough to be continued; it has at least as many tokens."""


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
    members, kept, _ = _encode(context.train.iloc[train_rows], codec, masks)
    first = _long_texts_first(context.train.iloc[train_rows[kept]], codec)
    members, train_rows = [members[row] for row in first], train_rows[kept[first]]
    non_members, kept, unknown = _encode(unseen.iloc[other_rows], codec, masks)
    other_rows = other_rows[kept]
    known, kept, _ = _encode(context.control.iloc[known_rows], codec, masks)
    held_out_rows = np.concatenate([start + other_rows, known_rows[kept]])
    following = [*non_members, *known]
    records = [*members, *following]
    chosen = _memorised_count(members)
    columns = holds_columns(folder)
    if columns:
        # The adapter was trained on the texts given the columns, whose likelihood is that of the statistics.
        members, following, records = (
            [text_tokens_alone(record, codec) for record in side] for side in (members, following, records)
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
    if columns:
        of_columns = _columns_likelihoods(folder, COLUMNS, plain, len(members), chosen)
        adapter, base, memorised = (
            [joined(pair) for pair in zip(first, second, strict=True)]
            for first, second in zip(of_columns, (adapter, base, memorised), strict=True)
        )
    else:
        adapter = with_values(adapter, codec, plain, fitted=True)
        base = with_values(base, codec, plain, fitted=False)
        memorised = with_values(memorised, codec, [*plain[:chosen], *plain[len(members) :]], fitted=True)
    shadows = None
    if training_obstacle(context, "lira") is None:
        shadows = shadow_likelihoods(
            context,
            codec,
            rows,
            lambda shadow: shadow_model_likelihoods(shadow, codec, plain, texts_only=columns),
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
    model, base, memorised = _columns_likelihoods(context.statistics, FILES, records, members, chosen)
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


def _columns_likelihoods(
    folder: Path, files: tuple[str, str], records: list[Record], members: int, chosen: int
) -> tuple[list[Likelihood], list[Likelihood], list[Likelihood]]:
    """Return likelihoods under a stored chain, under its marginals, and under a chain that was fitted to few records.

    Args:
        folder: holds the chain.
        files: names of its files.
        records: members first.
        members: number of members.
        chosen: members that the last chain is fitted to; it is read for them and for all that follow the members.
    """
    chain = load_chain(folder, files)
    base = Chain(chain.schema, chain.columns, Marginals(chain.columns))
    # As often as it takes for values of one record to count as shared, and for leaves of one record.
    repeated = [record for record in records[:chosen] for _ in range(MEMORISED_TIMES)]
    memorised = fit_chain(chain.schema, repeated, np.arange(len(repeated)), Statistical(leaf=MEMORISED_TIMES))
    read = [*records[:chosen], *records[members:]]
    return _likelihoods(chain, records), _likelihoods(base, records), _likelihoods(memorised, read)


def _likelihoods(chain: Chain, records: list[Record]) -> list[Likelihood]:
    """Return the likelihood of each record, one decision for each field."""
    found, fields = field_likelihoods(chain, records), np.arange(len(chain.columns))
    # A few records alone may leave a missing cell without any probability.
    logs = np.maximum(found.log_probability, LEAST_LOG_PROBABILITY)
    return [
        Likelihood(logs[row], found.expected[row], found.deviation[row], found.is_argmax[row], fields)
        for row in range(len(records))
    ]


def _encode(table: pd.DataFrame, codec: Codec, masks: TokenMasks) -> tuple[list[Encoded], np.ndarray, int]:
    """Return the encoded records that have a likelihood, their row numbers, and how many have none."""
    records, kept = to_records(table, codec.schema), rows_in_domain(table, codec.schema)
    reader = reader_of(codec, masks)
    encoded: list[Encoded] = []
    for row in np.flatnonzero(kept):
        record, unknown = reader.encode([records[row]])
        # A text of a length that training never saw has no likelihood under a masked model.
        kept[row] = not unknown
        encoded.extend(record)
    return encoded, np.flatnonzero(kept), int((~kept).sum())


def _long_texts_first(table: pd.DataFrame, codec: Codec) -> np.ndarray:
    """Return the row numbers with the records first that have a long text.

    The memorising copy overfits to the first records, and the extraction attack needs texts that can be continued.
    """
    long = np.zeros(len(table), dtype=bool)
    for field in codec.schema.modelled:
        if field.is_text:
            long |= [count_words(text) >= LONG_TEXT for text in as_texts(table[field.name])]
    return np.argsort(~long, kind="stable")


def _memorised_count(members: Sequence[Encoded]) -> int:
    """Return the number of training records that the memorising copy overfits to."""
    tokens = np.cumsum([record.tokens for record in members])
    return int(np.clip((tokens <= MEMORISED_TOKENS).sum(), *np.minimum(MEMORISED_RECORDS, len(members))))

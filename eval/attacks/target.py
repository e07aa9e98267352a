"""An adapter under attack: likelihoods of training and of unseen records under it, its base, and a memorising copy."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from paracosm.eval.attacks.attack_training import training_obstacle
from paracosm.eval.attacks.likelihood import Likelihood
from paracosm.eval.attacks.likelihood_reader import reader_of
from paracosm.eval.attacks.lira_rmia import Shadows
from paracosm.eval.attacks.shadow_models import read_shadows
from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.representations.features import as_texts
from paracosm.finetune.models.trained_model import load_codec
from paracosm.finetune.objectives.causal_dataset import EncodedRecord
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.masked_layout import SlotRecord
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.schema import Record
from paracosm.records.schema.table import to_records

Encoded = EncodedRecord | SlotRecord
CONTROL_TOKENS = 1500
"""Tokens of the training records that the memorising copy learns by heart."""
CONTROL_RECORDS = (8, 48)
CONTROL_STEPS = 16
CONTROL_RATE = 5e-3
LONG_TEXT = 50
"""Words of a text that is surely long enough to be continued; it has at least as many tokens."""


@dataclass(frozen=True)
class AttackTarget:
    """Records with their likelihoods; training records first, then records that never trained."""

    records: list[Record]
    members: int
    adapter: list[Likelihood]
    base: list[Likelihood]
    memorised: list[Likelihood]
    """Under the adapter after more training on the first `memorised_members` records alone."""
    memorised_members: int
    groups: np.ndarray | None
    shadows: Shadows | None
    """What shadow adapters say of the records, where the settings ask for them."""
    unknown: int
    """Unseen records with a value that training never saw: they have no likelihood and were left out."""

    @property
    def others(self) -> int:
        return len(self.records) - self.members


def read_attacked(context: Context) -> AttackTarget:
    """Load the context's adapter and read the likelihoods that every attack on it needs."""
    assert context.adapter is not None
    folder, most, seed = context.adapter, context.settings.attacked_records, context.settings.seed
    codec, masks = load_codec(folder)
    known = drawn_rows(len(context.train), most, seed)
    unseen = drawn_rows(len(context.held_out), most, seed + 1)
    members, kept_members, _ = _encoded(context.train.iloc[known], codec, masks)
    first = _long_texts_first(context.train.iloc[known[kept_members]], codec)
    members, kept_members = [members[row] for row in first], kept_members[first]
    others, kept_others, unknown = _encoded(context.held_out.iloc[unseen], codec, masks)
    records = [*members, *others]
    chosen = _few(members)
    adapter = adapter_likelihoods(folder, codec, masks, records)
    base = base_likelihoods(folder, codec, masks, records)
    memorised = memorised_likelihoods(folder, codec, masks, [*members[:chosen], *others], members[:chosen])
    groups = _subjects(context, known[kept_members], unseen[kept_others])
    plain = [
        *to_records(context.train.iloc[known[kept_members]], codec.schema),
        *to_records(context.held_out.iloc[unseen[kept_others]], codec.schema),
    ]
    shadows = None
    if training_obstacle(context, "lira") is None:
        rows = np.concatenate([known[kept_members], len(context.train) + unseen[kept_others]])
        shadows = read_shadows(
            context, codec, rows, lambda shadow: adapter_likelihoods(shadow, codec, masks, records)
        )
    return AttackTarget(plain, len(members), adapter, base, memorised, chosen, groups, shadows, unknown)


def adapter_likelihoods(
    folder: Path, codec: Codec, masks: TokenMasks, records: Sequence[Encoded]
) -> list[Likelihood]:
    """Return the likelihoods of encoded records under the adapter."""
    from paracosm.generate.decoding.loaded_model import load_adapted

    model = load_adapted(folder).model
    return reader_of(codec, masks).likelihoods(model, records)


def base_likelihoods(
    folder: Path, codec: Codec, masks: TokenMasks, records: Sequence[Encoded]
) -> list[Likelihood]:
    """Return the likelihoods of encoded records under the base model that the adapter was trained on."""
    from paracosm.finetune.models.base_model import device_type
    from paracosm.finetune.models.trained_model import load_untrained

    model = load_untrained(folder, codec.vocabulary, short_sequences=_are_short(records))
    return reader_of(codec, masks).likelihoods(model.to(device_type()), records)  # type: ignore[arg-type]


def memorised_likelihoods(
    folder: Path,
    codec: Codec,
    masks: TokenMasks,
    records: Sequence[Encoded],
    learnt: Sequence[Encoded],
) -> list[Likelihood]:
    """Return the likelihoods of `records` under the adapter after more training on the few records `learnt` alone.

    It is the positive control: an attack that does not find these few records finds nothing.
    """
    import torch

    from paracosm.finetune.models.base_model import device_type
    from paracosm.finetune.models.trained_model import load_trainable

    model = load_trainable(folder, codec.vocabulary, short_sequences=_are_short(records)).to(device_type())  # type: ignore[arg-type]  # typed as unbound
    weights = [each for each in model.parameters() if each.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=CONTROL_RATE, weight_decay=0.0)
    reader, decisions = reader_of(codec, masks), sum(each.decisions for each in learnt)
    model.train()
    for step in range(CONTROL_STEPS):
        for first in range(0, len(learnt), CONTROL_RECORDS[0]):
            (reader.loss(model, learnt[first : first + CONTROL_RECORDS[0]], step) / decisions).backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return reader.likelihoods(model, records)  # type: ignore[arg-type]  # peft forwards every call


def _encoded(table: pd.DataFrame, codec: Codec, masks: TokenMasks) -> tuple[list[Encoded], np.ndarray, int]:
    """Return the records that have a likelihood, their row numbers, and how many have none."""
    records = to_records(table, codec.schema)
    kept = np.array([codec.schema.allows(record) for record in records], dtype=bool)
    reader = reader_of(codec, masks)
    found: list[Encoded] = []
    for row in np.flatnonzero(kept):
        encoded, unknown = reader.encode([records[row]])
        # A text of a length that training never saw has no likelihood under a masked model.
        kept[row] = not unknown
        found.extend(encoded)
    return found, np.flatnonzero(kept), int((~kept).sum())


def _long_texts_first(table: pd.DataFrame, codec: Codec) -> np.ndarray:
    """Return the row numbers, records first whose text has a continuation: what is learnt by heart has to show there too."""
    long = np.zeros(len(table), dtype=bool)
    for field in codec.schema.modelled:
        if field.type == "text":
            long |= [len(text.split()) >= LONG_TEXT for text in as_texts(table[field.name])]
    return np.argsort(~long, kind="stable")


def _few(members: Sequence[Encoded]) -> int:
    """Return how many training records the memorising copy learns."""
    tokens = np.cumsum([record.tokens for record in members])
    return int(np.clip((tokens <= CONTROL_TOKENS).sum(), *np.minimum(CONTROL_RECORDS, len(members))))


def _are_short(records: Sequence[Encoded]) -> bool:
    from paracosm.finetune.models.lora import SHORT

    return max(record.tokens for record in records) < SHORT


def _subjects(context: Context, known: np.ndarray, unseen: np.ndarray) -> np.ndarray | None:
    if not context.subjects:
        return None
    held_out = [context.subjects[name] for name in ("control", "test") if name in context.subjects]
    return np.concatenate([context.subjects["train"][known], np.concatenate(held_out)[unseen]])

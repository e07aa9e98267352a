"""Likelihoods under an adapter, its base model, and a copy of it that was made to memorise; and the records that they are read of."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from paracosm.eval.attacks.likelihoods.likelihood import Likelihood, rows_in_domain
from paracosm.eval.attacks.likelihoods.reader import reader_of
from paracosm.eval.representations.features import as_texts
from paracosm.finetune.objectives.encoded_record import EncodedDocument, EncodedRecord, columns_alone
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.masked_layout import SlotRecord
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.table import to_records
from paracosm.records.text.words import count_words

Encoded = EncodedRecord | EncodedDocument | SlotRecord
MEMORISED_TOKENS = 1500
"""Tokens of the training records that the memorising copy overfits to, at most."""
MEMORISED_RECORDS = (8, 48)
"""Fewest and most records that it overfits to; the first number is also its batch size."""
MEMORISING_STEPS = 16
MEMORISING_RATE = 5e-3
LONG_TEXT = 50
"""Words of a text that is surely long enough to be continued; it has at least as many tokens."""


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
    memorised: Sequence[Encoded],
) -> list[Likelihood]:
    """Return the likelihoods of `records` under the adapter after further training on the few in `memorised` alone.

    This is the positive control: an attack that does not find these few records has no power.
    """
    import torch

    from paracosm.finetune.models.base_model import device_type
    from paracosm.finetune.models.trained_model import load_trainable

    model = load_trainable(folder, codec.vocabulary, short_sequences=_are_short(records)).to(device_type())  # type: ignore[arg-type]  # typed as unbound
    weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.AdamW(weights, lr=MEMORISING_RATE, weight_decay=0.0)
    # Of a document the first passage, which takes as long as a whole record elsewhere.
    memorised = [each.windows[0] if isinstance(each, EncodedDocument) else each for each in memorised]
    reader, decisions = reader_of(codec, masks), sum(record.decisions for record in memorised)
    size = MEMORISED_RECORDS[0]
    model.train()
    for step in range(MEMORISING_STEPS):
        for begin in range(0, len(memorised), size):
            (reader.loss(model, memorised[begin : begin + size], step) / decisions).backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        optimizer.zero_grad()
    return reader.likelihoods(model, records)  # type: ignore[arg-type]  # peft forwards every call


def learnt_part(record: Encoded, codec: Codec, columns: list[str]) -> Encoded:
    """Return the record with all other columns given, so that those alone have a likelihood on which the adapter was trained."""
    assert not isinstance(record, SlotRecord), "only causal models are trained on a part of a record"
    return columns_alone(record, codec, columns)


def encoded(table: pd.DataFrame, codec: Codec, masks: TokenMasks) -> tuple[list[Encoded], np.ndarray, int]:
    """Return the encoded records that have a likelihood, their row numbers, and how many have none."""
    records, kept = to_records(table, codec.schema), rows_in_domain(table, codec.schema)
    reader = reader_of(codec, masks)
    found: list[Encoded] = []
    for row in np.flatnonzero(kept):
        record, unknown = reader.encode([records[row]])
        # A text of a length that training never saw has no likelihood under a masked model.
        kept[row] = not unknown
        found.extend(record)
    return found, np.flatnonzero(kept), int((~kept).sum())


def long_texts_first(table: pd.DataFrame, codec: Codec) -> np.ndarray:
    """Return the row numbers with the records first that have a long text.

    The memorising copy overfits to the first records, and the extraction attack needs texts that can be continued.
    """
    long = np.zeros(len(table), dtype=bool)
    for field in codec.schema.modelled:
        if field.is_text:
            long |= [count_words(text) >= LONG_TEXT for text in as_texts(table[field.name])]
    return np.argsort(~long, kind="stable")


def memorised_count(members: Sequence[Encoded]) -> int:
    """Return the number of training records that the memorising copy overfits to."""
    tokens = np.cumsum([record.tokens for record in members])
    return int(np.clip((tokens <= MEMORISED_TOKENS).sum(), *np.minimum(MEMORISED_RECORDS, len(members))))


def _are_short(records: Sequence[Encoded]) -> bool:
    from paracosm.finetune.models.lora import SHORT

    return max(record.tokens for record in records) < SHORT

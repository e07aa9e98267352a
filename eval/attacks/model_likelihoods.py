"""Likelihoods of records under the adapter, its base model and a memorising copy: of their tokens, and of the values inside bins."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from paracosm.eval.attacks.likelihood import Likelihood, joined
from paracosm.eval.attacks.likelihood_reader import reader_of
from paracosm.finetune.models.trained_model import load_codec
from paracosm.finetune.objectives.encoded_record import EncodedDocument, EncodedRecord, texts_alone
from paracosm.records.codec.bins.binned_code import BinnedCode
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.masked_layout import SlotRecord
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.schema import Record

Encoded = EncodedRecord | EncodedDocument | SlotRecord
MEMORISED_RECORDS = (8, 48)
"""Fewest and most records that it overfits to; the first number is also its batch size."""
MEMORISING_STEPS = 16
MEMORISING_RATE = 5e-3


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


def _are_short(records: Sequence[Encoded]) -> bool:
    from paracosm.finetune.models.lora import SHORT

    return max(record.tokens for record in records) < SHORT


def with_values(
    likelihoods: Sequence[Likelihood], codec: Codec, records: Sequence[Record], *, fitted: bool
) -> list[Likelihood]:
    """Return the likelihoods of records' tokens together with those of the values inside their bins, one decision for each value.

    Args:
        likelihoods: of the tokens.
        codec: whose bins were fitted to the training records, which an attacker reads as he reads the adapter.
        records: the records.
        fitted: whether values follow the fitted distributions; else they are even over their bins, as before any record was seen.
    """
    if not codec.bins:
        return list(likelihoods)
    return [
        joined((likelihood, _of_values(codec, record, fitted=fitted)))
        for likelihood, record in zip(likelihoods, records, strict=True)
    ]


def _of_values(codec: Codec, record: Record, *, fitted: bool) -> Likelihood:
    rows = []
    for index, (field, code) in enumerate(zip(codec.fields, codec.codes, strict=True)):
        value = record[field.name]
        if not isinstance(code, BinnedCode) or value is None:
            continue
        of_value = code.bin_of(value)
        if of_value.low == of_value.high:
            continue
        log = code.log_probability(value)
        mean, deviation, largest = of_value.moments
        if not fitted:
            log = mean = largest = -np.log(float(of_value.high - of_value.low + 1))
            deviation = 0.0
        rows.append((log, mean, deviation, log >= largest, index))
    columns = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    return Likelihood(*columns[:3], columns[3].astype(bool), columns[4].astype(np.int64))


def text_tokens_alone(record: Encoded, codec: Codec) -> Encoded:
    """Return an encoded record of which the texts alone count."""
    assert not isinstance(record, SlotRecord), "strategy combined trains causal models alone"
    return texts_alone(record, codec)


def shadow_model_likelihoods(
    folder: Path, codec: Codec, records: Sequence[Record], *, texts_only: bool
) -> list[Likelihood]:
    """Return the likelihoods of records under a shadow model, with the bins that were fitted to its own training records.

    Args:
        folder: of the shadow model.
        codec: of the attacked model.
        records: in the domain of the codec.
        texts_only: whether the likelihood of the texts alone counts.
    """
    own = replace(codec, bins=load_codec(folder)[0].bins)
    masks = TokenMasks(own)
    encoded, _ = reader_of(own, masks).encode(records)
    if texts_only:
        alone = [text_tokens_alone(record, own) for record in encoded]
        return adapter_likelihoods(folder, own, masks, alone)
    return with_values(adapter_likelihoods(folder, own, masks, encoded), own, records, fitted=True)

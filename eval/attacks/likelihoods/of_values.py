"""Likelihoods of the values inside bins, which a codec holds beside the adapter; and of records under shadow models with their own bins."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from paracosm.eval.attacks.likelihoods.likelihood import Likelihood, joined
from paracosm.eval.attacks.likelihoods.of_adapter import adapter_likelihoods, learnt_part
from paracosm.eval.attacks.likelihoods.reader import reader_of
from paracosm.finetune.models.trained_model import load_codec
from paracosm.records.codec.bins.binned_code import BinnedCode
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.schema import Record


def with_values(
    likelihoods: Sequence[Likelihood],
    codec: Codec,
    records: Sequence[Record],
    learnt: Collection[str] | None = None,
    *,
    fitted: bool,
) -> list[Likelihood]:
    """Return the likelihoods of records' tokens together with those of the values inside their bins, one decision for each value.

    Args:
        likelihoods: of the tokens.
        codec: whose bins were fitted to the training records, which an attacker reads as he reads the adapter.
        records: the records.
        learnt: columns that are learnt; None for all.
        fitted: whether values follow the fitted distributions; else they are even over their bins, as before any record was seen.
    """
    if not codec.bins:
        return list(likelihoods)
    return [
        joined((likelihood, _of_values(codec, record, learnt, fitted=fitted)))
        for likelihood, record in zip(likelihoods, records, strict=True)
    ]


def _of_values(codec: Codec, record: Record, learnt: Collection[str] | None, *, fitted: bool) -> Likelihood:
    rows = []
    for index, (field, code) in enumerate(zip(codec.fields, codec.codes, strict=True)):
        value = record[field.name]
        if not isinstance(code, BinnedCode) or value is None:
            continue
        if learnt is not None and field.name not in learnt:
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
    log, mean, deviation, best, of = np.array(rows, dtype=np.float64).reshape(-1, 5).T
    return Likelihood(log, mean, deviation, best.astype(bool), of.astype(np.int64))


def shadow_model_likelihoods(
    folder: Path, codec: Codec, records: Sequence[Record], learnt: list[str] | None
) -> list[Likelihood]:
    """Return the likelihoods of records under a shadow model, with the bins that were fitted to its own training records.

    Args:
        folder: of the shadow model.
        codec: of the attacked model.
        records: in the domain of the codec.
        learnt: columns that are learnt; None for all.
    """
    own = replace(codec, bins=load_codec(folder)[0].bins)
    masks = TokenMasks(own)
    encoded, _ = reader_of(own, masks).encode(records)
    if learnt is not None:
        encoded = [learnt_part(record, own, learnt) for record in encoded]
    return with_values(adapter_likelihoods(folder, own, masks, encoded), own, records, learnt, fitted=True)

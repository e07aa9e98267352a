"""Data set and collator of a causal model: token ids, and a mask of allowed tokens for every position."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from paracosm.finetune.objectives.epoch_dataset import EpochDataset
from paracosm.finetune.objectives.grammar_loss import IGNORED
from paracosm.foundation.errors import DataError
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.sequence_codec import sequence_segments
from paracosm.records.codec.token_masks import FORCED, TokenMasks
from paracosm.records.schema.schema import Record
from paracosm.records.splitting.sequences import sequences


@dataclass(frozen=True)
class EncodedRecord:
    """Token ids and mask numbers of a record, per modelled field in schema order.

    Attributes:
        ids: token ids of each field.
        masks: mask number at each of these tokens.
        opening: number of tokens before the first field: the start token, or a prompt.
    """

    ids: tuple[tuple[int, ...], ...]
    masks: tuple[tuple[int, ...], ...]
    opening: int = 1

    @property
    def tokens(self) -> int:
        """Tokens of the whole record, with the start token or prompt."""
        return self.opening + sum(len(segment) for segment in self.ids)

    @property
    def decisions(self) -> int:
        """Number of tokens at which the grammar allows more than one token."""
        return sum(number != FORCED for segment in self.masks for number in segment)


def encode_record(record: Record, codec: Codec, masks: TokenMasks) -> EncodedRecord:
    """Encode one record with its masks.

    Raises:
        DataError: a value lies outside its domain.
    """
    ids, numbers = [], []
    for field_index, segment in enumerate(codec.segments(record)):
        value = segment[1:] if codec.markers else segment
        value_masks = masks.of_value(field_index, value)
        ids.append(tuple(segment))
        numbers.append((FORCED, *value_masks) if codec.markers else tuple(value_masks))
    return EncodedRecord(tuple(ids), tuple(numbers), len(codec.opening))


def texts_alone(record: EncodedRecord, codec: Codec) -> EncodedRecord:
    """Return an encoded record of which a model reads all fields and predicts the texts alone."""
    masks = tuple(
        numbers if field.is_text else (FORCED,) * len(numbers)
        for field, numbers in zip(codec.fields, record.masks, strict=True)
    )
    return replace(record, masks=masks)


def encode_sequence(records: Sequence[Record], codec: Codec, masks: TokenMasks) -> EncodedRecord:
    """Encode the ordered records of one subject with their masks.

    Raises:
        DataError: a value lies outside its domain.
    """
    continuation = masks.of_choice(tuple(codec.continuation.edges))
    ids, numbers = [], []
    for field_index, segment in sequence_segments(codec, records):
        ids.append(tuple(segment))
        numbers.append(
            (continuation,) if field_index is None else tuple(masks.of_value(field_index, segment))
        )
    return EncodedRecord(tuple(ids), tuple(numbers), len(codec.opening))


def encode_all(records: Sequence[Record], codec: Codec, masks: TokenMasks) -> list[EncodedRecord]:
    """Encode training records one by one, or under `data.sequence` the records of each subject together.

    Raises:
        DataError: a value lies outside its domain.
    """
    if codec.schema.sequence is None:
        return [encode_record(record, codec, masks) for record in records]
    return [encode_sequence(group, codec, masks) for group in sequences(records, codec.schema.sequence)]


def encode_held_out(
    records: Sequence[Record], codec: Codec, masks: TokenMasks
) -> tuple[list[EncodedRecord], int]:
    """Encode held-out records, and count those that cannot be encoded.

    A record with a value outside the domain that training fixed has no likelihood.

    Returns:
        The encoded records, and the number of records (or subjects) left out.
    """
    sequence = codec.schema.sequence
    groups = [[record] for record in records] if sequence is None else sequences(records, sequence)
    encoded: list[EncodedRecord] = []
    unencodable = 0
    for group in groups:
        try:
            encoded.extend(encode_all(group, codec, masks))
        except DataError:
            unencodable += 1
    return encoded, unencodable


class RecordDataset(EpochDataset[EncodedRecord]):
    """Records of a causal model: token ids with their mask numbers.

    Attributes:
        opening: tokens before every record, from `Codec.opening`.
        shuffled: whether every record has a random field order in every epoch.
    """

    def __init__(
        self,
        records: Sequence[EncodedRecord],
        *,
        opening: Sequence[int],
        shuffled: bool,
        seed: int,
        redraw: Callable[[int, int], EncodedRecord] | None = None,
    ) -> None:
        super().__init__(records, seed=seed, redraw=redraw)
        self.opening = tuple(opening)
        self.shuffled = shuffled

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        record = self.record(index)
        ids, numbers = list(self.opening), [FORCED] * (len(self.opening) - 1)
        for field_index in self._field_order(index, len(record.ids)):
            ids.extend(record.ids[field_index])
            numbers.extend(record.masks[field_index])
        return {"ids": ids, "masks": numbers}

    def _field_order(self, index: int, fields: int) -> Sequence[int]:
        if not self.shuffled:
            return range(fields)
        return np.random.default_rng(self.seed_of(index)).permutation(fields).tolist()


@dataclass(frozen=True)
class Collator:
    """Pads encoded records on the right and shifts the targets, so that position t predicts token t + 1.

    Attention is causal, so right padding needs no attention mask.

    Attributes:
        vocabulary: token ids of the head's rows; None for the full head.
        padding: token id at padded positions; any id will do.
    """

    vocabulary: tuple[int, ...] | None
    padding: int

    def __call__(self, examples: Sequence[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
        """Return a batch; every tensor has the shape (records, tokens of the longest record)."""
        length = max(len(example["ids"]) for example in examples)
        ids = np.full((len(examples), length), self.padding)
        labels = np.full((len(examples), length), IGNORED)
        masks = np.full((len(examples), length), FORCED)
        for row, example in enumerate(examples):
            count = len(example["ids"])
            ids[row, :count] = example["ids"]
            masks[row, : count - 1] = example["masks"]
            targets = np.asarray(example["ids"][1:])
            if self.vocabulary is not None:
                targets = np.searchsorted(self.vocabulary, targets).clip(max=len(self.vocabulary) - 1)
            labels[row, : count - 1] = np.where(masks[row, : count - 1] == FORCED, IGNORED, targets)
        shifted = torch.from_numpy(labels)
        # transformers counts the loss's items in `labels`, and does not shift again where `shift_labels` is present.
        return {
            "input_ids": torch.from_numpy(ids),
            "labels": shifted,
            "shift_labels": shifted,
            "mask_numbers": torch.from_numpy(masks),
        }

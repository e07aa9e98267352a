"""Records as tensors: token ids, and at every position the mask of what the grammar allows there."""

import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch.utils.data import Dataset

from paracosm.finetune.objectives.grammar_loss import IGNORED
from paracosm.foundation.errors import DataError
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.sequence_codec import sequence_segments
from paracosm.records.codec.token_masks import FORCED, TokenMasks
from paracosm.records.schema.schema import Record
from paracosm.records.splitting.sequences import sequences


@dataclass(frozen=True)
class EncodedRecord:
    """Per modelled field, in schema order: its token ids and the mask number at each of them."""

    ids: tuple[tuple[int, ...], ...]
    masks: tuple[tuple[int, ...], ...]
    opening: int = 1
    """Tokens before the first field: the start token, or a prompt."""

    @property
    def tokens(self) -> int:
        """Tokens of the whole record, start token or prompt included."""
        return self.opening + sum(len(segment) for segment in self.ids)

    @property
    def decisions(self) -> int:
        """Tokens at which the grammar leaves a choice."""
        return sum(number != FORCED for segment in self.masks for number in segment)


def encode_record(record: Record, codec: Codec, masks: TokenMasks) -> EncodedRecord:
    """Encode one record with its masks.

    Raises:
        DataError: a value lies outside its domain.
    """
    ids, numbers = [], []
    for place, segment in enumerate(codec.segments(record)):
        value = segment[1:] if codec.markers else segment
        found = masks.of_value(place, value)
        ids.append(tuple(segment))
        numbers.append((FORCED, *found) if codec.markers else tuple(found))
    return EncodedRecord(tuple(ids), tuple(numbers), len(codec.opening))


def encode_sequence(records: Sequence[Record], codec: Codec, masks: TokenMasks) -> EncodedRecord:
    """Encode the ordered records of one subject with their masks.

    Raises:
        DataError: a value lies outside its domain.
    """
    continuation = masks.of_choice(tuple(codec.continuation.edges))
    ids, numbers = [], []
    for place, segment in sequence_segments(codec, records):
        ids.append(tuple(segment))
        numbers.append((continuation,) if place is None else tuple(masks.of_value(place, segment)))
    return EncodedRecord(tuple(ids), tuple(numbers), len(codec.opening))


def encode_all(records: Sequence[Record], codec: Codec, masks: TokenMasks) -> list[EncodedRecord]:
    """Encode training records: each alone, or those of a subject together.

    Raises:
        DataError: a value lies outside its domain.
    """
    if codec.schema.sequence is None:
        return [encode_record(record, codec, masks) for record in records]
    return [encode_sequence(each, codec, masks) for each in sequences(records, codec.schema.sequence)]


def encode_known(
    records: Sequence[Record], codec: Codec, masks: TokenMasks
) -> tuple[list[EncodedRecord], int]:
    """Encode held-out records; those with a value that training never saw have no likelihood and are counted instead."""
    encoded, unknown = [], 0
    kept = codec.schema.sequence
    for each in records if kept is None else sequences(records, kept):
        try:
            encoded.extend(encode_all([each] if kept is None else each, codec, masks))  # type: ignore[arg-type,list-item]
        except DataError:
            unknown += 1
    return encoded, unknown


class RecordDataset(Dataset):
    """Encoded records for a trainer. Under shuffled order, field orders are a function of (seed, epoch, record).

    Attributes:
        records: as they stand in the table.
        opening: tokens before every record, of `Codec.opening`.
        redraw: gives record `index` as it is in `epoch`; None when records do not change.
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
        self.records = records
        self.opening = tuple(opening)
        self.shuffled = shuffled
        self.seed = seed
        self.redraw = redraw
        self.epoch = 0

    def begin_epoch(self, epoch: int) -> None:
        """Draw other values and field orders. Not named `set_epoch`, which data loaders call on some launches and not on others."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> dict[str, list[int]]:
        record = self.records[index] if self.redraw is None else self.redraw(index, self.epoch)
        ids, numbers = list(self.opening), [FORCED] * (len(self.opening) - 1)
        for place in self._order(index, len(record.ids)):
            ids.extend(record.ids[place])
            numbers.extend(record.masks[place])
        return {"ids": ids, "masks": numbers}

    def _order(self, index: int, fields: int) -> Sequence[int]:
        if not self.shuffled:
            return range(fields)
        key = zlib.crc32(f"{self.seed}/{self.epoch}/{index}".encode())
        return np.random.default_rng(key).permutation(fields).tolist()


@dataclass(frozen=True)
class Collator:
    """Pad encoded records on the right and shift targets, so that position t predicts token t + 1.

    A causal model never looks right, so padding needs no attention mask.

    Attributes:
        vocabulary: token ids of the head's rows; None when the head is whole.
        padding: any token id.
    """

    vocabulary: tuple[int, ...] | None
    padding: int

    def __call__(self, examples: Sequence[dict[str, list[int]]]) -> dict[str, torch.Tensor]:
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
        # The trainer counts items where it finds `labels`, and takes them from `shift_labels` when they are shifted already.
        return {
            "input_ids": torch.from_numpy(ids),
            "labels": shifted,
            "shift_labels": shifted,
            "mask_numbers": torch.from_numpy(masks),
        }

"""Data set and collator of a causal model: token ids, and a mask of allowed tokens for every position."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from paracosm.finetune.objectives.encoded_record import EncodedDocument, EncodedRecord, windows
from paracosm.finetune.objectives.epoch_dataset import EpochDataset
from paracosm.finetune.objectives.grammar_loss import IGNORED
from paracosm.records.codec.token_masks import FORCED


class RecordDataset(EpochDataset[EncodedRecord]):
    """Records of a causal model: token ids with their mask numbers. A document gives one example for each of its passages.

    Attributes:
        opening: tokens before every record, from `Codec.opening`.
        shuffled: whether every record has a random field order in every epoch.
    """

    def __init__(
        self,
        records: Sequence[EncodedRecord | EncodedDocument],
        *,
        opening: Sequence[int],
        shuffled: bool,
        seed: int,
        redraw: Callable[[int, int], EncodedRecord] | None = None,
    ) -> None:
        examples, record_of = windows(records)
        super().__init__(examples, seed=seed, redraw=redraw, record_of=record_of)
        self.opening = tuple(opening)
        self.shuffled = shuffled

    def record(self, index: int) -> EncodedRecord:
        """Return example `index` as it is in the current epoch; of a document, only its columns change."""
        if self.redraw is None:
            return self.records[index]
        drawn, example = self.redraw(self.record_of[index], self.epoch), self.records[index]
        return drawn if not example.in_place else example.with_columns(drawn)

    def __getitem__(self, index: int) -> dict[str, Any]:
        record = self.record(index)
        ids, numbers = list(self.opening), [FORCED] * (len(self.opening) - 1)
        for field_index in self._field_order(index, len(record.ids) - record.in_place):
            ids.extend(record.ids[field_index])
            numbers.extend(record.masks[field_index])
        for field_index in range(len(record.ids) - record.in_place, len(record.ids)):
            ids.extend(record.ids[field_index])
            numbers.extend(record.masks[field_index])
        return {"ids": ids, "masks": numbers, "constant": sum(record.constants)}

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

    def __call__(self, examples: Sequence[dict[str, Any]]) -> dict[str, torch.Tensor]:
        """Return a batch: `constant` of shape (records, 1), and tensors of the shape (records, tokens of the longest record)."""
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
            "constant": torch.tensor([[example["constant"]] for example in examples], dtype=torch.float32),
        }

"""Compute the likelihood of records under a model: exact for a causal one, a pseudo-likelihood for a masked one."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from paracosm.eval.attacks.likelihoods.likelihood import Likelihood, joined, token_statistics
from paracosm.finetune.objectives.causal_dataset import Collator, RecordDataset
from paracosm.finetune.objectives.encoded_record import (
    EncodedDocument,
    EncodedRecord,
    encode_held_out,
    windows,
)
from paracosm.finetune.objectives.grammar_loss import IGNORED, GrammarLoss
from paracosm.finetune.objectives.masked import encode_held_out_slots
from paracosm.finetune.objectives.masked_dataset import Example, MaskedCollator, example, training_example
from paracosm.finetune.objectives.slot_logits import AllowedColumns, slot_scores
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.masked_layout import MaskedLayout, MaskState, SlotRecord
from paracosm.records.codec.token_masks import FORCED, TokenMasks
from paracosm.records.schema.schema import Record

if TYPE_CHECKING:
    from transformers import PreTrainedModel

LOGITS_PER_BATCH = 30_000_000
POSITIONS_PER_BLOCK = 512
ROWS_PER_BATCH = 128
HIDDEN_STRIDE = 8
"""One in so many pieces of a text is hidden at once, so that each is predicted from its neighbours."""


class LikelihoodReader(Protocol):
    """Encodes records of one codec and computes their likelihood and loss under a model."""

    def encode(self, records: Sequence[Record]) -> tuple[Sequence[Any], int]:
        """Encode records; return them, and the number of records left out for a value that training never saw."""
        ...

    def likelihoods(self, model: "PreTrainedModel", records: Sequence[Any]) -> list[Likelihood]:
        """Return the likelihood of each encoded record; decisions are the same under every model."""
        ...

    def loss(self, model: torch.nn.Module, records: Sequence[Any], step: int) -> torch.Tensor:
        """Return the training loss of a few encoded records, summed, in nats."""
        ...


def reader_of(codec: Codec, masks: TokenMasks) -> LikelihoodReader:
    """Return the reader for the objective of a codec."""
    return {"causal": CausalReader, "masked": MaskedReader}[codec.objective](codec, masks)


class CausalReader:
    """Exact likelihoods under a causal model, in one forward pass for each record, or for each passage of a document."""

    def __init__(self, codec: Codec, masks: TokenMasks) -> None:
        self.codec, self.masks = codec, masks
        self._collate = Collator(codec.vocabulary, codec.alphabet.stop)

    def encode(self, records: Sequence[Record]) -> tuple[Sequence[EncodedRecord | EncodedDocument], int]:
        return encode_held_out(records, self.codec, self.masks)

    def likelihoods(
        self, model: "PreTrainedModel", records: Sequence[EncodedRecord | EncodedDocument]
    ) -> list[Likelihood]:
        columns = len(self.codec.vocabulary or self.codec.tokenizer)  # type: ignore[arg-type]
        parts, record_of = windows(records)
        results: dict[int, Likelihood] = {}
        model.eval()
        with torch.inference_mode():
            for numbers in _batches_by_length(parts, columns):
                batch = self._batch([parts[number] for number in numbers])
                logits = model(input_ids=batch["input_ids"].to(model.device), use_cache=False).logits
                for row, number in enumerate(numbers):
                    results[number] = self._likelihood(
                        logits[row], batch["labels"][row], batch["mask_numbers"][row], parts[number]
                    )
        of_record: list[list[Likelihood]] = [[] for _ in records]
        for number, index in enumerate(record_of):
            of_record[index].append(results[number])
        return [each[0] if len(each) == 1 else joined(each) for each in of_record]

    def loss(
        self, model: torch.nn.Module, records: Sequence[EncodedRecord | EncodedDocument], step: int
    ) -> torch.Tensor:
        batch = _on_device(self._batch(records), model)
        logits = model(input_ids=batch["input_ids"], use_cache=False).logits
        return GrammarLoss(self.masks, self.codec.vocabulary)(logits, batch["labels"], batch["mask_numbers"])

    def _batch(self, records: Sequence[EncodedRecord | EncodedDocument]) -> dict[str, torch.Tensor]:
        examples = RecordDataset(records, opening=self.codec.opening, shuffled=False, seed=0)
        return self._collate([examples[index] for index in range(len(examples))])

    def _likelihood(
        self, logits: torch.Tensor, labels: torch.Tensor, mask_numbers: torch.Tensor, record: EncodedRecord
    ) -> Likelihood:
        decisions = labels != IGNORED
        logits, labels, numbers = logits[decisions], labels[decisions], mask_numbers[decisions].numpy()
        parts = []
        for begin in range(0, len(labels), POSITIONS_PER_BLOCK):
            part = slice(begin, begin + POSITIONS_PER_BLOCK)
            used, where = np.unique(numbers[part], return_inverse=True)
            table = self.masks.allowed(used.tolist(), self.codec.vocabulary, logits.shape[-1])
            allowed = torch.from_numpy(table[where]).to(logits.device)
            logs = torch.log_softmax(logits[part].float().masked_fill(~allowed, -torch.inf), dim=-1)
            parts.append(_to_numpy(token_statistics(logs, labels[part].to(logits.device))))
        fields = [index for index, segment in enumerate(record.masks) for mask in segment if mask != FORCED]
        return _joined(parts, np.array(fields))


class MaskedReader:
    """Pseudo-likelihoods under a masked model.

    Each decision is predicted from the whole record, except for what follows it in its own cell.
    """

    def __init__(self, codec: Codec, masks: TokenMasks) -> None:
        self.codec, self.layout = codec, MaskedLayout(codec)

    @cached_property
    def _collate(self) -> MaskedCollator:
        return MaskedCollator(self.codec.vocabulary, self.layout.padding, 1)

    def encode(self, records: Sequence[Record]) -> tuple[Sequence[SlotRecord], int]:
        return encode_held_out_slots(list(records), self.layout)

    def likelihoods(self, model: "PreTrainedModel", records: Sequence[SlotRecord]) -> list[Likelihood]:
        columns = self._allowed_columns(model)
        rows: list[tuple[int, int, Example]] = []
        for number, record in enumerate(records):
            rows += [(number, field, row) for field, row in self._masked_rows(record, columns)]
        statistics: list[list[np.ndarray]] = [[]] * len(rows)
        model.eval()
        with torch.inference_mode():
            # Rows of similar length together, so that there is little padding.
            order = sorted(range(len(rows)), key=lambda index: len(rows[index][2].ids))
            for begin in range(0, len(order), ROWS_PER_BATCH):
                part = order[begin : begin + ROWS_PER_BATCH]
                batch = _on_device(self._collate([[rows[index][2]] for index in part]), model)
                logs = columns.log_probabilities(_scores(model, batch), batch["mask_numbers"])
                arrays = _to_numpy(token_statistics(logs, batch["targets"]))
                row_of_slot = batch["rows"].cpu().numpy()
                for row, index in enumerate(part):
                    statistics[index] = [array[row_of_slot == row] for array in arrays]
        numbers = np.array([number for number, _, _ in rows], dtype=np.int64)
        fields = np.array([field for _, field, _ in rows], dtype=np.int64)
        decisions = np.array([len(arrays[0]) for arrays in statistics], dtype=np.int64)
        return [
            _joined([statistics[index] for index in indices], np.repeat(fields[indices], decisions[indices]))
            for indices in (np.flatnonzero(numbers == number) for number in range(len(records)))
        ]

    def loss(self, model: torch.nn.Module, records: Sequence[SlotRecord], step: int) -> torch.Tensor:
        columns = self._allowed_columns(model)
        random = np.random.default_rng(step)
        drawn = [[training_example(record, self.layout, columns, random)] for record in records]
        batch = _on_device(self._collate(drawn), model)
        return columns.loss(_scores(model, batch), batch["mask_numbers"], batch["targets"], batch["weights"])

    def _masked_rows(self, record: SlotRecord, columns: AllowedColumns) -> list[tuple[int, Example]]:
        """Return the rows whose hidden slots together cover every decision of a record, each with its field index."""
        rows = []
        for field, cell in enumerate(record.cells):
            for shown in range(len(cell)):
                hidden = MaskState({field: shown})
                rows.append((field, example(record, self.layout, columns, hidden, {field: 1.0})))
            pieces = range(len(record.texts.get(field, ())))
            for first in pieces[:HIDDEN_STRIDE]:
                hidden = MaskState({}, {field: list(pieces[first::HIDDEN_STRIDE])})
                rows.append((field, example(record, self.layout, columns, hidden, {field: 1.0})))
        return rows

    def _allowed_columns(self, model: torch.nn.Module) -> AllowedColumns:
        return AllowedColumns(self.layout, model.get_output_embeddings().weight.shape[0])  # type: ignore[operator]


def _batches_by_length(records: Sequence[EncodedRecord], columns: int) -> list[list[int]]:
    """Return record numbers in batches of similar length whose logits fit in memory."""
    batches: list[list[int]] = []
    for number in np.argsort([-record.tokens for record in records], kind="stable").tolist():
        longest = records[batches[-1][0]].tokens if batches else 0
        if not batches or (len(batches[-1]) + 1) * longest * columns > LOGITS_PER_BATCH:
            batches.append([])
        batches[-1].append(number)
    return batches


def _joined(parts: Sequence[Sequence[np.ndarray]], field_index: np.ndarray) -> Likelihood:
    """Return the likelihood of one record from the token statistics of its parts."""
    if not parts:
        return Likelihood(*(np.zeros(0) for _ in range(5)))
    log_probability, expected, deviation, is_argmax = (
        np.concatenate(arrays) for arrays in zip(*parts, strict=True)
    )
    return Likelihood(log_probability, expected, deviation, is_argmax, field_index)


def _scores(model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
    return slot_scores(model, batch["input_ids"], batch["attention_mask"], batch["rows"], batch["positions"])


def _on_device(batch: dict[str, torch.Tensor], model: torch.nn.Module) -> dict[str, torch.Tensor]:
    device = next(model.parameters()).device
    return {name: tensor.to(device) for name, tensor in batch.items()}


def _to_numpy(tensors: Sequence[torch.Tensor]) -> list[np.ndarray]:
    return [tensor.cpu().numpy() for tensor in tensors]

"""How an attack reads records under a model: token after token for a causal one, each part hidden alone for a masked one."""

from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
import torch

from paracosm.eval.attacks.likelihood import Likelihood, read_likelihoods, told_by
from paracosm.finetune.objectives.causal_dataset import (
    Collator,
    EncodedRecord,
    RecordDataset,
    encode_held_out,
)
from paracosm.finetune.objectives.grammar_loss import GrammarLoss
from paracosm.finetune.objectives.masked import encode_held_out_slots
from paracosm.finetune.objectives.masked_dataset import Example, MaskedCollator, example, training_example
from paracosm.finetune.objectives.slot_logits import AllowedColumns, slot_scores
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.masked_layout import MaskedLayout, MaskState, SlotRecord
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.schema import Record

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ROWS_AT_ONCE = 128
APART = 8
"""Every so many pieces of a text are hidden together, so that each is predicted from its neighbours."""


class RecordReader(Protocol):
    """Reads records of one codec."""

    def encode(self, records: Sequence[Record]) -> tuple[Sequence[Any], int]:
        """Encode records; return them, and how many hold a value that training never saw."""
        ...

    def likelihoods(self, model: "PreTrainedModel", records: Sequence[Any]) -> list[Likelihood]:
        """Return the likelihood of each encoded record; every model is asked the same questions."""
        ...

    def loss(self, model: torch.nn.Module, records: Sequence[Any], step: int) -> torch.Tensor:
        """Return the training loss of a few encoded records, summed, in nats."""
        ...


def reader_of(codec: Codec, masks: TokenMasks) -> RecordReader:
    """Return the reader of a codec's records."""
    return {"causal": CausalReader, "masked": MaskedReader}[codec.objective](codec, masks)


class CausalReader:
    """Exact likelihoods, in one forward pass a record."""

    def __init__(self, codec: Codec, masks: TokenMasks) -> None:
        self.codec, self.masks = codec, masks

    def encode(self, records: Sequence[Record]) -> tuple[Sequence[EncodedRecord], int]:
        return encode_held_out(records, self.codec, self.masks)

    def likelihoods(self, model: "PreTrainedModel", records: Sequence[EncodedRecord]) -> list[Likelihood]:
        return read_likelihoods(model, self.codec, self.masks, records)

    def loss(self, model: torch.nn.Module, records: Sequence[EncodedRecord], step: int) -> torch.Tensor:
        examples = RecordDataset(records, opening=self.codec.opening, shuffled=False, seed=0)
        collate = Collator(self.codec.vocabulary, self.codec.alphabet.stop)
        batch = _on_device(collate([examples[number] for number in range(len(records))]), model)
        logits = model(input_ids=batch["input_ids"], use_cache=False).logits
        return GrammarLoss(self.masks, self.codec.vocabulary)(logits, batch["labels"], batch["mask_numbers"])


class MaskedReader:
    """Pseudo-likelihoods: each decision from everything else of the record but what comes after it in its own cell."""

    def __init__(self, codec: Codec, masks: TokenMasks) -> None:
        self.codec, self.slots = codec, MaskedLayout(codec)

    @cached_property
    def _collate(self) -> MaskedCollator:
        return MaskedCollator(self.codec.vocabulary, self.slots.padding, 1)

    def encode(self, records: Sequence[Record]) -> tuple[Sequence[SlotRecord], int]:
        return encode_held_out_slots(list(records), self.slots)

    def likelihoods(self, model: "PreTrainedModel", records: Sequence[SlotRecord]) -> list[Likelihood]:
        choices = self._choices(model)
        rows: list[tuple[int, int, Example]] = []
        for number, record in enumerate(records):
            rows += [(number, place, row) for place, row in self._rows(record, choices)]
        found: list[dict[int, tuple[np.ndarray, ...]]] = [{} for _ in records]
        model.eval()
        with torch.inference_mode():
            # Rows of like length together, so that little is padding.
            order = sorted(range(len(rows)), key=lambda at: len(rows[at][2].ids))
            for begin in range(0, len(order), ROWS_AT_ONCE):
                part = order[begin : begin + ROWS_AT_ONCE]
                batch = _on_device(self._collate([[rows[at][2]] for at in part]), model)
                told = self._told(model, batch, choices)
                asked = batch["rows"].cpu().numpy()
                for row, at in enumerate(part):
                    found[rows[at][0]][at] = tuple(each[asked == row] for each in told)
        places = {at: place for at, (_, place, _) in enumerate(rows)}
        return [self._together(each, places) for each in found]

    def _together(self, found: dict[int, tuple[np.ndarray, ...]], places: dict[int, int]) -> Likelihood:
        if not found:
            return Likelihood(*(np.zeros(0) for _ in range(5)))
        parts = [np.concatenate([found[at][kind] for at in sorted(found)]) for kind in range(4)]
        place = np.concatenate([np.full(len(found[at][0]), places[at]) for at in sorted(found)])
        return Likelihood(parts[0], parts[1], parts[2], parts[3], place)

    def _rows(self, record: SlotRecord, choices: AllowedColumns) -> list[tuple[int, Example]]:
        """Return place and row of each question that is asked about a record."""
        found = []
        for place, cell in enumerate(record.cells):
            for shown in range(len(cell)):
                hidden = MaskState({place: shown})
                found.append((place, example(record, self.slots, choices, hidden, {place: 1.0})))
            pieces = range(len(record.texts.get(place, ())))
            for first in pieces[:APART]:
                hidden = MaskState({}, {place: list(pieces[first::APART])})
                found.append((place, example(record, self.slots, choices, hidden, {place: 1.0})))
        return found

    def _told(
        self, model: torch.nn.Module, batch: dict[str, torch.Tensor], choices: AllowedColumns
    ) -> list[np.ndarray]:
        scores = slot_scores(
            model, batch["input_ids"], batch["attention_mask"], batch["rows"], batch["positions"]
        )
        logs = choices.log_probabilities(scores, batch["mask_numbers"])
        return [each.cpu().numpy() for each in told_by(logs, batch["targets"])]

    def loss(self, model: torch.nn.Module, records: Sequence[SlotRecord], step: int) -> torch.Tensor:
        choices = self._choices(model)
        chance = np.random.default_rng(step)
        drawn = [[training_example(record, self.slots, choices, chance)] for record in records]
        batch = _on_device(self._collate(drawn), model)
        scores = slot_scores(
            model, batch["input_ids"], batch["attention_mask"], batch["rows"], batch["positions"]
        )
        return choices.loss(scores, batch["mask_numbers"], batch["targets"], batch["weights"])

    def _choices(self, model: torch.nn.Module) -> AllowedColumns:
        return AllowedColumns(self.slots, model.get_output_embeddings().weight.shape[0])  # type: ignore[operator]


def _on_device(batch: dict[str, torch.Tensor], model: torch.nn.Module) -> dict[str, torch.Tensor]:
    device = next(model.parameters()).device
    return {name: each.to(device) for name, each in batch.items()}

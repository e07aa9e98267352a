"""What a masked model is trained on: records as rows of slots with hidden parts, and the loss of a batch of them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from paracosm.finetune.models.base_model import load_config, load_tokenizer
from paracosm.finetune.objectives.masked_dataset import (
    Example,
    MaskedCollator,
    MaskedDataset,
    control_examples,
    training_example,
)
from paracosm.finetune.objectives.rank_smoothing import Smoothing, default_ranks
from paracosm.finetune.objectives.slot_logits import AllowedColumns, slot_scores
from paracosm.foundation.errors import DataError, ModelError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.masked_layout import MaskedLayout, SlotRecord
from paracosm.records.codec.text_lengths import text_tokens
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.schema.table import read_table, to_records

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CONTROL_SEED = 2**31


@dataclass(frozen=True)
class MaskedObjective:
    """Training and control records as a masked model reads them; see `Material` for the attributes that both have.

    Attributes:
        slots: the layout of rows.
        choices: what each slot may hold.
    """

    codec: Codec
    tokenizer: "PreTrainedTokenizerBase"
    train: MaskedDataset
    control: MaskedDataset
    unknown: int
    collate: MaskedCollator
    smoothing_ranks: int
    slots: MaskedLayout
    choices: AllowedColumns
    cut: int = 0
    """Training records with a text that is longer than the model reads, of which the beginning is learnt."""

    @property
    def planted(self) -> int:
        """Canaries among the records to learn: none."""
        return 0

    @property
    def longest(self) -> int:
        """Tokens of the longest training row."""
        return max(record.tokens for record in self.train.records)

    @property
    def tokens(self) -> float:
        """Mean tokens per training row."""
        return sum(record.tokens for record in self.train.records) / len(self.train)

    @property
    def decisions(self) -> float:
        """Decisions per training record, rounded as the loss is divided by them."""
        return self.collate.decisions

    def summed_loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return the weighted negative log-likelihood of a batch's asked slots, in nats."""
        scores = slot_scores(
            model, batch["input_ids"], batch["attention_mask"], batch["rows"], batch["positions"]
        )
        loss = self.choices.loss(scores, batch["choices"], batch["targets"], batch["weights"])
        return loss + batch["constant"]


def masked_codec(
    recipe: Recipe, schema: Schema, tokenizer: "PreTrainedTokenizerBase", records: list[Record]
) -> Codec:
    """Return the codec of records for the recipe's masked model.

    Raises:
        ModelError: the tokenizer has no mask token, or the schema makes sequences.
    """
    if schema.sequence is not None:
        raise ModelError(
            "finetune.objective: masked models make single records; leave data.sequence out, or train a causal model"
        )
    codec = Codec(schema, tokenizer, "slots")  # type: ignore[arg-type]  # typed more loosely
    known = (getattr(load_config(recipe.model), "max_position_embeddings", None), tokenizer.model_max_length)
    limit = min(each for each in known if each is not None)
    codec = Codec(schema, tokenizer, "slots", text_tokens=text_tokens(codec, records, limit))  # type: ignore[arg-type]
    assert MaskedLayout(codec).mask is not None
    return codec


def encode_known_slots(records: list[Record], slots: MaskedLayout) -> tuple[list[SlotRecord], int]:
    """Encode held-out records; those with a value or a length that training never saw are counted instead."""
    found, unknown = [], 0
    for record in records:
        try:
            found.append(slots.encode(record))
        except DataError:
            unknown += 1
    return found, unknown


def masked_objective(recipe: Recipe, run: Run) -> MaskedObjective:
    """Read and encode the run's records for a masked model.

    Raises:
        ModelError: the base model's tokenizer is not there, or is of no masked model.
        DataError: a training record, or every control record, cannot be encoded.
    """
    settings = recipe.finetune
    if settings.prompt is not None:
        raise ModelError("finetune.prompt: is for causal instruct models; a masked one has no prompt")
    if settings.canaries:
        raise ModelError("finetune.canaries: are planted for causal models; leave them out for a masked one")
    schema = Schema.load(run.schema)
    tokenizer = load_tokenizer(recipe.model)
    records = to_records(read_table(run.split("train"), schema), schema)
    codec = masked_codec(recipe, schema, tokenizer, records)
    slots = MaskedLayout(codec)
    # A text's end past the model's room is not learnt; held-out texts are not cut, and have no likelihood.
    whole, records = records, [slots.fitting(record) for record in records]
    encoded = [slots.encode(record) for record in records]
    held_out = to_records(read_table(run.split("control"), schema), schema)
    control, unknown = encode_known_slots(held_out, slots)
    if not control:
        raise DataError(
            "no control record can be encoded: each holds a value that training never saw; enlarge data.split.control"
        )
    columns = len(codec.vocabulary) if codec.vocabulary is not None else head_columns(recipe, tokenizer)
    choices = AllowedColumns(slots, columns)
    ranks = default_ranks(len(records)) if settings.smoothing is None else settings.smoothing
    smoothing = Smoothing.of(records, schema, ranks=ranks, seed=settings.seed)

    def hidden_once(record: SlotRecord, chance: np.random.Generator) -> list[Example]:
        return [training_example(record, slots, choices, chance)]

    def hidden_evenly(record: SlotRecord, chance: np.random.Generator) -> list[Example]:
        return control_examples(record, slots, choices, chance)

    decisions = max(1, round(sum(each.decisions for each in encoded) / len(encoded)))
    return MaskedObjective(
        codec,
        tokenizer,
        MaskedDataset(
            encoded,
            draw=hidden_once,
            seed=settings.seed,
            redraw=(lambda index, epoch: slots.encode(smoothing(index, epoch))) if ranks else None,
        ),
        MaskedDataset(control, draw=hidden_evenly, seed=CONTROL_SEED),
        unknown,
        MaskedCollator(codec.vocabulary, slots.padding, decisions),
        ranks,
        slots,
        choices,
        sum(before != after for before, after in zip(whole, records, strict=True)),
    )


def head_columns(recipe: Recipe, tokenizer: "PreTrainedTokenizerBase") -> int:
    """Return how many columns the whole head has: it may be padded past the tokenizer's tokens."""
    return max(load_config(recipe.model).vocab_size, len(tokenizer))

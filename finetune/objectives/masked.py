"""Training objective of a masked model: predict hidden slots of records, each over the tokens that the grammar allows."""

from dataclasses import dataclass, replace
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
from paracosm.records.codec.bins.binned_fields import bins_of
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.masked_layout import MaskedLayout, SlotRecord
from paracosm.records.codec.text_lengths import text_tokens
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.splitting.split_records import read_split_records

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

CONTROL_SEED = 2**31


@dataclass(frozen=True)
class MaskedObjective:
    """Encoded training and control records of a masked model, and their loss.

    Attributes:
        layout: the layout of rows.
        columns: masks of the head's columns for the slots.

    The other attributes are those of `TrainingObjective`.
    """

    codec: Codec
    tokenizer: "PreTrainedTokenizerBase"
    train: MaskedDataset
    control: MaskedDataset
    unencodable: int
    collate: MaskedCollator
    smoothing_ranks: int
    layout: MaskedLayout
    columns: AllowedColumns
    truncated: int = 0
    canaries: int = 0

    @property
    def mean_decisions(self) -> float:
        """Mean decisions per training record, rounded to the integer by which the loss is divided."""
        return self.collate.decisions

    def summed_loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return the weighted negative log-likelihood of a batch's hidden slots, in nats."""
        scores = slot_scores(
            model, batch["input_ids"], batch["attention_mask"], batch["rows"], batch["positions"]
        )
        loss = self.columns.loss(scores, batch["mask_numbers"], batch["targets"], batch["weights"])
        return loss + batch["constant"]


def masked_codec(
    recipe: Recipe, schema: Schema, tokenizer: "PreTrainedTokenizerBase", records: list[Record]
) -> Codec:
    """Return the codec of records for the recipe's masked model.

    Raises:
        ModelError: the tokenizer has no mask token, or the recipe asks for sequences.
    """
    if schema.sequence is not None:
        raise ModelError(
            "finetune.objective: masked models cannot generate sequences; remove data.sequence, or train a causal model"
        )
    codec = Codec(schema, tokenizer, "slots")  # type: ignore[arg-type]  # typed more loosely
    limits = (getattr(load_config(recipe.model), "max_position_embeddings", None), tokenizer.model_max_length)
    limit = min(tokens for tokens in limits if tokens is not None)
    codec = replace(
        codec,
        text_tokens=text_tokens(codec, records, limit),
        bins=bins_of(recipe, schema, records, tokenizer),  # type: ignore[arg-type]
    )
    assert MaskedLayout(codec).mask is not None
    return codec


def encode_held_out_slots(records: list[Record], layout: MaskedLayout) -> tuple[list[SlotRecord], int]:
    """Encode held-out records, and count those with a value or a text length outside the domain that training fixed."""
    encoded, unencodable = [], 0
    for record in records:
        try:
            encoded.append(layout.encode(record))
        except DataError:
            unencodable += 1
    return encoded, unencodable


def masked_objective(recipe: Recipe, run: Run) -> MaskedObjective:
    """Read and encode the run's records for a masked model.

    Raises:
        ModelError: the base model's tokenizer is missing, or does not belong to a masked model.
        DataError: a training record, or every control record, cannot be encoded.
    """
    settings = recipe.finetune
    if settings.prompt is not None:
        raise ModelError("finetune.prompt: is for causal instruct models; remove it to train a masked model")
    if settings.canaries:
        raise ModelError("finetune.canaries: are for causal models; remove them to train a masked model")
    schema = Schema.load(run.schema)
    tokenizer = load_tokenizer(recipe.model)
    records, held_out = read_split_records(recipe, run, schema)
    codec = masked_codec(recipe, schema, tokenizer, records)
    layout = MaskedLayout(codec)
    # Training texts are cut at the model's limit; a longer held-out text is not cut, and has no likelihood.
    untruncated, records = records, [layout.fitting(record) for record in records]
    encoded = [layout.encode(record) for record in records]
    control, unencodable = encode_held_out_slots(held_out, layout)
    if not control:
        raise DataError(
            "no control record can be encoded: each holds a value that no training record has; enlarge data.split.control"
        )
    width = len(codec.vocabulary) if codec.vocabulary is not None else head_width(recipe, tokenizer)
    columns = AllowedColumns(layout, width)
    ranks = default_ranks(len(records)) if settings.smoothing is None else settings.smoothing
    smoothing = Smoothing.of(records, schema, ranks=ranks, seed=settings.seed, target=recipe.data.target)

    def training_rows(record: SlotRecord, rng: np.random.Generator) -> list[Example]:
        return [training_example(record, layout, columns, rng)]

    def control_rows(record: SlotRecord, rng: np.random.Generator) -> list[Example]:
        return control_examples(record, layout, columns, rng)

    train = MaskedDataset(
        encoded,
        draw=training_rows,
        seed=settings.seed,
        redraw=(lambda index, epoch: layout.encode(smoothing(index, epoch))) if ranks else None,
    )
    return MaskedObjective(
        codec,
        tokenizer,
        train,
        MaskedDataset(control, draw=control_rows, seed=CONTROL_SEED),
        unencodable,
        MaskedCollator(codec.vocabulary, layout.padding, max(1, round(train.mean_decisions))),
        ranks,
        layout,
        columns,
        truncated=sum(before != after for before, after in zip(untruncated, records, strict=True)),
    )


def head_width(recipe: Recipe, tokenizer: "PreTrainedTokenizerBase") -> int:
    """Return the number of columns of the full head, which may be padded past the tokenizer's tokens."""
    return max(load_config(recipe.model).vocab_size, len(tokenizer))

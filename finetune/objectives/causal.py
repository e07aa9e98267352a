"""What a model is trained on: the encoded records of a run, and the loss of a batch of them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch

from paracosm.finetune.models.base_model import load_tokenizer
from paracosm.finetune.models.chat_prompt import codec_for
from paracosm.finetune.models.restricted_head import only_at
from paracosm.finetune.objectives.canaries import planted_records
from paracosm.finetune.objectives.causal_dataset import (
    Collator,
    RecordDataset,
    encode_all,
    encode_known,
    encode_record,
)
from paracosm.finetune.objectives.grammar_loss import IGNORED, GrammarLoss
from paracosm.finetune.objectives.rank_smoothing import Smoothing, default_ranks
from paracosm.foundation.errors import DataError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table, to_records

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class CausalObjective:
    """Training and control records as a model reads them.

    Attributes:
        codec: how records are written.
        tokenizer: of the base model.
        train: the records to learn.
        control: the held-out records that can be encoded.
        unknown: how many held-out records hold a value that training never saw, and have no likelihood.
        collate: makes a batch of examples.
        grammar_loss: of a batch's logits.
        smoothing_ranks: the farthest that a value moves in an epoch; 0 when none does.
        planted: how many of the records to learn, the last ones, are canaries.
    """

    codec: Codec
    tokenizer: "PreTrainedTokenizerBase"
    train: RecordDataset
    control: RecordDataset
    unknown: int
    collate: Callable[[Sequence[dict[str, list[int]]]], dict[str, torch.Tensor]]
    grammar_loss: GrammarLoss
    smoothing_ranks: int
    planted: int = 0

    @property
    def cut(self) -> int:
        """Records of which a part is not learnt: none."""
        return 0

    @property
    def longest(self) -> int:
        """Tokens of the longest training record."""
        return max(record.tokens for record in self.train.records)

    @property
    def tokens(self) -> float:
        """Mean tokens per training record, start token included."""
        return sum(record.tokens for record in self.train.records) / len(self.train)

    @property
    def decisions(self) -> float:
        """Mean tokens per training record at which the grammar leaves a choice."""
        return sum(record.decisions for record in self.train.records) / len(self.train)

    def summed_loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return the negative log-likelihood of a batch's decisions, summed, in nats."""
        chosen = batch["shift_labels"] != IGNORED
        layout: dict[str, Any] = {}
        if "record_lengths" in batch:
            layout = {
                "position_ids": batch["position_ids"],
                "record_lengths": batch["record_lengths"].tolist(),
            }
        with only_at(model, chosen):
            logits = model(input_ids=batch["input_ids"], use_cache=False, **layout).logits
        return self.grammar_loss(logits[0], batch["shift_labels"][chosen], batch["mask_numbers"][chosen])

    def record_losses(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return the loss of each record of a batch, in nats: the mean over its own decisions, so that no record shapes another's."""
        logits = model(input_ids=batch["input_ids"], use_cache=False).logits
        sums = self.grammar_loss.of_records(logits, batch["shift_labels"], batch["mask_numbers"])
        return sums / (batch["shift_labels"] != IGNORED).sum(1).clamp(min=1)


def causal_objective(recipe: Recipe, run: Run) -> CausalObjective:
    """Read and encode the run's records for a causal model.

    Raises:
        ModelError: the base model's tokenizer is not there.
        DataError: a training record, or every control record, cannot be encoded.
    """
    settings = recipe.finetune
    shuffled = settings.order == "shuffled"
    schema = Schema.load(run.schema)
    tokenizer = load_tokenizer(recipe.model)
    codec = codec_for(recipe, schema, tokenizer)
    masks = TokenMasks(codec)
    records = to_records(read_table(run.split("train"), schema), schema)
    planted = planted_records(recipe, run, codec, records)
    encoded = [*encode_all(records, codec, masks), *encode_all(planted, codec, masks)]
    held_out = to_records(read_table(run.split("control"), schema), schema)
    control, unknown = encode_known(held_out, codec, masks)
    if not control:
        raise DataError(
            "no control record can be encoded: each holds a value that training never saw; enlarge data.split.control"
        )
    ranks = default_ranks(len(records)) if settings.smoothing is None else settings.smoothing
    if schema.sequence is not None:
        # Moved times would leave their order.
        ranks = 0
    # Canaries move like any record, and among the values of real ones.
    smoothing = Smoothing.of(records, schema, ranks=ranks, seed=settings.seed)
    smoothing = replace(smoothing, records=[*records, *planted])
    train = RecordDataset(
        encoded,
        opening=codec.opening,
        shuffled=shuffled,
        seed=settings.seed,
        redraw=(lambda index, epoch: encode_record(smoothing(index, epoch), codec, masks)) if ranks else None,
    )
    return CausalObjective(
        codec,
        tokenizer,
        train,
        RecordDataset(control, opening=codec.opening, shuffled=shuffled, seed=-1),
        unknown,
        Collator(codec.vocabulary, codec.alphabet.stop),
        GrammarLoss(masks, codec.vocabulary),
        ranks,
        len(planted),
    )

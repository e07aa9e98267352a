"""Training objective of a causal model: predict the tokens of records, each over the tokens that the grammar allows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import torch

from paracosm.finetune.models.base_model import load_tokenizer
from paracosm.finetune.models.chat_prompt import codec_for
from paracosm.finetune.models.restricted_head import logits_at
from paracosm.finetune.objectives.canaries import included_canaries
from paracosm.finetune.objectives.causal_dataset import Collator, RecordDataset
from paracosm.finetune.objectives.encoded_record import (
    EncodedDocument,
    EncodedRecord,
    columns_alone,
    encode_all,
    encode_columns,
    encode_held_out,
    encode_record,
    turns_alone,
)
from paracosm.finetune.objectives.grammar_loss import IGNORED, GrammarLoss
from paracosm.finetune.objectives.rank_smoothing import Smoothing, default_ranks
from paracosm.foundation.errors import DataError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.learnt_part import learnt_columns, refuse_loss
from paracosm.records.schema.schema import Schema
from paracosm.records.splitting.split_records import read_split_records

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class CausalObjective:
    """Encoded training and control records of a causal model, and their loss.

    Attributes:
        grammar_loss: of a batch's logits.

    The other attributes are those of `TrainingObjective`.
    """

    codec: Codec
    tokenizer: "PreTrainedTokenizerBase"
    train: RecordDataset
    control: RecordDataset
    unencodable: int
    collate: Callable[[Sequence[dict[str, Any]]], dict[str, torch.Tensor]]
    grammar_loss: GrammarLoss
    smoothing_ranks: int
    canaries: int = 0
    truncated: int = 0

    @property
    def mean_decisions(self) -> float:
        """Mean number of tokens per training record at which the grammar allows more than one token."""
        return self.train.mean_decisions

    def summed_loss(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return the negative log-likelihood of a batch's decisions, summed, in nats."""
        decisions = batch["shift_labels"] != IGNORED
        packing: dict[str, Any] = {}
        if "record_lengths" in batch:
            packing = {
                "position_ids": batch["position_ids"],
                "record_lengths": batch["record_lengths"].tolist(),
            }
        with logits_at(model, decisions):
            logits = model(input_ids=batch["input_ids"], use_cache=False, **packing).logits
        loss = self.grammar_loss(
            logits[0], batch["shift_labels"][decisions], batch["mask_numbers"][decisions]
        )
        return loss + batch["constant"].sum()

    def record_losses(self, model: torch.nn.Module, batch: dict[str, torch.Tensor]) -> torch.Tensor:
        """Return each record's mean loss per decision, in nats, shape (records,); no record affects another's loss."""
        logits = model(input_ids=batch["input_ids"], use_cache=False).logits
        sums = self.grammar_loss.of_records(logits, batch["shift_labels"], batch["mask_numbers"])
        return sums / (batch["shift_labels"] != IGNORED).sum(1).clamp(min=1)


def _learnt_part(
    recipe: Recipe, codec: Codec, record: EncodedRecord | EncodedDocument
) -> EncodedRecord | EncodedDocument:
    """Return an encoded record, or each window of a document, with decisions where the recipe wants it to be learnt."""
    if isinstance(record, EncodedRecord):
        return _learnt_record(recipe, codec, record)
    return replace(record, windows=tuple(_learnt_record(recipe, codec, window) for window in record.windows))


def _learnt_record(recipe: Recipe, codec: Codec, record: EncodedRecord) -> EncodedRecord:
    loss = recipe.finetune.loss
    columns = learnt_columns(codec.schema, loss, texts_follow=recipe.strategy == "combined")
    if columns is not None:
        return columns_alone(record, codec, columns)
    if loss is None:
        return record
    return turns_alone(record, codec, loss.turns, loss.columns)


def causal_objective(recipe: Recipe, run: Run) -> CausalObjective:
    """Read and encode the run's records for a causal model.

    Raises:
        ModelError: the base model's tokenizer is missing.
        DataError: a training record, or every control record, cannot be encoded.
    """
    settings = recipe.finetune
    shuffled = settings.order == "shuffled"
    schema = Schema.load(run.schema)
    tokenizer = load_tokenizer(recipe.model)
    records, held_out = read_split_records(recipe, run, schema)
    codec = codec_for(recipe, schema, tokenizer, records)
    masks = TokenMasks(codec)
    canaries = included_canaries(recipe, run, codec, records)
    refuse_loss(recipe, schema)
    of_loss, of_record = partial(_learnt_part, recipe, codec), partial(_learnt_record, recipe, codec)
    encoded = [
        of_loss(record)
        for record in (*encode_all(records, codec, masks), *encode_all(canaries, codec, masks))
    ]
    control, unencodable = encode_held_out(held_out, codec, masks)
    if not control:
        raise DataError(
            "no control record can be encoded: each holds a value that no training record has; enlarge data.split.control"
        )
    if not any(record.decisions for record in encoded):
        raise DataError(
            "finetune.loss: no training record has a part to learn; check the values of loss.turns"
        )
    ranks = default_ranks(len(records)) if settings.smoothing is None else settings.smoothing
    if schema.sequence is not None:
        # Smoothed times could change the order of a sequence.
        ranks = 0
    # Canaries are smoothed like any record, among the values of real records.
    smoothing = Smoothing.of(records, schema, ranks=ranks, seed=settings.seed, target=recipe.data.target)
    smoothing = replace(smoothing, records=[*records, *canaries])
    encode_again = encode_record if codec.passages is None else encode_columns
    train = RecordDataset(
        encoded,
        opening=codec.opening,
        shuffled=shuffled,
        seed=settings.seed,
        redraw=(lambda index, epoch: of_record(encode_again(smoothing(index, epoch), codec, masks)))
        if ranks
        else None,
    )
    return CausalObjective(
        codec,
        tokenizer,
        train,
        RecordDataset(
            [of_loss(record) for record in control], opening=codec.opening, shuffled=shuffled, seed=-1
        ),
        unencodable,
        Collator(codec.vocabulary, codec.alphabet.stop),
        GrammarLoss(masks, codec.vocabulary),
        ranks,
        len(canaries),
    )

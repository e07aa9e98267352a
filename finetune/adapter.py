"""A base model with an untrained adapter, and how many records it takes at once."""

from typing import TYPE_CHECKING

from paracosm.finetune.base_model import load_base
from paracosm.recipes.errors import DataError
from paracosm.recipes.recipe import Recipe
from paracosm.records.codec import Codec

if TYPE_CHECKING:
    from transformers import PreTrainedModel

SHORT = 128
"""Tokens per record below which plain attention beats the fused kernel on CPU."""
LOGITS_AT_ONCE = 40_000_000
"""Entries of the logits in one forward pass, beyond which a step is split."""


def with_adapter(recipe: Recipe, codec: Codec, longest: int) -> "PreTrainedModel":
    """Load the base model, restrict its head to the codec's tokens and put an adapter on its linear layers.

    Args:
        recipe: `model` and `finetune` are read.
        codec: of the records.
        longest: tokens of the longest record.

    Raises:
        ModelError: the base model is missing or unsuitable.
        DataError: a record is longer than the base model reads.
    """
    from peft import LoraConfig, get_peft_model

    from paracosm.finetune.grammar_head import restrict_head

    settings = recipe.finetune
    base = load_base(recipe.model, short_sequences=longest < SHORT)
    limit = getattr(base.config, "max_position_embeddings", None)
    if limit is not None and longest > limit:
        raise DataError(
            f"the longest record has {longest} tokens; {recipe.model.base!r} reads at most {limit}; lower max_length or drop a text field"
        )
    restrict_head(base, codec.vocabulary)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,  # type: ignore[arg-type]
        lora_dropout=settings.dropout,
        target_modules=settings.target_modules,
        task_type="CAUSAL_LM",
    )
    # Adapters stay in float32 over a bfloat16 base: peft's autocast_adapter_dtype.
    return get_peft_model(base, config)  # type: ignore[return-value]


def micro_batch_size(recipe: Recipe, codec: Codec, longest: int, world_size: int) -> int:
    """Return how many records one process puts through one forward pass."""
    settings = recipe.finetune
    share = max(1, settings.batch_size // world_size)
    if settings.micro_batch_size is not None:
        return min(settings.micro_batch_size, share)
    width = len(codec.vocabulary) if codec.vocabulary is not None else len(codec.tokenizer)
    fits = max(1, LOGITS_AT_ONCE // (longest * width))
    # A divisor of the share, so that accumulated steps add up to the recipe's batch.
    return max(size for size in range(1, share + 1) if share % size == 0 and size <= max(fits, 1))

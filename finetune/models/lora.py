"""A base model with what trains of it, and how many records it takes at once."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from paracosm.finetune.models.base_model import load_packed, positions, processor
from paracosm.foundation.errors import DataError, ModelError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.finetune import Finetune
from paracosm.records.codec.codec import Codec

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel

SHORT = 128
"""Tokens per record below which plain attention beats the fused kernel on CPU."""
LOGITS_AT_ONCE = 160_000_000
"""Entries of the logits in one forward pass, beyond which a step is split."""
TOKENS_AT_ONCE = {"cpu": 2048, "mps": 2048, "cuda": 16_384}
"""Tokens in one forward pass, whose activations are kept: beyond these no processor is busier, only fuller."""


def with_adapter(recipe: Recipe, codec: Codec, longest: int) -> "PreTrainedModel":
    """Load the base model, restrict its head to the codec's tokens and make trainable what the recipe's method trains.

    Args:
        recipe: `model` and `finetune` are read.
        codec: of the records.
        longest: tokens of the longest record.

    Returns:
        A peft model with an untrained adapter; under `full`, the base model itself.

    Raises:
        ModelError: the base model is missing or unsuitable.
        DataError: a record is longer than the base model reads.
    """
    from paracosm.finetune.models.restricted_head import restrict_head, share_head

    full = recipe.finetune.method == "full"
    # Under bfloat16 small steps of an optimizer would round to nothing.
    described = recipe.model.model_copy(update={"dtype": "float32"}) if full else recipe.model
    base = load_packed(described, objective=codec.objective, short_sequences=longest < SHORT)
    limit = positions(base)
    if limit is not None and longest > limit:
        raise DataError(
            f"the longest record has {longest} tokens; {recipe.model.base!r} reads at most {limit}; lower max_length or drop a text field"
        )
    if full:
        share_head(base, codec.vocabulary)
        return base.requires_grad_(True)  # type: ignore[return-value]  # typed as a module
    restrict_head(base, codec.vocabulary)
    return adapted(base, recipe.finetune, recipe.model.base)


def adapted(base: "PreTrainedModel", settings: Finetune, name: str) -> "PreTrainedModel":
    """Put an untrained adapter on the linear layers of `base`.

    Raises:
        ModelError: it has no such layers; `name` says of which model.
    """
    from peft import get_peft_model

    wanted, names = settings.target_modules, _linear_names(base)
    unknown = [each for each in wanted if not any(_ends_in(layer, each) for layer in names)]
    if isinstance(wanted, list) and unknown:
        raise _no_such_layer(unknown[0], name, names)
    try:
        # Adapters stay in float32 over a bfloat16 base: peft's autocast_adapter_dtype.
        return get_peft_model(base, lora_config(settings))  # type: ignore[return-value]
    except ValueError as fault:
        if "target modules" not in str(fault).lower():
            raise
        raise _no_such_layer(str(wanted), name, names) from fault


def _ends_in(name: str, wanted: str) -> bool:
    return name == wanted or name.endswith(f".{wanted}")


def _no_such_layer(wanted: str, model: str, names: Sequence[str]) -> ModelError:
    last = sorted({name.rpartition(".")[2] for name in names})
    return ModelError(
        f"finetune.target_modules: {model!r} has no linear layer {wanted!r}"
        f" (it has {', '.join(last)}; all-linear takes them all){did_you_mean(wanted, last)}"
    )


def lora_config(settings: Finetune) -> "LoraConfig":
    """Translate the recipe into peft's configuration."""
    from peft import LoraConfig

    return LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,  # type: ignore[arg-type]
        lora_dropout=settings.dropout,
        target_modules=settings.target_modules,
        use_rslora=settings.method == "rslora",
        use_dora=settings.method == "dora",
        task_type="CAUSAL_LM" if settings.objective == "causal" else None,
    )


def _linear_names(base: "PreTrainedModel") -> list[str]:
    import torch

    head = base.get_output_embeddings()
    return [
        name
        for name, module in base.named_modules()
        if isinstance(module, torch.nn.Linear) and module is not head
    ]


def micro_batch_size(recipe: Recipe, codec: Codec, longest: int, world_size: int) -> int:
    """Return how many records one process puts through one forward pass."""
    settings = recipe.finetune
    share = -(-settings.batch_size // world_size)
    if settings.micro_batch_size is not None:
        return min(settings.micro_batch_size, share)
    width = len(codec.vocabulary) if codec.vocabulary is not None else len(codec.tokenizer)
    fits = min(LOGITS_AT_ONCE // (longest * width), TOKENS_AT_ONCE[processor()] // longest)
    # A divisor of the share, so that accumulated steps add up to the recipe's batch.
    return max(size for size in range(1, share + 1) if share % size == 0 and size <= max(fits, 1))

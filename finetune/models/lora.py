"""Add a LoRA adapter to a base model, and choose the micro-batch size of its training."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from paracosm.finetune.models.base_model import device_type, max_positions
from paracosm.finetune.models.domain import load_domain_base_for_training
from paracosm.finetune.models.library_logging import quiet_libraries
from paracosm.foundation.errors import DataError, ModelError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.finetune import Finetune
from paracosm.records.codec.codec import Codec

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel

SHORT = 128
"""Tokens per record below which eager attention is faster than the fused kernel on CPU."""
MAX_LOGITS = 160_000_000
"""Maximum number of entries of the logits in one forward pass."""
MAX_TOKENS = {"cpu": 2048, "mps": 2048, "cuda": 16_384}
"""Maximum number of tokens in one forward pass; more take memory for activations and do not increase the throughput."""


@quiet_libraries()
def with_adapter(
    recipe: Recipe, codec: Codec, max_tokens: int, domain: Path | None = None
) -> "PreTrainedModel":
    """Load the base model, restrict its head to the codec's tokens and add what `finetune.method` trains.

    Args:
        recipe: `model` and `finetune` are read.
        codec: of the records.
        max_tokens: tokens of the longest record.
        domain: folder of the weights that the `adapt` section trained; None for the base model as it was published.

    Returns:
        A peft model with an untrained adapter; under `full`, the base model with trainable weights.

    Raises:
        ModelError: the base model is missing or unsuitable.
        DataError: a record is longer than the base model's maximum input.
    """
    from paracosm.finetune.models.restricted_head import restrict_head, share_head

    full = recipe.finetune.method == "full"
    # In bfloat16 the small steps of an optimizer would be rounded away.
    section = recipe.model.model_copy(update={"dtype": "float32"}) if full else recipe.model
    base = load_domain_base_for_training(
        section, domain, objective=codec.objective, short_sequences=max_tokens < SHORT
    )
    limit = max_positions(base)
    if limit is not None and max_tokens > limit:
        raise DataError(
            f"the longest record has {max_tokens} tokens; {recipe.model.base!r} reads at most {limit}; lower max_length or drop a text field"
        )
    if full:
        share_head(base, codec.vocabulary)
        return base.requires_grad_(True)  # type: ignore[return-value]  # typed as a module
    restrict_head(base, codec.vocabulary)
    return add_adapter(base, recipe.finetune, recipe.model.base)


def add_adapter(base: "PreTrainedModel", settings: Finetune, name: str) -> "PreTrainedModel":
    """Add an untrained adapter to the linear layers that `finetune.target_modules` names.

    Args:
        base: the base model.
        settings: of the recipe.
        name: of the base model, for the error message.

    Raises:
        ModelError: the model has no layer of a given name.
    """
    from peft import get_peft_model

    targets, layers = settings.target_modules, _linear_names(base)
    if isinstance(targets, list):
        for target in targets:
            if not any(layer == target or layer.endswith(f".{target}") for layer in layers):
                raise _no_such_layer(target, name, layers)
    try:
        # peft keeps the adapter in float32 over a bfloat16 base (autocast_adapter_dtype).
        return get_peft_model(base, lora_config(settings))  # type: ignore[return-value]
    except ValueError as error:
        if "target modules" not in str(error).lower():
            raise
        raise _no_such_layer(str(targets), name, layers) from error


def _no_such_layer(target: str, model: str, layers: Sequence[str]) -> ModelError:
    last = sorted({layer.rpartition(".")[2] for layer in layers})
    return ModelError(
        f"finetune.target_modules: {model!r} has no linear layer {target!r}"
        f" (it has {', '.join(last)}; all-linear selects all of them){did_you_mean(target, last)}"
    )


def lora_config(settings: Finetune) -> "LoraConfig":
    """Translate the recipe's section into the configuration of peft."""
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


def micro_batch_size(recipe: Recipe, codec: Codec, max_tokens: int, world_size: int) -> int:
    """Return the number of records in one forward pass of one process.

    Args:
        recipe: `finetune` is read.
        codec: of the records.
        max_tokens: tokens of the longest record.
        world_size: number of processes.
    """
    settings = recipe.finetune
    per_process = -(-settings.batch_size // world_size)
    if settings.micro_batch_size is not None:
        return min(settings.micro_batch_size, per_process)
    width = len(codec.vocabulary) if codec.vocabulary is not None else len(codec.tokenizer)
    limit = min(MAX_LOGITS // (max_tokens * width), MAX_TOKENS[device_type()] // max_tokens)
    # A divisor, so that accumulated forward passes add up to the recipe's batch.
    return max(
        size for size in range(1, per_process + 1) if per_process % size == 0 and size <= max(limit, 1)
    )

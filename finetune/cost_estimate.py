"""What a recipe will cost, before anything is trained: records, tokens, weights, time, memory."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paracosm.finetune.models.base_model import (
    check_objective,
    frozen_dtype,
    load_config,
    load_tokenizer,
    processor,
)
from paracosm.finetune.models.chat_prompt import codec_for
from paracosm.finetune.models.library_logging import quiet
from paracosm.finetune.models.lora import adapted, micro_batch_size
from paracosm.finetune.models.quantization import BITS
from paracosm.finetune.objectives.causal_dataset import EncodedRecord, encode_all
from paracosm.finetune.objectives.masked import masked_codec
from paracosm.foundation.errors import ModelError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.finetune import Finetune
from paracosm.recipes.sections.model import Model
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.masked_layout import MaskedLayout, SlotRecord
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.schema import Record, Schema

if TYPE_CHECKING:
    from transformers import PretrainedConfig

SHARE_OF_GEMM = 0.5
"""Part of the matrix-multiplication rate that a training step reaches."""
STEP_SECONDS = 0.03
"""What a step takes beside its multiplications; most of the time of a model as small as BERT-tiny."""
PROCESS_BYTES = 900_000_000
"""Resident size of Python with torch and transformers loaded, before any weights."""
PER_TRAINED_WEIGHT = 24
"""Bytes of a trained weight in float32: itself, gradient, two Adam moments, its average, and its copy while that is measured."""
FUSED, PLAIN, CHECKPOINTED = 23, 34, 1.2
"""Kept activations of a layer per token, in units of its width: counted with `saved_tensors_hooks`, see bench/training/speed.py."""
ENCODED_AT_MOST = 2_000
"""Records that are encoded to estimate tokens per record."""


@dataclass(frozen=True)
class CostEstimate:
    """Expected size and cost of a fine-tuning run.

    Attributes:
        tokens_per_record: mean, start token included.
        decisions_per_record: tokens at which the grammar leaves a choice, mean.
        longest_record: tokens.
        total_parameters: of the base model as trained (first layers only, if the recipe says so).
        trainable_parameters: of the adapter, or of the whole model.
        seconds: of training all planned epochs on this machine; early stopping may end sooner.
        bytes: peak resident memory of one process.
    """

    tokens_per_record: float
    decisions_per_record: float
    longest_record: int
    total_parameters: int
    trainable_parameters: int
    seconds: float
    bytes: int


def plan(recipe: Recipe, schema: Schema, train: list[Record]) -> CostEstimate:
    """Estimate what `finetune` will need; nothing is trained and no weights are loaded.

    Raises:
        ModelError: the base model is missing or unsuitable.
        DataError: a training record cannot be encoded for it.
    """
    settings = recipe.finetune
    check_objective(recipe.model, settings.objective)
    step = max(1, len(train) // ENCODED_AT_MOST)
    some = train[::step] if schema.sequence is None else train
    codec, encoded = {"causal": _causal, "masked": _masked}[settings.objective](recipe, schema, train, some)
    count = len(train) if schema.sequence is None else len(encoded)
    tokens = sum(record.tokens for record in encoded) / len(encoded)
    longest = max(record.tokens for record in encoded)
    weights = count_weights(recipe.model, settings, config_as_trained(recipe.model))
    columns = len(codec.vocabulary) if codec.vocabulary is not None else len(codec.tokenizer)
    decisions = sum(record.decisions for record in encoded) / len(encoded)
    micro = micro_batch_size(recipe, codec, longest, 1)
    return CostEstimate(
        tokens_per_record=tokens,
        decisions_per_record=decisions,
        longest_record=longest,
        total_parameters=weights.total,
        trainable_parameters=weights.trainable,
        seconds=settings.epochs
        * (
            count
            * operations(weights, settings, tokens, decisions * columns * weights.hidden)
            / (gemm_rate(recipe) * SHARE_OF_GEMM)
            + math.ceil(count / settings.batch_size) * STEP_SECONDS
        ),
        bytes=PROCESS_BYTES
        + memory(
            weights,
            recipe.model,
            settings,
            frozen_bytes=2 if str(frozen_dtype(recipe.model.dtype)).endswith("bfloat16") else 4,
            tokens=micro * longest,
            columns=columns,
        ),
    )


def _causal(
    recipe: Recipe, schema: Schema, train: list[Record], some: list[Record]
) -> tuple[Codec, Sequence[EncodedRecord]]:
    codec = codec_for(recipe, schema, load_tokenizer(recipe.model))
    return codec, encode_all(some, codec, TokenMasks(codec))


def _masked(
    recipe: Recipe, schema: Schema, train: list[Record], some: list[Record]
) -> tuple[Codec, Sequence[SlotRecord]]:
    codec = masked_codec(recipe, schema, load_tokenizer(recipe.model), train)
    slots = MaskedLayout(codec)
    return codec, [slots.encode(slots.fitting(record)) for record in some]


@dataclass(frozen=True)
class Weights:
    """Numbers of weights of a model and of what trains of it.

    Attributes:
        total: of the base model as trained.
        linear: of them in the linear layers of the body, which quantisation packs.
        trainable: of the adapter, or all under `full`.
        layers: transformer layers.
        hidden: width of the activations.
    """

    total: int
    linear: int
    trainable: int
    layers: int
    hidden: int


def config_as_trained(model: Model) -> "PretrainedConfig":
    """Return the configuration of a base model with `model.layers` layers.

    Raises:
        ModelError: there is no such model, or it has fewer layers.
    """
    quiet()
    config = load_config(model)
    available = config.num_hidden_layers
    count = model.layers or available
    if count > available:
        raise ModelError(f"model.layers: {model.base!r} has {available} layers; got {model.layers}")
    config.num_hidden_layers = count
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:count]
    return config


def count_weights(model: Model, settings: Finetune, config: "PretrainedConfig") -> Weights:
    """Count weights on torch's meta device, where they take no memory."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    with torch.device("meta"):
        kinds = {"causal": AutoModelForCausalLM, "masked": AutoModelForMaskedLM}
        base = kinds[settings.objective].from_config(config)
        total = sum(weights.numel() for weights in base.parameters())
        embeddings = base.get_input_embeddings().weight
        head = base.get_output_embeddings()
        linear = sum(
            module.weight.numel()
            for module in base.modules()
            if isinstance(module, torch.nn.Linear) and module is not head
        )
        if settings.method != "full":
            base = adapted(base, settings, model.base)
            trainable = sum(weights.numel() for weights in base.parameters() if weights.requires_grad)
        else:
            trainable = total
    return Weights(total, linear, trainable, config.num_hidden_layers, embeddings.shape[1])


def operations(weights: Weights, settings: Finetune, tokens: float, head: float) -> float:
    """Return the multiplications and additions of one record: forward, and back through activations and trained weights."""
    again = 2 if settings.gradient_checkpointing else 0
    if settings.method == "full":
        return (6 + again) * tokens * weights.linear + 6 * head
    return tokens * ((4 + again) * weights.linear + (6 + again) * weights.trainable) + 4 * head


def memory(
    weights: Weights, model: Model, settings: Finetune, *, frozen_bytes: int, tokens: int, columns: int
) -> int:
    """Return the bytes of one process's weights, optimizer and activations at the peak of a training step.

    Args:
        weights: of the model.
        model: says whether the frozen weights are packed.
        settings: of the recipe.
        frozen_bytes: per unpacked frozen weight.
        tokens: in one forward pass.
        columns: of the head.
    """
    frozen = 0 if settings.method == "full" else weights.total * frozen_bytes
    if model.quantize is not None:
        frozen -= weights.linear * (frozen_bytes - BITS[model.quantize] / 8)
    layers = weights.layers * CHECKPOINTED + PLAIN if settings.gradient_checkpointing else 0
    fused = settings.method in ("lora", "rslora") and model.quantize is None and settings.dropout == 0
    layers = layers or weights.layers * (FUSED if fused else PLAIN)
    activations = tokens * (layers * weights.hidden * frozen_bytes + columns * 2 * frozen_bytes)
    return int(frozen + weights.trainable * PER_TRAINED_WEIGHT + activations)


def gemm_rate(recipe: Recipe) -> float:
    """Measure this machine's matrix-multiplication rate in the precision of the frozen weights, in operations per second."""
    import torch

    size, dtype, device = 1024, frozen_dtype(recipe.model.dtype), processor()
    left = torch.ones(size, size, dtype=dtype, device=device)
    best = float("inf")
    for _ in range(6):
        began = time.perf_counter()
        float((left @ left)[0, 0])
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best

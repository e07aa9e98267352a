"""Estimate the cost of fine-tuning before training: tokens, weights, time and memory."""

import math
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from paracosm.finetune.models.base_model import (
    check_objective,
    device_type,
    frozen_dtype,
    load_config,
    load_tokenizer,
)
from paracosm.finetune.models.chat_prompt import codec_for
from paracosm.finetune.models.library_logging import quiet_libraries
from paracosm.finetune.models.lora import add_adapter, micro_batch_size
from paracosm.finetune.models.pretrained import build_from_config
from paracosm.finetune.models.quantization import BITS
from paracosm.finetune.objectives.encoded_record import EncodedDocument, EncodedRecord, encode_all
from paracosm.finetune.objectives.masked import masked_codec
from paracosm.foundation.errors import ModelError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.finetune import Finetune
from paracosm.recipes.sections.model import Model
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.masked_layout import MaskedLayout, SlotRecord
from paracosm.records.codec.passage_sizes import Passages
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.schema import Record, Schema

if TYPE_CHECKING:
    from transformers import PretrainedConfig

GEMM_EFFICIENCY = 0.5
"""Fraction of the matrix-multiplication rate that a training step reaches."""
STEP_SECONDS = 0.03
"""Overhead of a step beside its matrix products; for a model as small as BERT-tiny, most of its time."""
PROCESS_BYTES = 900_000_000
"""Resident size of Python with torch and transformers loaded, before any weights."""
PER_TRAINED_WEIGHT = 24
"""Bytes per trained weight in float32: weight, gradient, two Adam moments, EMA, and a copy during evaluation."""
FUSED, PLAIN, CHECKPOINTED = 23, 34, 1.2
"""Activations kept for the backward pass, per layer and token, in units of the width; counted with `saved_tensors_hooks`,
see bench/training/speed.py."""
MAX_ENCODED = 2_000
"""Approximate number of records that are encoded to estimate tokens per record."""


@dataclass(frozen=True)
class CostEstimate:
    """Expected size and cost of a fine-tuning run.

    Attributes:
        tokens_per_record: mean number of tokens that the model reads, with the start token.
        decisions_per_record: mean number of tokens at which the grammar allows more than one token.
        longest_record: tokens of the longest record, or of the longest window of a document.
        total_parameters: of the base model, with its first `model.layers` layers.
        trainable_parameters: of the adapter, or of the full model.
        seconds: time to train all planned epochs on this machine; early stopping may end sooner.
        bytes: peak resident memory of one process.
        passages: which texts are written in passages, and the sizes of a window; None if every record fits.
    """

    tokens_per_record: float
    decisions_per_record: float
    longest_record: int
    total_parameters: int
    trainable_parameters: int
    seconds: float
    bytes: int
    passages: Passages | None = None


@quiet_libraries()
def estimate_cost(recipe: Recipe, schema: Schema, train: list[Record]) -> CostEstimate:
    """Estimate time and memory of the finetune stage, without loading weights.

    Raises:
        ModelError: the base model is missing or unsuitable.
        DataError: a training record cannot be encoded for it.
    """
    settings = recipe.finetune
    check_objective(recipe.model, settings.objective)
    step = max(1, len(train) // MAX_ENCODED)
    sample = train[::step] if schema.sequence is None else train
    codec, encoded = {"causal": _causal, "masked": _masked}[settings.objective](recipe, schema, train, sample)
    count = len(train) if schema.sequence is None else len(encoded)
    tokens = sum(record.tokens for record in encoded) / len(encoded)
    longest = max(record.tokens if isinstance(record, SlotRecord) else record.longest for record in encoded)
    examples = sum(
        len(record.windows) if isinstance(record, EncodedDocument) else 1 for record in encoded
    ) / len(encoded)
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
            / (gemm_rate(recipe) * GEMM_EFFICIENCY)
            + math.ceil(count * examples / settings.batch_size) * STEP_SECONDS
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
        passages=codec.passages,
    )


def _causal(
    recipe: Recipe, schema: Schema, train: list[Record], sample: list[Record]
) -> tuple[Codec, Sequence[EncodedRecord | EncodedDocument]]:
    codec = codec_for(recipe, schema, load_tokenizer(recipe.model), train)
    return codec, encode_all(sample, codec, TokenMasks(codec))


def _masked(
    recipe: Recipe, schema: Schema, train: list[Record], sample: list[Record]
) -> tuple[Codec, Sequence[SlotRecord]]:
    codec = masked_codec(recipe, schema, load_tokenizer(recipe.model), train)
    layout = MaskedLayout(codec)
    return codec, [layout.encode(layout.fitting(record)) for record in sample]


@dataclass(frozen=True)
class Weights:
    """Numbers of weights of a model.

    Attributes:
        total: of the base model, with its first `model.layers` layers.
        linear: in its linear layers without the head, which `model.quantize` quantizes.
        trainable: of the adapter; under `finetune.method: full`, all weights.
        layers: number of transformer layers.
        hidden: width of the activations.
    """

    total: int
    linear: int
    trainable: int
    layers: int
    hidden: int


@quiet_libraries()
def config_as_trained(model: Model) -> "PretrainedConfig":
    """Return the configuration of a base model with `model.layers` layers.

    Raises:
        ModelError: the model is missing, or has fewer layers.
    """
    config = load_config(model)
    available = getattr(config, "num_hidden_layers", None)
    if type(available) is not int or available < 1:
        raise ModelError(
            f"model.base: {model.base!r} has no number of layers in its config.json (num_hidden_layers)"
        )
    count = model.layers or available
    if count > available:
        raise ModelError(f"model.layers: {model.base!r} has {available} layers; got {model.layers}")
    config.num_hidden_layers = count
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:count]
    return config


def count_weights(model: Model, settings: Finetune, config: "PretrainedConfig") -> Weights:
    """Count the weights of a model on torch's meta device, where they take no memory."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    with torch.device("meta"):
        classes = {"causal": AutoModelForCausalLM, "masked": AutoModelForMaskedLM}
        base = build_from_config(classes[settings.objective], config)
        total = sum(weights.numel() for weights in base.parameters())
        embeddings = base.get_input_embeddings().weight
        head = base.get_output_embeddings()
        linear = sum(
            module.weight.numel()
            for module in base.modules()
            if isinstance(module, torch.nn.Linear) and module is not head
        )
        if settings.method != "full":
            base = add_adapter(base, settings, model.base)
            trainable = sum(weights.numel() for weights in base.parameters() if weights.requires_grad)
        else:
            trainable = total
    return Weights(total, linear, trainable, config.num_hidden_layers, embeddings.shape[1])


def operations(weights: Weights, settings: Finetune, tokens: float, head: float) -> float:
    """Return the number of floating-point operations of training on one record.

    Counts the forward pass and the backward pass through activations and trained weights.

    Args:
        weights: of the model.
        settings: of the recipe.
        tokens: of the record.
        head: multiplications of the head, that is decisions x columns x width.
    """
    recomputed = 2 if settings.gradient_checkpointing else 0
    if settings.method == "full":
        return (6 + recomputed) * tokens * weights.linear + 6 * head
    return tokens * ((4 + recomputed) * weights.linear + (6 + recomputed) * weights.trainable) + 4 * head


def memory(
    weights: Weights, model: Model, settings: Finetune, *, frozen_bytes: int, tokens: int, columns: int
) -> int:
    """Return the peak memory of a training step in one process: weights, optimizer and activations, in bytes.

    Args:
        weights: of the model.
        model: its `quantize` is read.
        settings: of the recipe.
        frozen_bytes: bytes per frozen weight that is not quantized.
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
    """Measure the matrix-multiplication rate of this machine in the precision of the frozen weights, in operations per second."""
    import torch

    size, dtype, device = 1024, frozen_dtype(recipe.model.dtype), device_type()
    left = torch.ones(size, size, dtype=dtype, device=device)
    best = float("inf")
    for _ in range(6):
        began = time.perf_counter()
        float((left @ left)[0, 0])
        best = min(best, time.perf_counter() - began)
    return 2 * size**3 / best

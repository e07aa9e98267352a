"""What a recipe will cost, before anything is trained: records, tokens, weights, time, memory."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

from paracosm.finetune.adapter import micro_batch_size
from paracosm.finetune.base_model import (
    check_objective,
    frozen_dtype,
    load_tokenizer,
    locate,
    processor,
    quiet,
)
from paracosm.finetune.encoded_records import EncodedRecord, encode_all
from paracosm.finetune.masked_material import masked_codec
from paracosm.recipes.errors import ModelError
from paracosm.recipes.recipe import Recipe
from paracosm.records.codec import Codec
from paracosm.records.schema import Record, Schema
from paracosm.records.slots import SlotRecord, Slots
from paracosm.records.token_masks import TokenMasks

SHARE_OF_GEMM = 0.5
"""Part of the matrix-multiplication rate that a training step reaches."""
PROCESS_BYTES = 900_000_000
"""Resident size of Python with torch and transformers loaded, before any weights."""
ENCODED_AT_MOST = 2_000
"""Records that are encoded to estimate tokens per record."""


@dataclass(frozen=True)
class Plan:
    """Expected size and cost of a fine-tuning run.

    Attributes:
        tokens_per_record: mean, start token included.
        decisions_per_record: tokens at which the grammar leaves a choice, mean.
        longest_record: tokens.
        total_parameters: of the base model as trained (first layers only, if the recipe says so).
        trainable_parameters: of the adapter.
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


def plan(recipe: Recipe, schema: Schema, train: list[Record]) -> Plan:
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
    layers, total, trainable, hidden = _weights(recipe)
    columns = len(codec.vocabulary) if codec.vocabulary is not None else len(codec.tokenizer)
    # Forward pass and gradients of activations through frozen weights (2 + 2), and through adapters also weights (2 + 4).
    operations = tokens * count * settings.epochs * (4 * (layers["body"] + columns * hidden) + 6 * trainable)
    micro = micro_batch_size(recipe, codec, longest, 1)
    frozen_bytes = 2 if str(frozen_dtype(recipe.model.dtype)).endswith("bfloat16") else 4
    activations = micro * longest * (layers["count"] * hidden * 40 * frozen_bytes + columns * 10)
    return Plan(
        tokens_per_record=tokens,
        decisions_per_record=sum(record.decisions for record in encoded) / len(encoded),
        longest_record=longest,
        total_parameters=total,
        trainable_parameters=trainable,
        seconds=operations / (gemm_rate(recipe) * SHARE_OF_GEMM),
        # Adapter weights, gradients and two Adam moments in float32.
        bytes=int(PROCESS_BYTES + total * frozen_bytes + trainable * 16 + activations),
    )


def _causal(
    recipe: Recipe, schema: Schema, train: list[Record], some: list[Record]
) -> tuple[Codec, Sequence[EncodedRecord]]:
    layout = "markers" if recipe.finetune.order == "shuffled" else "places"
    codec = Codec(schema, load_tokenizer(recipe.model), layout)  # type: ignore[arg-type]  # typed more loosely
    return codec, encode_all(some, codec, TokenMasks(codec))


def _masked(
    recipe: Recipe, schema: Schema, train: list[Record], some: list[Record]
) -> tuple[Codec, Sequence[SlotRecord]]:
    codec = masked_codec(recipe, schema, load_tokenizer(recipe.model), train)
    slots = Slots(codec)
    return codec, [slots.encode(slots.fitting(record)) for record in some]


def _weights(recipe: Recipe) -> tuple[dict[str, int], int, int, int]:
    """Count weights on torch's meta device, where they take no memory."""
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoConfig, AutoModelForCausalLM, AutoModelForMaskedLM

    quiet()
    try:
        config = AutoConfig.from_pretrained(locate(recipe.model), revision=recipe.model.revision)
    except (OSError, ValueError) as fault:
        raise ModelError(
            f"model.base: {recipe.model.base!r} cannot be loaded: {str(fault).splitlines()[0]}"
        ) from fault
    available = config.num_hidden_layers
    count = recipe.model.layers or available
    if count > available:
        raise ModelError(f"model.layers: {recipe.model.base!r} has {available} layers; got {count}")
    config.num_hidden_layers = count
    if getattr(config, "layer_types", None):
        config.layer_types = config.layer_types[:count]
    with torch.device("meta"):
        kinds = {"causal": AutoModelForCausalLM, "masked": AutoModelForMaskedLM}
        model = kinds[recipe.finetune.objective].from_config(config)
        total = sum(weights.numel() for weights in model.parameters())
        embeddings = model.get_input_embeddings().weight
        untied = model.get_output_embeddings().weight is not embeddings
        body = total - embeddings.numel() * (2 if untied else 1)
        settings = recipe.finetune
        adapter = LoraConfig(
            r=settings.rank,
            target_modules=settings.target_modules,
            task_type="CAUSAL_LM" if settings.objective == "causal" else None,
        )
        adapted = get_peft_model(model, adapter)
        trainable = sum(weights.numel() for weights in adapted.parameters() if weights.requires_grad)
    return {"body": body, "count": count}, total, trainable, embeddings.shape[1]


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

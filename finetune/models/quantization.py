"""Quantization of the frozen base to four or eight bits during training (QLoRA, Dettmers et al. 2023, arXiv 2305.14314).

Whatever loads the adapter later (generation, attacks, export) dequantizes the same quantized weights. So the adapter is
always combined with the weights that it was trained on, and the kernels of training are no longer needed.
"""

import importlib.util
from typing import TYPE_CHECKING, Any, Literal

from paracosm.foundation.errors import ModelError
from paracosm.recipes.sections.model import Model

if TYPE_CHECKING:
    import torch
    from transformers import BitsAndBytesConfig, PreTrainedModel

Quantization = Literal["nf4", "int8"]
BITS = {"nf4": 4.127, "int8": 8.0}
"""Bits per quantized weight; nf4 includes its scales, one byte per 64 weights and a float32 per 256 of these."""


def check_installed(model: Model) -> None:
    """Check that the package for `model.quantize` is installed.

    Raises:
        ModelError: it is not installed.
    """
    if model.quantize is not None and importlib.util.find_spec("bitsandbytes") is None:
        raise ModelError(
            f"model.quantize: {model.quantize} needs the package bitsandbytes; run: pip install 'paracosm[quantization]'"
        )


def quantization_config(kind: Quantization, dtype: "torch.dtype", device: str) -> "BitsAndBytesConfig":
    """Return the configuration with which transformers quantizes the linear layers.

    Args:
        kind: `model.quantize`.
        dtype: precision of the activations and of the products with quantized weights.
        device: type of the device that torch computes on.

    Raises:
        ModelError: bitsandbytes has no kernel for this kind on this device.
    """
    from transformers import BitsAndBytesConfig

    _check_kernel(kind, dtype, device)
    if kind == "int8":
        return BitsAndBytesConfig(load_in_8bit=True)
    return BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )


def _check_kernel(kind: Quantization, dtype: "torch.dtype", device: str) -> None:
    """Run one small quantized layer, because without the right kernel bitsandbytes fails only in the first training step."""
    import torch

    try:
        from bitsandbytes.nn.modules import Linear4bit, Linear8bitLt

        layer: Any = (
            Linear4bit(64, 64, bias=False, compute_dtype=dtype, quant_type="nf4")
            if kind == "nf4"
            else Linear8bitLt(64, 64, bias=False, has_fp16_weights=False)
        )
        # The caller may have turned gradients off, to load a model for sampling.
        with torch.enable_grad():
            ones = torch.ones(2, 64, dtype=dtype, device=device, requires_grad=True)
            layer.to(device)(ones).sum().backward()
    except (RuntimeError, NotImplementedError, ImportError, AttributeError, OSError) as error:
        first = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise ModelError(
            f"model.quantize: bitsandbytes has no {kind} kernel for {device} here: {first}"
        ) from error


def prevent_requantization(model: "PreTrainedModel") -> None:
    """Turn off the coarser second quantization that bitsandbytes does on CPUs in the first pass without gradients."""
    for module in model.modules():
        if hasattr(module, "support_avx512bf16_for_cpu"):
            module.support_avx512bf16_for_cpu = False  # type: ignore[assignment]  # typed as a module

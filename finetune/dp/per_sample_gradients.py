"""Gradients per record by Opacus, and the proof on the model at hand that they are what autograd gives for each alone."""

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from paracosm.finetune.objectives.causal import CausalObjective
from paracosm.foundation.errors import ModelError

if TYPE_CHECKING:
    from opacus import GradSampleModule

LARGEST_DIFFERENCE = {torch.float32: 1e-3, torch.bfloat16: 0.05, torch.float16: 0.02}
"""By the precision of the frozen weights: relative difference of a record's gradient in a batch and alone."""
SPREAD = 0.02
"""Deviation of what the check adds to the weights: a fresh adapter is zero in one half, and hides the other half's gradient."""


def with_gradients_per_record(model: nn.Module) -> "GradSampleModule":
    """Wrap a model so that a backward pass leaves the gradient of each record in `grad_sample`.

    Raises:
        ModelError: a layer mixes the records of a batch, or what trains of the model has no gradient per record.
    """
    from opacus import GradSampleModule

    for name, module in model.named_modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            raise ModelError(f"privacy: the base model's layer {name!r} mixes the records of a batch")
    # Backward hooks of the first layer and recomputed activations need an input that takes gradients.
    model.enable_input_require_grads()  # type: ignore[operator]  # a PreTrainedModel has it
    try:
        return GradSampleModule(model, loss_reduction="sum", strict=False)
    except (NotImplementedError, RuntimeError) as fault:
        raise ModelError(f"privacy: no gradient per record for this base model: {fault}") from fault


def check_gradients(
    wrapped: "GradSampleModule", material: CausalObjective, batch: dict[str, torch.Tensor]
) -> float:
    """Compare each record's gradient in a batch with that of the record alone; return the largest relative difference.

    Clipping is worth nothing where these differ: layers that reach weights in a way that Opacus does not see, and kernels
    that mix records, show here, before the first step.

    Raises:
        ModelError: they differ by more than rounding.
    """
    weights = [each for each in wrapped.parameters() if each.requires_grad]
    kept = [each.detach().clone() for each in weights]
    random = torch.Generator(device=weights[0].device).manual_seed(0)
    _without_chance(wrapped)
    try:
        with torch.no_grad():
            for each in weights:
                each.add_(
                    torch.randn(each.shape, generator=random, device=each.device, dtype=each.dtype) * SPREAD
                )
        found = _differences(wrapped, material, batch, weights)
    finally:
        with torch.no_grad():
            for each, before in zip(weights, kept, strict=True):
                each.copy_(before)
        wrapped.train()
    frozen = next((each.dtype for each in wrapped.parameters() if not each.requires_grad), torch.float32)
    allowed = LARGEST_DIFFERENCE.get(frozen, 0.05)
    if found > allowed:
        raise ModelError(
            f"privacy: the gradients per record of this model are off by {found:.1e} (at most {allowed:g}), so clipping"
            " would not bound what a record does; take finetune.method lora over a plain base"
        )
    return found


def _without_chance(wrapped: nn.Module) -> None:
    """Turn every dropout off, and leave on what gradients per record and recomputed activations need."""
    wrapped.eval()
    for module in wrapped.modules():
        owns = any(each.requires_grad for each in module.parameters(recurse=False))
        if owns or getattr(module, "gradient_checkpointing", False):
            module.training = True


def _differences(
    wrapped: "GradSampleModule",
    material: CausalObjective,
    batch: dict[str, torch.Tensor],
    weights: list[nn.Parameter],
) -> float:
    wrapped.zero_grad()
    material.record_losses(wrapped, batch).sum().backward()
    together = [getattr(each, "grad_sample", None) for each in weights]
    if any(not isinstance(each, torch.Tensor) for each in together):
        raise ModelError(
            "privacy: some trainable weights of this model have no gradient per record; take finetune.method lora"
        )
    flat = torch.cat([each.detach().flatten(1) for each in together], dim=1)  # type: ignore[union-attr]
    wrapped.zero_grad()
    wrapped.disable_hooks()
    worst = 0.0
    for record in range(len(flat)):
        alone = {name: each[record : record + 1] for name, each in batch.items()}
        for each in weights:
            each.grad = None
        material.record_losses(wrapped, alone).sum().backward()
        own = torch.cat(
            [
                torch.zeros_like(each).flatten() if each.grad is None else each.grad.flatten()
                for each in weights
            ]
        )
        apart = (flat[record] - own).norm() / own.norm().clamp(min=1e-12)
        worst = max(worst, float(apart.nan_to_num(nan=math.inf)))
    wrapped.enable_hooks()
    for each in weights:
        each.grad = None
    return worst

"""Per-sample gradients by Opacus, and a check against autograd on the model that is trained."""

import math
from typing import TYPE_CHECKING

import torch
from torch import nn

from paracosm.finetune.objectives.causal import CausalObjective
from paracosm.foundation.errors import ModelError

if TYPE_CHECKING:
    from opacus import GradSampleModule

MAX_DIFFERENCE = {torch.float32: 1e-3, torch.bfloat16: 0.05, torch.float16: 0.02}
"""Maximum relative difference between a record's gradient in a batch and alone, by precision of the frozen weights."""
QUANTIZED = 0.05
"""The same for weights of 4 or 8 bits."""
PERTURBATION = 0.02
"""Standard deviation of what the check adds to the weights: in a new adapter one matrix is zero, and the gradient of the other too."""


def with_per_sample_gradients(model: nn.Module) -> "GradSampleModule":
    """Wrap a model so that a backward pass stores the gradient of each record in `grad_sample`.

    Raises:
        ModelError: a layer mixes the records of a batch, or Opacus does not support a trained layer.
    """
    from opacus import GradSampleModule

    for name, module in model.named_modules():
        if isinstance(module, nn.modules.batchnorm._BatchNorm):
            raise ModelError(f"privacy: the base model's layer {name!r} mixes the records of a batch")
    # Backward hooks of the first layer and recomputed activations need an input that requires gradients.
    model.enable_input_require_grads()  # type: ignore[operator]  # a PreTrainedModel has it
    try:
        return GradSampleModule(model, loss_reduction="sum", strict=False)
    except (NotImplementedError, RuntimeError) as error:
        raise ModelError(f"privacy: no per-sample gradients for this base model: {error}") from error


def check_gradients(
    wrapped: "GradSampleModule", objective: CausalObjective, batch: dict[str, torch.Tensor]
) -> float:
    """Compare each record's gradient in a batch with autograd on the record alone.

    Clipping bounds nothing if these differ. The check reveals layers that use weights in a way that Opacus does not
    see, and kernels that mix records, before the first step.

    Args:
        wrapped: the model, with per-sample gradients.
        objective: its loss.
        batch: some records; the model is unchanged afterwards.

    Returns:
        The largest relative difference.

    Raises:
        ModelError: the gradients differ by more than rounding.
    """
    weights = [parameter for parameter in wrapped.parameters() if parameter.requires_grad]
    saved = [tensor.detach().clone() for tensor in weights]
    generator = torch.Generator(device=weights[0].device).manual_seed(0)
    _without_dropout(wrapped)
    try:
        with torch.no_grad():
            for tensor in weights:
                noise = torch.randn(
                    tensor.shape, generator=generator, device=tensor.device, dtype=tensor.dtype
                )
                tensor.add_(noise * PERTURBATION)
        difference = _max_difference(wrapped, objective, batch, weights)
    finally:
        with torch.no_grad():
            for tensor, before in zip(weights, saved, strict=True):
                tensor.copy_(before)
        wrapped.train()
    frozen = {weights.dtype for weights in wrapped.parameters() if not weights.requires_grad}
    # The coarsest decides: a quantized layer rounds, whatever the precision of the embeddings before it.
    allowed = max(MAX_DIFFERENCE.get(dtype, QUANTIZED) for dtype in frozen or {torch.float32})
    if difference > allowed:
        raise ModelError(
            f"privacy: the per-sample gradients of this model are off by {difference:.1e} (at most {allowed:g} is allowed), so clipping"
            " would not bound the influence of a record; set finetune.method to lora and choose another base"
        )
    return difference


def _without_dropout(wrapped: nn.Module) -> None:
    """Turn dropout off, but leave the modules in training mode that per-sample gradients and recomputed activations need."""
    wrapped.eval()
    for module in wrapped.modules():
        trains = any(parameter.requires_grad for parameter in module.parameters(recurse=False))
        if trains or getattr(module, "gradient_checkpointing", False):
            module.training = True


def _max_difference(
    wrapped: "GradSampleModule",
    objective: CausalObjective,
    batch: dict[str, torch.Tensor],
    weights: list[nn.Parameter],
) -> float:
    wrapped.zero_grad()
    objective.record_losses(wrapped, batch).sum().backward()
    per_sample = [getattr(tensor, "grad_sample", None) for tensor in weights]
    if any(not isinstance(gradient, torch.Tensor) for gradient in per_sample):
        raise ModelError(
            "privacy: some trained weights of this model have no per-sample gradients; set finetune.method to lora"
        )
    flat = torch.cat([gradient.detach().flatten(1) for gradient in per_sample], dim=1)  # type: ignore[union-attr]
    wrapped.zero_grad()
    wrapped.disable_hooks()
    largest = 0.0
    for record in range(len(flat)):
        alone = {name: tensor[record : record + 1] for name, tensor in batch.items()}
        for tensor in weights:
            tensor.grad = None
        objective.record_losses(wrapped, alone).sum().backward()
        expected = torch.cat(
            [
                torch.zeros_like(tensor).flatten() if tensor.grad is None else tensor.grad.flatten()
                for tensor in weights
            ]
        )
        difference = (flat[record] - expected).norm() / expected.norm().clamp(min=1e-12)
        largest = max(largest, float(difference.nan_to_num(nan=math.inf)))
    wrapped.enable_hooks()
    for tensor in weights:
        tensor.grad = None
    return largest

"""LoRA on a frozen linear layer as one step of the autograd graph.

peft writes the update as five operations on tensors as large as the layer's input and output, in float32: for a small
model on a CPU they take longer than a third of the layer itself. Here the frozen product and the update share one
output, and the two thin products run in the precision of the activations. Weights and gradients stay in float32.
"""

import torch
from peft.tuners.lora.layer import Linear
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable


class FusedLinear(Linear):
    """peft's layer with another forward pass while it trains."""

    def forward(self, x: Tensor, *args: object, **kwargs: object) -> Tensor:
        if self.disable_adapters or self.merged or args or kwargs or not torch.is_grad_enabled():
            return super().forward(x, *args, **kwargs)
        (name,) = self.active_adapters
        base = self.get_base_layer()
        return _Update.apply(  # type: ignore[return-value]  # typed as anything
            x, base.weight, base.bias, self.lora_A[name].weight, self.lora_B[name].weight, self.scaling[name]
        )


class _Update(torch.autograd.Function):
    """`x W^T + bias + scale (x A^T) B^T`, of which A and B learn."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
    ) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        down, up = a.to(x.dtype), (b * scale).to(x.dtype)
        thin = flat @ down.t()
        out = nn.functional.linear(flat, weight, bias).addmm_(thin, up.t())
        ctx.save_for_backward(flat, weight, down, up, thin)
        ctx.scale, ctx.shape = scale, x.shape  # type: ignore[attr-defined]  # a context takes any attribute
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        flat, weight, down, up, thin = ctx.saved_tensors  # type: ignore[attr-defined]
        grad = grad.reshape(-1, grad.shape[-1])
        of_thin = grad @ up
        of_x = None
        if ctx.needs_input_grad[0]:  # type: ignore[attr-defined]
            of_x = (grad @ weight).addmm_(of_thin, down).view(ctx.shape)  # type: ignore[attr-defined]
        of_a = (of_thin.t() @ flat).float()
        of_b = (grad.t() @ thin).float().mul_(ctx.scale)  # type: ignore[attr-defined]
        return of_x, None, None, of_a, of_b, None


def fuse(model: nn.Module) -> None:
    """Let every plain LoRA layer of `model` train in one step; layers with dropout, a variant or packed weights stay."""
    for module in model.modules():
        if type(module) is Linear and _is_plain(module):
            # The layer keeps its weights and its name; only its forward pass is another.
            module.__class__ = FusedLinear


def _is_plain(layer: Linear) -> bool:
    base = layer.get_base_layer()
    return (
        type(base) is nn.Linear
        and not base.weight.requires_grad
        and len(layer.active_adapters) == 1
        and not layer.lora_variant
        and all(isinstance(each, nn.Identity) for each in layer.lora_dropout.values())
    )

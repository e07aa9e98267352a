"""LoRA over a frozen linear layer as a single autograd function.

peft computes the update in five operations on float32 tensors as large as the layer's input and output; for a small model
on a CPU they take more than a third of the layer's time. Here the frozen product and the update share one output,
and the two low-rank products run in the precision of the activations. Weights and gradients stay in float32.
"""

import torch
from peft.tuners.lora.layer import Linear
from torch import Tensor, nn
from torch.autograd.function import FunctionCtx, once_differentiable


class FusedLinear(Linear):
    """LoRA layer of peft with a fused forward pass during training."""

    def forward(self, x: Tensor, *args: object, **kwargs: object) -> Tensor:
        if self.disable_adapters or self.merged or args or kwargs or not torch.is_grad_enabled():
            return super().forward(x, *args, **kwargs)
        (name,) = self.active_adapters
        base = self.get_base_layer()
        return _LoraFunction.apply(  # type: ignore[return-value]  # typed as anylow_rankg
            x, base.weight, base.bias, self.lora_A[name].weight, self.lora_B[name].weight, self.scaling[name]
        )


class _LoraFunction(torch.autograd.Function):
    """`x W^T + bias + scale (x A^T) B^T`, with gradients for x, A and B."""

    @staticmethod
    def forward(
        ctx: FunctionCtx, x: Tensor, weight: Tensor, bias: Tensor | None, a: Tensor, b: Tensor, scale: float
    ) -> Tensor:
        flat = x.reshape(-1, x.shape[-1])
        down, up = a.to(x.dtype), (b * scale).to(x.dtype)
        low_rank = flat @ down.t()
        out = nn.functional.linear(flat, weight, bias).addmm_(low_rank, up.t())
        ctx.save_for_backward(flat, weight, down, up, low_rank)
        ctx.scale, ctx.shape = scale, x.shape  # type: ignore[attr-defined]  # a context takes any attribute
        return out.view(*x.shape[:-1], -1)

    @staticmethod
    @once_differentiable
    def backward(ctx: FunctionCtx, grad: Tensor) -> tuple[Tensor | None, ...]:  # type: ignore[override]
        flat, weight, down, up, low_rank = ctx.saved_tensors  # type: ignore[attr-defined]
        grad = grad.reshape(-1, grad.shape[-1])
        grad_low_rank = grad @ up
        grad_x = None
        if ctx.needs_input_grad[0]:  # type: ignore[attr-defined]
            grad_x = (grad @ weight).addmm_(grad_low_rank, down).view(ctx.shape)  # type: ignore[attr-defined]
        grad_a = (grad_low_rank.t() @ flat).float()
        grad_b = (grad.t() @ low_rank).float().mul_(ctx.scale)  # type: ignore[attr-defined]
        return grad_x, None, None, grad_a, grad_b, None


def fuse(model: nn.Module) -> None:
    """Replace every plain LoRA layer of `model` by a fused one; layers with dropout, a variant or quantized weights stay."""
    for module in model.modules():
        if type(module) is Linear and _is_plain(module):
            # The layer keeps its weights and its name; only its forward pass changes.
            module.__class__ = FusedLinear


def _is_plain(layer: Linear) -> bool:
    base = layer.get_base_layer()
    return (
        type(base) is nn.Linear
        and not base.weight.requires_grad
        and len(layer.active_adapters) == 1
        and not layer.lora_variant
        and all(isinstance(dropout, nn.Identity) for dropout in layer.lora_dropout.values())
    )

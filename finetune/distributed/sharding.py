"""Access to weights that are sharded over the ranks: the local part of this rank, and the full tensor.

FSDP keeps a permanent shard per rank. ZeRO-3 gathers full weights temporarily, so there the local part is the full tensor.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn import Module

from paracosm.finetune.distributed.processes import uses_zero3


@contextmanager
def gathered(weights: Iterable[Tensor], *, modified: bool = False) -> Iterator[None]:
    """Gather the weights that ZeRO-3 shards; without ZeRO-3, do nothing. All ranks enter and leave together.

    Args:
        weights: to gather.
        modified: whether to broadcast the changes that rank 0 makes.
    """
    if not uses_zero3():
        yield
        return
    from deepspeed.runtime.zero import GatheredParameters  # type: ignore[import-not-found]  # no dependency

    with GatheredParameters(list(weights), modifier_rank=0 if modified else None):
        yield


def local_part(weights: Tensor) -> Tensor:
    """Return the part of a weight that this rank holds, without a copy; the full tensor if it is not sharded."""
    detached = weights.detach()
    return detached.to_local() if isinstance(detached, DTensor) else detached


def shard_like(values: Tensor, weights: Tensor) -> Tensor:
    """Return this rank's part of the full tensor `values`, sharded like `weights` and on the same device."""
    if not isinstance(weights, DTensor):
        return values.to(weights.device, copy=True)
    # Every rank has the full tensor, so nothing has to be sent.
    values = values.to(weights.device)
    sharded = distribute_tensor(values, weights.device_mesh, weights.placements, src_data_rank=None)
    return sharded.to_local().clone()


def full_weights(model: Module) -> dict[str, Tensor]:
    """Return the trained weights of a model by name, as full tensors on the CPU. All ranks call this."""
    trained = {name: weights for name, weights in model.named_parameters() if weights.requires_grad}
    with gathered(trained.values()):
        return {
            name: unshard(local_part(weights), weights).cpu().clone() for name, weights in trained.items()
        }


def unshard(part: Tensor, weights: Tensor) -> Tensor:
    """Return the full tensor from the parts of all ranks, sharded like `weights`. All ranks call this."""
    if not isinstance(weights, DTensor):
        return part
    sharded = DTensor.from_local(
        part, weights.device_mesh, weights.placements, shape=weights.shape, stride=weights.stride()
    )
    return sharded.full_tensor()

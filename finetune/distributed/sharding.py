"""Weights that are divided among processes: the part of this process, and the whole.

FSDP hands out a part for good. ZeRO-3 hides the weights and lends them whole for a while, so there the part is the whole.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from torch import Tensor
from torch.distributed.tensor import DTensor, distribute_tensor

from paracosm.finetune.distributed.processes import zero3


@contextmanager
def lent(weights: Iterable[Tensor], *, changed: bool = False) -> Iterator[None]:
    """Hold what ZeRO-3 has hidden for a while, and keep the leader's changes; every process enters and leaves together."""
    if not zero3():
        yield
        return
    from deepspeed.runtime.zero import GatheredParameters  # type: ignore[import-not-found]  # no dependency

    with GatheredParameters(list(weights), modifier_rank=0 if changed else None):
        yield


def own_part(weights: Tensor) -> Tensor:
    """Return what this process holds of a weight, without a copy; all of it where nothing is sharded."""
    detached = weights.detach()
    return detached.to_local() if isinstance(detached, DTensor) else detached


def part_of(values: Tensor, weights: Tensor) -> Tensor:
    """Return this process's part of whole `values`, divided as `weights` are and on the same device."""
    if not isinstance(weights, DTensor):
        return values.to(weights.device, copy=True)
    # Every process holds the whole, so that none has to send.
    values = values.to(weights.device)
    divided = distribute_tensor(values, weights.device_mesh, weights.placements, src_data_rank=None)
    return divided.to_local().clone()


def whole(part: Tensor, weights: Tensor) -> Tensor:
    """Return the whole of which `part` is this process's, divided as `weights` are. Every process calls this."""
    if not isinstance(weights, DTensor):
        return part
    divided = DTensor.from_local(
        part, weights.device_mesh, weights.placements, shape=weights.shape, stride=weights.stride()
    )
    return divided.full_tensor()

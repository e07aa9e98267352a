"""The processes of an `accelerate launch`: who leads, and how the others learn what the leader found."""

import os
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from accelerate import PartialState

Found = TypeVar("Found")


def world() -> int:
    """Return the number of processes in this launch."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def leading() -> bool:
    """Return whether this process is the one that writes."""
    return rank() == 0


def on_leader_first(find: Callable[[], Found]) -> Found:
    """Let the leader call `find` and return its result on every process."""
    if world() == 1:
        return find()
    from accelerate.utils import broadcast_object_list

    _joined()
    found = [find() if leading() else None]
    return broadcast_object_list(found, from_process=0)[0]  # type: ignore[return-value]  # the leader's


def rank() -> int:
    """Return the number of this process in the launch, from 0."""
    return int(os.environ.get("RANK", "0"))


def wait() -> None:
    """Wait until every process of the launch is here."""
    if world() > 1:
        _joined().wait_for_everyone()


def on_processor() -> bool:
    """Return whether this launch runs on CPUs, where accelerate has to be told so to join the processes."""
    import torch

    return not torch.accelerator.is_available()


def _joined() -> "PartialState":
    from accelerate import PartialState

    return PartialState(cpu=on_processor())


def sharded() -> bool:
    """Return whether this launch divides the weights among its processes (FSDP)."""
    return os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"

"""The processes of an `accelerate launch`: who leads, how the others learn what it found, and what ends them together.

What the leader does alone may take hours, so the others wait for it without a time limit, on the launch's key-value store
and not in a collective operation. `Heartbeat` notices when one that is waited for has died or hangs.
"""

import json
import os
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, TypeVar

from paracosm.finetune.distributed.heartbeat import Heartbeat
from paracosm.foundation.errors import ParacosmError, RunError
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage_main import HELD_BACK

if TYPE_CHECKING:
    from accelerate import PartialState
    from torch.distributed import TCPStore  # type: ignore[attr-defined]  # documented, but not marked as exported

Found = TypeVar("Found")

COLLECTIVE = timedelta(minutes=30)
"""How long an operation of training may wait for the other processes, all of which live and go through the same steps."""
GLANCE = 0.05
"""Seconds between two looks at whether what is waited for is there."""
SHARED_WITHIN = 20.0
"""Seconds after which a shared file system shows on one machine what was written on another."""
_meetings = count()
"""Numbers the points at which the processes meet: every process passes the same ones in the same order."""
_stores: "list[TCPStore]" = []


def world() -> int:
    """Return the number of processes in this launch."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def leading() -> bool:
    """Return whether this process is the one that writes."""
    return rank() == 0


def rank() -> int:
    """Return the number of this process in the launch, from 0."""
    return int(os.environ.get("RANK", "0"))


def on_leader_first(find: Callable[[], Found]) -> Found:
    """Let the leader call `find` and return its result, which JSON can write, on every process."""
    if world() == 1:
        return find()
    key = f"found/{next(_meetings)}"
    if leading():
        found = find()
        _store().set(key, json.dumps(found))
        return found
    return json.loads(_awaited(key))


def wait() -> None:
    """Wait until every process of the launch is here."""
    if world() == 1:
        return
    key = f"here/{next(_meetings)}"
    if _store().add(key, 1) == world():
        _store().set(f"{key}/all", "")
    _awaited(f"{key}/all")


def any_process(mine: bool) -> bool:
    """Return whether something holds on any process. Every process calls this, in its training."""
    if world() == 1:
        return mine
    import torch

    state = joined()
    flag = torch.tensor(int(mine), device=state.device)
    torch.distributed.all_reduce(flag, op=torch.distributed.ReduceOp.MAX)
    return bool(flag)


def must_see(stage: str, run: Run) -> None:
    """Make sure that every machine of the launch sees the same finished stage of the same run.

    Raises:
        RunError: this one does not.
    """
    told = on_leader_first(lambda: run.journal.stage(stage))
    deadline = time.monotonic() + SHARED_WITHIN
    while not leading() and run.journal.stage(stage) != told:
        if time.monotonic() > deadline:
            raise RunError(
                f"{run.root.resolve()} on {socket.gethostname()}: is not the run directory that the first process writes;"
                " all machines of a launch need the same one, at a path that they share (--run)"
            )
        time.sleep(GLANCE)


def all_here() -> None:
    """Wait, in training, until every process is here."""
    if world() > 1:
        joined().wait_for_everyone()


@contextmanager
def together() -> Iterator[None]:
    """End with the others: one that fails says why, and the others stop instead of waiting for it.

    Raises:
        RunError: another process died while this one exchanged something with it.
    """
    if world() == 1:
        yield
        return
    with _lost_connections_told():
        pulse = Heartbeat(_connect(), rank(), world())
    pulse.start()
    try:
        with _lost_connections_told():
            yield
            wait()
    except _LostError as fault:
        # Whoever failed says why: its launcher ends this process, or its last words arrive by the pulse.
        time.sleep(HELD_BACK)
        raise RunError(str(fault)) from fault
    except BaseException as fault:
        pulse.stop(str(fault) if isinstance(fault, ParacosmError) else f"{type(fault).__name__}: {fault}")
        raise
    pulse.leave()


class _LostError(RunError):
    """Another process of the launch is gone."""


@contextmanager
def _lost_connections_told() -> Iterator[None]:
    try:
        yield
    except RuntimeError as fault:
        if not _of_the_connection(fault):
            raise
        raise _LostError(
            f"process {rank()} of {world()} (on {socket.gethostname()}, pid {os.getpid()}) lost the connection to another"
            " one, which has died or hangs; the same command resumes"
        ) from fault


def on_processor() -> bool:
    """Return whether this launch runs on CPUs, where accelerate has to be told so to join the processes."""
    import torch

    asked = os.environ.get("ACCELERATE_USE_CPU", "false").lower() == "true"
    return asked or not torch.accelerator.is_available()


def sharded() -> bool:
    """Return whether this launch divides the weights among its processes (FSDP)."""
    return os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"


def zero3() -> bool:
    """Return whether this launch hands the weights to DeepSpeed."""
    return os.environ.get("ACCELERATE_USE_DEEPSPEED", "false").lower() == "true"


def joined() -> "PartialState":
    """Join the processes for collective operations, and return accelerate's view of them."""
    from accelerate import PartialState

    if zero3() and on_processor():
        # DeepSpeed's own branch of accelerate is for accelerators, but takes CPUs where it is told how they talk.
        return PartialState(backend="gloo", timeout=COLLECTIVE)
    return PartialState(cpu=on_processor(), timeout=COLLECTIVE)


def _awaited(key: str) -> bytes:
    while not _store().check([key]):
        time.sleep(GLANCE)
    return _store().get(key)


def _store() -> "TCPStore":
    if not _stores:
        _stores.append(_connect())
    return _stores[0]


def _connect() -> "TCPStore":
    """Open a connection of one's own to the store of the launch: a connection serves one thread."""
    from torch.distributed import PrefixStore, TCPStore  # type: ignore[attr-defined]  # as above

    # Whoever keeps the store, the launcher or the first process, does so by now.
    joined()
    store = TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=False)
    return PrefixStore(f"paracosm/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)  # type: ignore[return-value]


def _of_the_connection(fault: RuntimeError) -> bool:
    """Return whether an operation among the processes failed because another one is gone."""
    from torch.distributed import DistError

    return isinstance(fault, DistError) or "gloo" in str(fault) or "NCCL" in str(fault)

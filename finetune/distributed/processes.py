"""Coordinate the processes of an `accelerate launch`: results of the leader, barriers, and failing together.

What the leader does alone may take hours, so the other ranks wait for it without a time limit, on the key-value store of
the launch and not in a collective operation. `Heartbeat` detects a rank that has died or hangs in the meantime.
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

Result = TypeVar("Result")

COLLECTIVE = timedelta(minutes=30)
"""Time limit of a collective operation in training, where all ranks do the same steps."""
POLLING_INTERVAL = 0.05
"""In seconds."""
FILE_SYSTEM_DELAY = 20.0
"""Seconds after which a shared file system shows on one machine what was written on another."""
_exchanges = count()
"""Numbers the exchanges between the ranks; all ranks go through the same ones in the same order."""
_stores: "list[TCPStore]" = []
"""This process's connection to the launch's store, once it is open."""


def world() -> int:
    """Return the number of processes of this launch (the world size)."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_leader() -> bool:
    """Return whether this process is the leader (rank 0), the only one that writes."""
    return rank() == 0


def rank() -> int:
    """Return the rank of this process in the launch, from 0."""
    return int(os.environ.get("RANK", "0"))


def run_on_leader(function: Callable[[], Result]) -> Result:
    """Call a function on the leader only, and return its result on every rank. All ranks call this.

    Args:
        function: its result must be representable in JSON.
    """
    if world() == 1:
        return function()
    key = f"result/{next(_exchanges)}"
    if is_leader():
        result = function()
        _store().set(key, json.dumps(result))
        return result
    return json.loads(_wait_for(key))


def barrier() -> None:
    """Wait, without a time limit, until every rank calls this."""
    if world() == 1:
        return
    key = f"barrier/{next(_exchanges)}"
    if _store().add(key, 1) == world():
        _store().set(f"{key}/all", "")
    _wait_for(f"{key}/all")


def any_process(flag: bool) -> bool:
    """Return whether `flag` is true on any rank. All ranks call this, in training."""
    if world() == 1:
        return flag
    import torch

    state = process_state()
    total = torch.tensor(int(flag), device=state.device)
    torch.distributed.all_reduce(total, op=torch.distributed.ReduceOp.MAX)
    return bool(total)


def check_shared_run(stage: str, run: Run) -> None:
    """Check that this machine sees the finished stage of the run that the leader writes. All ranks call this.

    Raises:
        RunError: this machine sees another run directory, or none.
    """
    expected = run_on_leader(lambda: run.journal.stage(stage))
    deadline = time.monotonic() + FILE_SYSTEM_DELAY
    while not is_leader() and run.journal.stage(stage) != expected:
        if time.monotonic() > deadline:
            raise RunError(
                f"{run.root.resolve()} on {socket.gethostname()}: is not the run directory that the first process writes;"
                " all machines of a launch need the same run directory, at a shared path (--run)"
            )
        time.sleep(POLLING_INTERVAL)


def training_barrier() -> None:
    """Wait in training until every rank calls this, for at most `COLLECTIVE`."""
    if world() > 1:
        process_state().wait_for_everyone()


@contextmanager
def fail_together() -> Iterator[None]:
    """Make all ranks fail together: a rank that fails reports why, and the others stop instead of waiting for it.

    Raises:
        RunError: another process died while this one exchanged data with it.
    """
    if world() == 1:
        yield
        return
    with _connection_errors():
        heartbeat = Heartbeat(_connect(), rank(), world())
    heartbeat.start()
    try:
        with _connection_errors():
            yield
            barrier()
    except _ConnectionLostError as error:
        # The process that failed reports the reason, through its launcher or the heartbeat, and this one is ended meanwhile.
        time.sleep(HELD_BACK)
        raise RunError(str(error)) from error
    except BaseException as error:
        heartbeat.stop(str(error) if isinstance(error, ParacosmError) else f"{type(error).__name__}: {error}")
        raise
    heartbeat.leave()


class _ConnectionLostError(RunError):
    """The connection to another process of the launch was lost."""


@contextmanager
def _connection_errors() -> Iterator[None]:
    """Turn an error of the connection to another process into a `_ConnectionLostError`."""
    try:
        yield
    except RuntimeError as error:
        if not _is_connection_error(error):
            raise
        raise _ConnectionLostError(
            f"process {rank()} of {world()} (on {socket.gethostname()}, pid {os.getpid()}) lost the connection to another"
            " one, which has died or hangs; the same command resumes"
        ) from error


def on_cpu() -> bool:
    """Return whether this launch runs on CPUs, which accelerate has to be told to connect the processes."""
    import torch

    requested = os.environ.get("ACCELERATE_USE_CPU", "false").lower() == "true"
    return requested or not torch.accelerator.is_available()


def uses_fsdp() -> bool:
    """Return whether this launch shards the weights with FSDP."""
    return os.environ.get("ACCELERATE_USE_FSDP", "false").lower() == "true"


def uses_zero3() -> bool:
    """Return whether this launch shards the weights with DeepSpeed ZeRO-3."""
    return os.environ.get("ACCELERATE_USE_DEEPSPEED", "false").lower() == "true"


def process_state() -> "PartialState":
    """Initialise the process group for collective operations, and return accelerate's state of it."""
    from accelerate import PartialState

    if uses_zero3() and on_cpu():
        # accelerate's branch for DeepSpeed expects accelerators, but supports CPUs if the backend is given.
        return PartialState(backend="gloo", timeout=COLLECTIVE)
    return PartialState(cpu=on_cpu(), timeout=COLLECTIVE)


def _wait_for(key: str) -> bytes:
    while not _store().check([key]):
        time.sleep(POLLING_INTERVAL)
    return _store().get(key)


def _store() -> "TCPStore":
    if not _stores:
        _stores.append(_connect())
    return _stores[0]


def _connect() -> "TCPStore":
    """Open a new connection to the launch's store; a connection may be used by one thread only."""
    from torch.distributed import PrefixStore, TCPStore  # type: ignore[attr-defined]  # as above

    # After this the store exists, in the launcher or the first process.
    process_state()
    store = TCPStore(os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"]), is_master=False)
    return PrefixStore(f"paracosm/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}", store)  # type: ignore[return-value]


def _is_connection_error(error: RuntimeError) -> bool:
    """Return whether an exchange between the processes failed because another process is gone."""
    from torch.distributed import DistError

    return isinstance(error, DistError) or "gloo" in str(error) or "NCCL" in str(error)

"""Starting the processes of a stage with accelerate, and telling in one line what ended them."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from paracosm.finetune.distributed.heartbeat import PATIENCE, patience
from paracosm.foundation.errors import RunError
from paracosm.foundation.exit_codes import INTERRUPTED, USER_ERROR
from paracosm.foundation.suggestions import did_you_mean

CONFIGURATIONS = Path(__file__).parent / "configs"
PORT = "29500"


@cache
def setups() -> dict[str, Path]:
    """Return the shipped configurations of accelerate by name."""
    return {path.stem: path for path in sorted(CONFIGURATIONS.glob("*.yaml"))}


def find_setup(name: str) -> Path:
    """Return the configuration of that name or path.

    Raises:
        RunError: there is none.
    """
    if name in setups():
        return setups()[name]
    if Path(name).is_file():
        return Path(name)
    raise RunError(
        f"{name}: no such file, and no configuration of that name (known: {', '.join(setups())}){did_you_mean(name, setups())}"
    )


def described() -> list[tuple[str, str]]:
    """Return name and first sentence of every shipped configuration."""
    return [
        (name, path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# "))
        for name, path in setups().items()
    ]


@dataclass(frozen=True)
class Topology:
    """How many processes on which machines; None leaves it to the configuration.

    Attributes:
        processes: of all machines together.
        machines: how many.
        machine: number of this one.
        first: address of machine 0, HOST or HOST:PORT.
        patience: seconds after which a silent process counts as dead.
    """

    processes: int | None = None
    machines: int | None = None
    machine: int | None = None
    first: str | None = None
    patience: float | None = None


def launch(setup: Path, stage: str, arguments: Sequence[str], spread: Topology) -> int:
    """Start the processes of a stage, wait for them, and return the exit code.

    Args:
        setup: a configuration of accelerate.
        stage: `finetune` or `generate`.
        arguments: of the stage: recipe or run, overrides, options.
        spread: over the configuration's numbers.

    Raises:
        RunError: they cannot be started, or one of them died.
    """
    # Whoever ends last finds the launch's store gone, which torch tells at length though nothing is wrong.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    from accelerate.commands.launch import launch_command, launch_command_parser
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    if setup == setups()["cpu"]:
        os.environ["ACCELERATE_USE_CPU"] = "true"
    if spread.patience is not None:
        os.environ[PATIENCE] = f"{spread.patience:g}"
    patience()
    asked = launch_command_parser().parse_args(
        ["--config_file", str(setup), *_of_accelerate(setup, spread), "-m", f"paracosm.{stage}", *arguments]
    )
    # What the launcher has to say is said below.
    logging.disable(logging.CRITICAL)
    try:
        launch_command(asked)
    except ChildFailedError as failed:
        number, first = failed.get_first_failure()
        return _exit_code(number, first.exitcode)
    except subprocess.CalledProcessError as failed:
        return _exit_code(0, failed.returncode)
    except (SignalException, KeyboardInterrupt):
        return INTERRUPTED
    except (ValueError, ImportError, ConnectionError) as fault:
        raise RunError(f"{setup}: {fault}") from fault
    return 0


def _of_accelerate(setup: Path, spread: Topology) -> list[str]:
    """Return the options of `accelerate launch` that stand over the configuration."""
    from accelerate.commands.config.config_args import load_config_from_file

    try:
        says = load_config_from_file(str(setup))
    except (ValueError, TypeError, AttributeError) as fault:
        raise RunError(f"{setup}: is no configuration of accelerate: {fault}") from fault
    machines = spread.machines or getattr(says, "num_machines", 1)
    options = {
        "--num_processes": spread.processes,
        "--num_machines": spread.machines,
        "--machine_rank": spread.machine,
    }
    if machines == 1:
        # Any free port, so that two launches on one machine do not meet.
        options["--main_process_port"] = 0
    elif spread.first is not None:
        host, _, port = spread.first.partition(":")
        if not host or not (port or PORT).isdecimal():
            raise RunError(f"--first {spread.first}: must be HOST or HOST:PORT of the first machine")
        options |= {"--main_process_ip": host, "--main_process_port": port or PORT}
    return [word for name, value in options.items() if value is not None for word in (name, str(value))]


def _exit_code(number: int, ended: int) -> int:
    """Return the exit code for a launch whose process `number` ended first, and tell of a death that had no last words."""
    if ended >= 0:
        return ended
    name = signal.Signals(-ended).name
    why = ", perhaps for want of memory" if ended == -signal.SIGKILL else ""
    print(
        f"error: process {number} was ended by {name}{why}; the same command resumes",
        file=sys.stderr,
        flush=True,
    )
    return USER_ERROR

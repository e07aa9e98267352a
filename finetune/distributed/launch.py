"""Launch the processes of a stage with accelerate, and report in one line why one of them ended."""

import logging
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from paracosm.finetune.distributed.heartbeat import PATIENCE, patience
from paracosm.foundation.errors import RunError
from paracosm.foundation.process.exit_codes import INTERRUPTED, USER_ERROR
from paracosm.foundation.suggestions import did_you_mean

CONFIGURATIONS = Path(__file__).parent / "configs"
DEFAULT_PORT = "29500"


@cache
def setups() -> dict[str, Path]:
    """Return the paths of the shipped accelerate configurations by name."""
    return {path.stem: path for path in sorted(CONFIGURATIONS.glob("*.yaml"))}


def find_setup(name: str) -> Path:
    """Return the path of the configuration with a name or path.

    Raises:
        RunError: there is no such configuration.
    """
    if name in setups():
        return setups()[name]
    if Path(name).is_file():
        return Path(name)
    raise RunError(
        f"{name}: no such file, and no configuration of that name (known: {', '.join(setups())}){did_you_mean(name, setups())}"
    )


def setup_descriptions() -> list[tuple[str, str]]:
    """Return the name and first comment line of every shipped configuration."""
    return [
        (name, path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# "))
        for name, path in setups().items()
    ]


@dataclass(frozen=True)
class Topology:
    """Numbers of processes and machines of a launch; None leaves a value to the configuration.

    Attributes:
        processes: number of processes on all machines together.
        machines: number of machines.
        machine: rank of this machine, from 0.
        first: address of machine 0, HOST or HOST:PORT.
        patience: seconds without a heartbeat after which a process counts as dead.
    """

    processes: int | None = None
    machines: int | None = None
    machine: int | None = None
    first: str | None = None
    patience: float | None = None


def launch(setup: Path, stage: str, arguments: Sequence[str], topology: Topology) -> int:
    """Start the processes of a stage, wait for them, and return the exit code of the launch.

    Args:
        setup: path of an accelerate configuration.
        stage: `finetune` or `generate`.
        arguments: of the stage: recipe or run, overrides, options.
        topology: overrides the configuration's numbers.

    Raises:
        RunError: the configuration is invalid, or the processes cannot be started.
    """
    settings: dict[str, str] = {}
    if "TORCH_CPP_LOG_LEVEL" not in os.environ:
        # The process that ends last finds the launch's store closed, and torch logs that at length.
        settings["TORCH_CPP_LOG_LEVEL"] = "ERROR"
    if setup == setups()["cpu"]:
        settings["ACCELERATE_USE_CPU"] = "true"
    if topology.patience is not None:
        settings[PATIENCE] = f"{topology.patience:g}"
    with _environment(settings):
        patience()
        return _launch(setup, stage, arguments, topology)


@contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    """Set environment variables, which the launched processes inherit, and restore them afterwards."""
    previous = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in previous.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _logging_disabled() -> Iterator[None]:
    """Disable all logging of this process, and restore it afterwards."""
    previous = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        yield
    finally:
        logging.disable(previous)


def _launch(setup: Path, stage: str, arguments: Sequence[str], topology: Topology) -> int:
    from accelerate.commands.launch import launch_command, launch_command_parser
    from torch.distributed.elastic.multiprocessing.api import SignalException
    from torch.distributed.elastic.multiprocessing.errors import ChildFailedError

    options = _accelerate_options(setup, topology)
    parsed = launch_command_parser().parse_args(
        ["--config_file", str(setup), *options, "-m", f"paracosm.{stage}", *arguments]
    )
    try:
        # The launcher's own report is replaced by the lines below.
        with _logging_disabled():
            launch_command(parsed)
    except ChildFailedError as failed:
        rank, failure = failed.get_first_failure()
        return _exit_code(rank, failure.exitcode)
    except subprocess.CalledProcessError as failed:
        return _exit_code(0, failed.returncode)
    except (SignalException, KeyboardInterrupt):
        return INTERRUPTED
    except (ValueError, ImportError, ConnectionError) as error:
        raise RunError(f"{setup}: {error}") from error
    return 0


def _accelerate_options(setup: Path, topology: Topology) -> list[str]:
    """Return the options of `accelerate launch` that override the configuration."""
    from accelerate.commands.config.config_args import load_config_from_file

    try:
        configuration = load_config_from_file(str(setup))
    except (ValueError, TypeError, AttributeError) as error:
        raise RunError(f"{setup}: is not an accelerate configuration: {error}") from error
    machines = topology.machines or getattr(configuration, "num_machines", 1)
    options = {
        "--num_processes": topology.processes,
        "--num_machines": topology.machines,
        "--machine_rank": topology.machine,
    }
    if machines == 1:
        # Any free port, so that two launches on one machine do not collide.
        options["--main_process_port"] = 0
    elif topology.first is not None:
        host, _, port = topology.first.partition(":")
        if not host or not (port or DEFAULT_PORT).isdecimal():
            raise RunError(f"--first {topology.first}: must be HOST or HOST:PORT of the first machine")
        options |= {"--main_process_ip": host, "--main_process_port": port or DEFAULT_PORT}
    return [word for name, value in options.items() if value is not None for word in (name, str(value))]


def _exit_code(rank: int, process_exit_code: int) -> int:
    """Return the exit code of a launch from the process that ended first; print an error line if a signal killed it."""
    if process_exit_code >= 0:
        return process_exit_code
    name = signal.Signals(-process_exit_code).name
    why = ", possibly out of memory" if process_exit_code == -signal.SIGKILL else ""
    print(
        f"error: process {rank} was ended by {name}{why}; the same command resumes",
        file=sys.stderr,
        flush=True,
    )
    return USER_ERROR

"""The `paracosm` command in a child process with limits, which shares the libraries that this process has imported."""

import ctypes
import os
import resource
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from paracosm.cli.app import main

CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
CAPABILITIES_VERSION = 0x20080522


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        code: exit code; negative for the signal that killed it, None if it had to be stopped.
        out: standard output.
        err: standard error.
        seconds: wall time.
    """

    code: int | None
    out: str
    err: str
    seconds: float


def in_fork(
    arguments: Iterable[str],
    *,
    folder: Path,
    patience: float = 120.0,
    prepare: Callable[[], object] | None = None,
) -> Outcome:
    """Run the command in a fork of this process, as a user whom file modes bind.

    Args:
        arguments: the command line after the program's name.
        folder: current folder of the command.
        patience: seconds after which it is stopped, of wall time and of processor time.
        prepare: is called in the child before the command.
    """
    texts = folder / ".out", folder / ".err"
    began = time.monotonic()
    child = os.fork()
    if child == 0:
        _run([*arguments], folder, texts, patience, prepare)
    status = _wait(child, began + patience)
    seconds = time.monotonic() - began
    out, err = (path.read_text(errors="replace") for path in texts)
    for path in texts:
        path.unlink()
    code = None if status is None else os.waitstatus_to_exitcode(status)
    return Outcome(None if code == -signal.SIGXCPU else code, out, err, seconds)


def _run(
    arguments: list[str],
    folder: Path,
    texts: tuple[Path, Path],
    patience: float,
    prepare: Callable[[], object] | None,
) -> None:
    """Be the child: never returns."""
    code = 70
    try:
        os.setpgid(0, 0)
        os.chdir(folder)
        for number, path in zip((1, 2), texts, strict=True):
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            os.dup2(handle, number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w"), open(2, "w")  # noqa: SIM115  # the child's own
        resource.setrlimit(resource.RLIMIT_CPU, (int(patience), int(patience) + 5))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        if os.geteuid() == 0:
            drop_capabilities()
        if prepare is not None:
            prepare()
        main(arguments)
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001  # the child must never return into the caller
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def _wait(child: int, deadline: float) -> int | None:
    """Return the status of a child; stop it at the deadline and return None."""
    pause = 0.002
    while time.monotonic() < deadline:
        ended, status = os.waitpid(child, os.WNOHANG)
        if ended:
            return status
        time.sleep(pause)
        pause = min(pause * 1.5, 0.05)
    os.killpg(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return None


def drop_capabilities() -> None:
    """Let file modes bind this process although its user is root."""
    libc = ctypes.CDLL(None, use_errno=True)
    header = (ctypes.c_uint32 * 2)(CAPABILITIES_VERSION, 0)
    sets = (ctypes.c_uint32 * 6)()
    if libc.capget(header, sets):
        raise OSError(ctypes.get_errno(), "capget")
    kept = ~(1 << CAP_DAC_OVERRIDE | 1 << CAP_DAC_READ_SEARCH) & 0xFFFF_FFFF
    for position in (0, 1):
        sets[position] &= kept
    if libc.capset(header, sets):
        raise OSError(ctypes.get_errno(), "capset")


def import_what(commands: Iterable[list[str]], *, folder: Path) -> None:
    """Import here what commands import, so that later forks need not; the commands themselves run in forks."""
    listing = folder / ".modules"
    for arguments in commands:
        in_fork(arguments, folder=folder, patience=900, prepare=lambda: _list_modules_at_exit(listing))
        names = listing.read_text().split()
        listing.unlink()
        for name in names:
            try:
                import_module(name)
            except Exception:  # noqa: BLE001  # an optional module of a library that a guard in it leaves out
                continue


def _list_modules_at_exit(listing: Path) -> None:
    leave = os._exit

    def listed(code: int) -> None:
        listing.write_text("\n".join(sorted(sys.modules)))
        leave(code)

    os._exit = listed  # type: ignore[assignment]

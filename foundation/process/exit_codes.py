"""Exit codes, and the conversion of exceptions into an exit code and an error message of one line."""

import errno
import os
import sys
import traceback
from collections.abc import Callable

from paracosm.foundation.credentials.redaction import redact
from paracosm.foundation.display import end_bar
from paracosm.foundation.errors import ParacosmError
from paracosm.foundation.printable import printable, printable_streams
from paracosm.foundation.process.signals import Terminated, ending_on_signals

USER_ERROR = 2
INTERNAL_ERROR = 70
"""EX_SOFTWARE of sysexits.h; 1 and 3 are taken by the gates (FAIL, INCONCLUSIVE)."""
INTERRUPTED = 130
BROKEN_PIPE = 141
SYSTEM_ERRORS = frozenset(
    {
        errno.EACCES,
        errno.EAGAIN,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EISDIR,
        errno.ELOOP,
        errno.EMFILE,
        errno.ENAMETOOLONG,
        errno.ENFILE,
        errno.ENODEV,
        errno.ENOENT,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.ENOTEMPTY,
        errno.ENXIO,
        errno.EPERM,
        errno.EROFS,
        errno.ESTALE,
        errno.ETXTBSY,
    }
)
"""Errors of disks, permissions and limits. Any other OSError is an internal error and keeps its traceback."""
DISK_FULL = frozenset({errno.EDQUOT, errno.EFBIG, errno.ENOSPC})
LONGEST_LINE = 2_000
"""Characters of an error line; the middle of a longer one, such as a number of thousands of digits, is left out."""
OUT_OF_MEMORY = (
    "not enough memory; lower finetune.micro_batch_size or generate.batch_size, or close other programs"
)

MEMORY_TEXTS = (
    "can't allocate memory",
    "not enough memory",
    "could not create a memory",
    "could not create a primitive",
    "can't start new thread",
)
"""Parts of the texts of torch, oneDNN and Python when they get no memory, or no thread."""


def exit_code_of(main: Callable[[], int]) -> int:
    """Run `main` and return its exit code; print errors that the user can fix as `error: ...` in one line.

    Args:
        main: does the work and returns its exit code.

    Returns:
        The exit code of `main`, or 2 (error that the user can fix), 129 (SIGHUP), 130 (interrupted), 141 (broken pipe) or
        143 (SIGTERM).
    """
    try:
        with printable_streams(), ending_on_signals():
            return main()
    except ParacosmError as error:
        return _print_error(str(error), USER_ERROR)
    except Terminated as end:
        return _print_error(f"{end.name}; the same command resumes", 128 + end.signal)
    except KeyboardInterrupt:
        return _print_error("interrupted; the same command resumes", INTERRUPTED)
    except BrokenPipeError:
        # Without this, the interpreter prints an error when it flushes the closed stream at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as error:
        if error.errno == errno.ENOMEM:
            return _print_error(OUT_OF_MEMORY, USER_ERROR)
        if error.errno not in SYSTEM_ERRORS:
            raise
        where = f"{error.filename}: " if error.filename else ""
        advice = "; finished work is kept: free disk space and run the same command again"
        hint = advice if error.errno in DISK_FULL else ""
        return _print_error(f"{where}{error.strerror or error}{hint}", USER_ERROR)
    except MemoryError:
        return _print_error(OUT_OF_MEMORY, USER_ERROR)
    except RuntimeError as error:
        if not _is_out_of_memory(error):
            raise
        return _print_error(OUT_OF_MEMORY, USER_ERROR)


def exit_code_of_command(main: Callable[[], int]) -> int:
    """Run `main` like `exit_code_of`; after any other exception print its traceback and return 70."""
    try:
        return exit_code_of(main)
    except Exception:  # noqa: BLE001  # the outermost handler: an exit code of 1 would read as a failed gate
        print(printable(redact(traceback.format_exc())), end="", file=sys.stderr)
        print("error: internal error; please report it with the traceback above", file=sys.stderr)
        return INTERNAL_ERROR


def _is_out_of_memory(error: RuntimeError) -> bool:
    # torch has an exception class for accelerators only; its CPU allocator and oneDNN raise a RuntimeError with such a text.
    text = str(error)
    return type(error).__name__ == "OutOfMemoryError" or any(part in text for part in MEMORY_TEXTS)


def _print_error(text: str, code: int) -> int:
    end_bar()
    line = printable(redact(" ".join(text.split())))
    if len(line) > LONGEST_LINE:
        line = f"{line[: LONGEST_LINE // 2]} ... {line[-LONGEST_LINE // 2 :]}"
    print(f"error: {line}", file=sys.stderr, flush=True)
    return code

"""From what went wrong to an exit code: 2 where the user can mend it, 130 after an interrupt, 70 for a defect."""

import errno
import os
import sys
import traceback
from collections.abc import Callable

from paracosm.foundation.errors import ParacosmError

MENDABLE = 2
DEFECT = 70
"""As sysexits.h has it; 1 is what a gate says that FAILs."""
INTERRUPTED = 130
BROKEN_PIPE = 141
OF_THE_MACHINE = frozenset(
    {
        errno.EACCES,
        errno.EDQUOT,
        errno.EFBIG,
        errno.EIO,
        errno.EISDIR,
        errno.EMFILE,
        errno.ENAMETOOLONG,
        errno.ENOSPC,
        errno.ENOTDIR,
        errno.EPERM,
        errno.EROFS,
    }
)
"""Faults of disks and permissions; any other OSError is a defect and keeps its traceback."""
FULL = frozenset({errno.EDQUOT, errno.EFBIG, errno.ENOSPC})
NO_MEMORY = (
    "not enough memory; lower finetune.micro_batch_size or generate.batch_size, or close other programs"
)


def explained(main: Callable[[], int]) -> int:
    """Return the exit code of `main`, or print `error: ...` in one line and return the code of the error.

    Args:
        main: does the work and returns its exit code.
    """
    try:
        return main()
    except ParacosmError as fault:
        return _fail(str(fault), MENDABLE)
    except KeyboardInterrupt:
        return _fail("interrupted; the same command resumes", INTERRUPTED)
    except BrokenPipeError:
        # Or the interpreter would complain when it flushes on the way out.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return BROKEN_PIPE
    except OSError as fault:
        if fault.errno not in OF_THE_MACHINE:
            raise
        where = f"{fault.filename}: " if fault.filename else ""
        hint = (
            "; finished work is kept: free room and run the same command again" if fault.errno in FULL else ""
        )
        return _fail(f"{where}{fault.strerror or fault}{hint}", MENDABLE)
    except MemoryError:
        return _fail(NO_MEMORY, MENDABLE)
    except RuntimeError as fault:
        if not _is_out_of_memory(fault):
            raise
        return _fail(NO_MEMORY, MENDABLE)


def reported(main: Callable[[], int]) -> int:
    """Return the exit code of `explained`, or that of a defect after its traceback."""
    try:
        return explained(main)
    except Exception:  # noqa: BLE001  # whatever it was, it was no verdict
        traceback.print_exc()
        print("error: this is a defect of paracosm; please report it with the lines above", file=sys.stderr)
        return DEFECT


def _is_out_of_memory(fault: RuntimeError) -> bool:
    # torch has a class for accelerators only; on CPU its allocator says it in words
    return type(fault).__name__ == "OutOfMemoryError" or "can't allocate memory" in str(fault)


def _fail(text: str, code: int) -> int:
    print(f"error: {' '.join(text.split())}", file=sys.stderr, flush=True)
    return code

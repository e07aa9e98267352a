"""The command line that `python -m paracosm.finetune` and `python -m paracosm.generate` share."""

import argparse
import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import NoReturn

from paracosm.foundation.errors import ParacosmError, RecipeError
from paracosm.foundation.process.core_dumps import forbid_core_dumps
from paracosm.foundation.process.exit_codes import INTERRUPTED, exit_code_of
from paracosm.foundation.process.signals import Terminated
from paracosm.recipes.run.open_run import OpenRun, open_run

HELD_BACK = 5.0
"""Seconds for which the other processes of a machine keep quiet about a fault, so that it is told once: when the first one
ends, the launcher ends them."""


class StageParser(argparse.ArgumentParser):
    """Says in one line what is wrong with the arguments."""

    def error(self, message: str) -> NoReturn:
        raise RecipeError(f"{self.prog}: {message}")


def stage_main(
    stage: Callable[[OpenRun], object],
    argv: Sequence[str] | None = None,
    *,
    prog: str,
    with_out: bool = False,
) -> int:
    """Open the recipe and run that `argv` names, do one stage, and return the exit code.

    Under `accelerate launch` every process calls this; the first one alone makes and locks the run.

    Args:
        stage: does the work; its result is ignored.
        argv: the arguments after the program's name; those of this process when absent.
        prog: the program's name in messages.
        with_out: whether the command has the option `--out`.
    """
    forbid_core_dumps()
    parser = stage_parser(prog)
    if with_out:
        parser.add_argument("--out", type=Path, metavar="DIR", help="the folder of another set of records")
    return exit_code_of(lambda: _do(stage, argv, parser))


def _do(stage: Callable[[OpenRun], object], argv: Sequence[str] | None, parser: StageParser) -> int:
    with speaking_in_turn():
        given = parser.parse_intermixed_args(argv)
        opened = replace(open_run(given.recipe, given.overrides, given.run), out=getattr(given, "out", None))
        if int(os.environ.get("RANK", "0")) > 0:
            os.umask(0o077)
            stage(opened)
            return 0
        with opened.working():
            stage(opened)
    return 0


def speaks_first() -> bool:
    """Return whether this process is the first one of the launch on its machine."""
    return int(os.environ.get("LOCAL_RANK", "0")) == 0


@contextmanager
def speaking_in_turn() -> Iterator[None]:
    """Hold what is told in one line back for a while on all processes of a machine but the first, which may tell it too.

    An interruption reaches all of them, and the launcher ends those that are left when the first one has ended: only the first
    one tells that.
    """
    if speaks_first():
        yield
        return
    try:
        try:
            yield
        except (ParacosmError, OSError, MemoryError):
            time.sleep(HELD_BACK)
            raise
    except Terminated as end:
        raise SystemExit(128 + end.signal) from None
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None


def stage_parser(prog: str) -> StageParser:
    """Return the parser of `RECIPE|RUN [key=value ...] [--run DIR]`."""
    parser = StageParser(prog=prog, description="Do one stage of a run; `accelerate launch -m` spreads it.")
    parser.add_argument(
        "recipe",
        type=Path,
        metavar="RECIPE|RUN",
        help="a recipe, the name of a shipped one, or a run directory",
    )
    parser.add_argument(
        "overrides",
        nargs="*",
        default=[],
        metavar="key=value",
        help="over what the recipe says: finetune.epochs=2",
    )
    parser.add_argument("--run", type=Path, metavar="DIR", help="the run directory (default: runs/<name>)")
    return parser

"""Progress lines of long work: who takes them, and the two takers that everything uses."""

import sys
from collections.abc import Callable

Progress = Callable[[str], None]
"""Takes one line about work that goes on, without its line break."""


def silent(line: str) -> None:
    """Take a progress line and print nothing."""


def to_stderr(line: str) -> None:
    """Print a progress line on the standard error stream at once."""
    print(line, file=sys.stderr, flush=True)


def indented(progress: Progress, width: int = 11) -> Progress:
    """Return a taker that passes lines on behind `width` spaces: the steps below a stage's own line."""
    return lambda line: progress(" " * width + line)

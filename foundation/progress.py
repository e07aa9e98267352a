"""Progress callbacks: functions that receive one line of text about long work."""

import sys
from collections.abc import Callable

from paracosm.foundation.credentials.redaction import redact
from paracosm.foundation.printable import printable

Progress = Callable[[str], None]
"""Receives one progress line, without a line break."""


def silent(line: str) -> None:
    """Ignore a progress line."""


def to_stderr(line: str) -> None:
    """Print a progress line to standard error, without passwords of URLs and control characters, and flush it."""
    print(printable(redact(line), keep=""), file=sys.stderr, flush=True)


def indented(progress: Progress, width: int = 11) -> Progress:
    """Return a callback that passes lines to `progress`, indented by `width` spaces.

    The default aligns details with the text behind a stage's name.
    """
    return lambda line: progress(" " * width + line)

"""Progress callbacks: functions that receive one line of text about long work, or a step of work whose amount is known."""

import sys
from collections.abc import Callable

from paracosm.foundation.credentials.redaction import redact
from paracosm.foundation.display import Step, current_display
from paracosm.foundation.printable import printable

__all__ = ["Progress", "Step", "first_sign", "indented", "silent", "to_stderr"]

Progress = Callable[[str], None]
"""Receives one progress line, without a line break; or a `Step`, which is such a line too."""


def silent(line: str) -> None:
    """Ignore a progress line."""


def to_stderr(line: str) -> None:
    """Show progress where the user looks: a bar on a terminal and in a notebook, plain lines on standard error otherwise.

    Lines are printed without passwords of URLs and control characters.
    """
    display = current_display()
    if isinstance(line, Step):
        display.step(line)
    else:
        display.line(printable(redact(line), keep=""))


def first_sign(line: str) -> None:
    """Say on a terminal what a command begins with, before it imports libraries, which takes seconds."""
    if sys.stderr.isatty():
        to_stderr(line)


def indented(progress: Progress, width: int = 11) -> Progress:
    """Return a callback that passes lines to `progress`, indented by `width` spaces.

    The default aligns details with the text behind a stage's name.
    """

    def passed(line: str) -> None:
        progress(line.with_margin(width) if isinstance(line, Step) else " " * width + line)

    return passed

"""Conversion of SIGTERM and SIGHUP into an exception, so that a job scheduler ends a command as Ctrl-C does."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

NAMES = {signal.SIGTERM: "terminated", signal.SIGHUP: "terminated, because the terminal was closed"}


class Terminated(KeyboardInterrupt):
    """The process received a signal that asks it to end. A subclass, so that cleanup for Ctrl-C covers it.

    Attributes:
        signal: its number.
    """

    def __init__(self, signal_number: int) -> None:
        super().__init__()
        self.signal = signal_number

    @property
    def name(self) -> str:
        """What happened, in words."""
        return NAMES[signal.Signals(self.signal)]


@contextmanager
def ending_on_signals() -> Iterator[None]:
    """Raise `Terminated` in the main thread on SIGTERM and SIGHUP; an ignored signal (`nohup`) stays ignored."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before: dict[int, Any] = {
        number: signal.getsignal(number) for number in NAMES if signal.getsignal(number) is signal.SIG_DFL
    }
    for number in before:
        signal.signal(number, _end)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, _: object) -> None:
    raise Terminated(number)

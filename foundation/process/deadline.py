"""A bound on the total time of work that waits for somebody else, such as a server that sends one byte a second."""

import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


def within(seconds: float, work: Callable[[], Result]) -> Result:
    """Return the result of `work`, or raise if it takes longer, whatever it waits for.

    Timeouts of sockets and HTTP clients bound the pause between two bytes, so that a slow sender is waited for without end. `work`
    therefore runs in a thread of its own, which is left alone when the time is over: it must not need to be cleaned up.

    Args:
        seconds: how long to wait.
        work: is called without arguments; its exceptions are raised here.

    Raises:
        TimeoutError: the time is over.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001  # raised again by the caller's thread
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError(f"not done within {seconds:g} seconds")
    return results[0]

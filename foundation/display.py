"""Displays of progress: a bar on a terminal, a bar in a notebook, and plain lines elsewhere."""

import atexit
import sys
import textwrap
import time
from html import escape
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from rich.progress import Progress as RichProgress


SECONDS_A_LINE = 10.0
"""Seconds between two plain lines about one task."""
SECONDS_A_FRAME = 0.1
LONGEST = 80
"""Columns of a line on a terminal, however wide it is."""


class Step(str):
    """A progress line that says how much of the work is done.

    Send one as often as you like: a terminal and a notebook show a bar with rate and time left, and a pipe gets a line now and
    then. As text it is complete without them.

    Attributes:
        task: what is done, such as `sampling`; a bar shows one task.
        done: the amount that is done.
        total: the whole amount; 0 where it is not known yet.
        unit: what is counted, in the plural.
        detail: more about the state, such as the loss.
        left: seconds that are left at most, where the sender knows better than the rate.
        margin: spaces before the text.
    """

    task: str
    done: float
    total: float
    unit: str
    detail: str
    left: float | None
    margin: int

    def __new__(
        cls,
        task: str,
        done: float,
        total: float,
        *,
        unit: str,
        detail: str = "",
        left: float | None = None,
        margin: int = 0,
    ) -> "Step":
        amount = f"{done:,.0f} of {total:,.0f} {unit}" if total else ""
        step = super().__new__(cls, " " * margin + " · ".join(filter(None, (task, amount, detail))))
        step.task, step.done, step.total, step.unit = task, done, total, unit
        step.detail, step.left, step.margin = detail, left, margin
        return step

    def with_margin(self, width: int) -> "Step":
        """Return the step with further spaces before its text."""
        return Step(
            self.task,
            self.done,
            self.total,
            unit=self.unit,
            detail=self.detail,
            left=self.left,
            margin=self.margin + width,
        )


class Display(Protocol):
    """Shows progress lines and steps."""

    def line(self, text: str) -> None:
        """Show a line that stays."""
        ...

    def step(self, step: Step) -> None:
        """Show how far a task is."""
        ...


class Pace:
    """Rate and remaining time of one task, counted from its first step."""

    def __init__(self, step: Step) -> None:
        self.task = step.task
        self.began = time.monotonic()
        self.first = step.done

    def words(self, step: Step) -> str:
        """Return rate and time left, as far as they are known."""
        seconds, done = time.monotonic() - self.began, step.done - self.first
        if not step.total:
            return ""
        if done <= 0 or seconds <= 0:
            return "" if step.left is None else f"{duration(step.left)} left"
        rate = done / seconds
        left = (step.total - step.done) / rate
        left = left if step.left is None else min(left, step.left)
        speed = (
            f"{rate:,.0f}/s" if rate >= 10 else f"{rate:.1f}/s" if rate >= 0.5 else f"{1 / rate:.0f} s each"
        )
        return speed if step.done >= step.total else f"{speed} · {duration(left)} left"


def duration(seconds: float) -> str:
    """Return a duration in its two largest units, such as `3 min 20 s`."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{whole // 60} min {whole % 60:02d} s" if whole < 600 else f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60:02d} min"


class PlainLines:
    """Lines on standard error: every line, and of the steps of a task the first, one every ten seconds, and the last."""

    def __init__(self) -> None:
        self.pace: Pace | None = None
        self.last = 0.0

    def line(self, text: str) -> None:
        """Print the line."""
        self._print(text)
        self.last = time.monotonic()

    def step(self, step: Step) -> None:
        """Print the step unless the last one is too recent."""
        if self.pace is None or self.pace.task != step.task:
            self.pace = Pace(step)
            self.last = time.monotonic()
            return
        if (step.total and step.done >= step.total) or time.monotonic() - self.last >= SECONDS_A_LINE:
            self.last = time.monotonic()
            self._print(" · ".join(filter(None, (step, self.pace.words(step)))))

    def _print(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)


class TerminalBar:
    """A bar below the lines, which goes away when its task is done."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.pace: Pace | None = None
        self.bar: RichProgress | None = None
        self.frame = 0.0
        atexit.register(self.end)

    def line(self, text: str) -> None:
        """Print the line in place of the bar, with its continuation indented as it is."""
        self.end()
        margin = " " * (len(text) - len(text.lstrip()))
        width = min(LONGEST, self._console().width)
        wrapped = textwrap.wrap(text, width, subsequent_indent=margin or " " * 11, break_on_hyphens=False)
        print("\n".join(wrapped), file=sys.stderr, flush=True)

    def step(self, step: Step) -> None:
        """Draw the bar again, at most ten times a second."""
        if self.pace is None or self.pace.task != step.task:
            self.end()
            self.pace = Pace(step)
            self._begin(step)
        if step.total and step.done >= step.total:
            self.end()
            return
        if self.bar is None:
            self._begin(step)
        if self.bar is not None and time.monotonic() - self.frame >= SECONDS_A_FRAME:
            self.frame = time.monotonic()
            words = " · ".join(filter(None, (self.pace.words(step), step.detail)))
            room = min(LONGEST, self.bar.console.width) - step.margin - len(step.task) - 24
            self.bar.update(
                self.bar.task_ids[0],
                completed=step.done,
                total=step.total or None,
                share=_share(step),
                words=words[: max(room, 0)],
            )
            self.bar.refresh()

    def _console(self) -> Any:
        from rich.console import Console

        return Console(file=self.stream)

    def _begin(self, step: Step) -> None:
        from rich.progress import BarColumn, Progress, TextColumn

        self.frame = 0.0
        self.bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=12),
            TextColumn("{task.fields[share]:>4}", markup=False),
            TextColumn("{task.fields[words]}", markup=False),
            console=self._console(),
            transient=True,
            auto_refresh=False,
        )
        self.bar.add_task(
            " " * step.margin + step.task, total=step.total or None, share=_share(step), words=""
        )
        self.bar.start()
        # A process that is killed would leave the terminal without a cursor.
        self.bar.console.show_cursor(True)

    def end(self) -> None:
        """Take the bar away."""
        if self.bar is not None:
            self.bar.stop()
            self.bar = None


class NotebookBar:
    """A bar in the output of a cell, and lines as ordinary output."""

    def __init__(self) -> None:
        self.pace: Pace | None = None
        self.handle: Any = None
        self.frame = 0.0

    def line(self, text: str) -> None:
        """Print the line."""
        print(text, flush=True)

    def step(self, step: Step) -> None:
        """Draw the bar of the task again, at most ten times a second."""
        from IPython.display import HTML, display  # type: ignore[import-not-found]  # the notebook brings it

        if not step.total:
            return
        finished = step.done >= step.total
        if self.pace is None or self.pace.task != step.task:
            self.pace = Pace(step)
            self.handle = display(HTML(self._html(step)), display_id=True)
        elif finished or time.monotonic() - self.frame >= SECONDS_A_FRAME:
            self.frame = time.monotonic()
            self.handle.update(HTML(self._html(step)))

    def _html(self, step: Step) -> str:
        assert self.pace is not None, "a task begins before it is drawn"
        words = " · ".join(filter(None, (step.strip(), self.pace.words(step))))
        return f"<progress value='{step.done:g}' max='{step.total:g}'></progress> {escape(words)}"


def _share(step: Step) -> str:
    return f"{step.done / step.total:.0%}" if step.total else ""


_displays: dict[str, tuple[Any, Display]] = {}


def current_display() -> Display:
    """Return the display for the place where standard error is shown now."""
    if _in_notebook():
        kind, stream = "notebook", None
    else:
        # A stream that escapes control characters wraps the one that the bar needs.
        stream = getattr(sys.stderr, "_stream", sys.stderr)
        kind = "terminal" if stream.isatty() else "plain"
    known = _displays.get(kind)
    if known is None or known[0] is not stream:
        made: Display = (
            NotebookBar()
            if kind == "notebook"
            else TerminalBar(stream)
            if kind == "terminal"
            else PlainLines()
        )
        known = _displays[kind] = (stream, made)
    return known[1]


def end_bar() -> None:
    """Take away a bar that is shown, so that what is printed next has a line of its own."""
    for _, display in _displays.values():
        if isinstance(display, TerminalBar):
            display.end()


def _in_notebook() -> bool:
    """Return whether this code runs in a Jupyter kernel."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    return getattr(shell, "kernel", None) is not None

"""Progress: steps as text, plain lines in a pipe, a bar on a terminal and in a notebook."""

import io
import sys
import types
from typing import Any

import pytest

from paracosm.foundation import display
from paracosm.foundation.display import NotebookBar, PlainLines, TerminalBar, duration
from paracosm.foundation.progress import Step, indented, to_stderr


class Terminal(io.StringIO):
    """A text stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def step(done: float, total: float = 100) -> Step:
    return Step("sampling", done, total, unit="records")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [1000.0]
    monkeypatch.setattr(display.time, "monotonic", lambda: now[0])
    return now


def test_a_step_is_a_complete_line() -> None:
    line = Step("training", 3, 1200, unit="steps", detail="epoch 0.1")
    assert line == "training · 3 of 1,200 steps · epoch 0.1"
    assert Step("eval", 0, 0, unit="", detail="starting") == "eval · starting"


def test_indented_keeps_a_step() -> None:
    lines: list[str] = []
    indented(indented(lines.append, 2), 3)(step(1))
    (line,) = lines
    assert isinstance(line, Step)
    assert line.margin == 5
    assert line == "     sampling · 1 of 100 records"


def test_a_pipe_gets_a_line_now_and_then_and_the_last_one(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = PlainLines()
    for done in range(0, 101, 10):
        lines.step(step(done))
        clock[0] += 3
    assert capsys.readouterr().err.splitlines() == [
        "sampling · 40 of 100 records · 3.3/s · 18 s left",
        "sampling · 80 of 100 records · 3.3/s · 6 s left",
        "sampling · 100 of 100 records · 3.3/s",
    ]


def test_the_sender_can_know_that_less_time_is_left(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    lines = PlainLines()
    for done in (0, 10):
        lines.step(Step("training", done, 100, unit="steps", left=20))
        clock[0] += 15
    assert capsys.readouterr().err == "training · 10 of 100 steps · 0.7/s · 20 s left\n"


def test_a_terminal_shows_a_bar_that_makes_room_for_lines(
    clock: list[float], monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Terminal()
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("TERM", "xterm")
    bar = TerminalBar(stream)
    bar.step(step(0))
    clock[0] += 5
    bar.step(step(50))
    assert "50%" in stream.getvalue()
    assert "10/s · 5 s left" in stream.getvalue()
    bar.line("generate   " + "word " * 30)
    last = stream.getvalue().rsplit("\x1b", 1)[1].splitlines()
    assert max(map(len, last[1:])) <= 80
    assert last[-1].startswith(" " * 11 + "word")


def test_a_notebook_updates_one_bar(clock: list[float], monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    handle = types.SimpleNamespace(update=shown.append)
    module = types.ModuleType("IPython.display")
    vars(module).update(HTML=str, display=lambda html, display_id: shown.append(html) or handle)
    monkeypatch.setitem(sys.modules, "IPython", types.ModuleType("IPython"))
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    bar = NotebookBar()
    bar.step(step(0))
    clock[0] += 1
    bar.step(step(100))
    assert [html.split(">")[0] for html in shown] == [
        "<progress value='0' max='100'",
        "<progress value='100' max='100'",
    ]


def test_a_line_hides_passwords_and_control_characters(capsys: pytest.CaptureFixture[str]) -> None:
    to_stderr("reading postgresql://me:secret@host/db \x1b[2J")
    shown = capsys.readouterr().err
    assert "secret" not in shown
    assert "\x1b" not in shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(4.4, "4 s"), (61, "1 min 01 s"), (599, "9 min 59 s"), (1800, "30 min"), (7260, "2 h 01 min")],
)
def test_a_duration_has_its_two_largest_units(seconds: float, words: str) -> None:
    assert duration(seconds) == words

"""A job scheduler's signal ends a command in one line, and with the exit code of the signal."""

import signal
import subprocess
import sys

import pytest

SIGNALLED = """
import os, signal
from paracosm.foundation.process.exit_codes import exit_code_of
from paracosm.foundation.process.signals import Terminated

def main():
    try:
        os.kill(os.getpid(), {number})
    except KeyboardInterrupt as error:
        print("cleaned up after", type(error).__name__, isinstance(error, Terminated))
        raise
    return 0

code = exit_code_of(main)
assert signal.getsignal({number}) is signal.SIG_DFL
raise SystemExit(code)
"""
"""A process of its own: in one where a library has handled signals before, the signal would end the tests."""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_gives_one_line_and_its_exit_code(number: signal.Signals, code: int) -> None:
    program = SIGNALLED.format(number=int(number))
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)
    assert ended.returncode == code
    assert ended.stdout.split() == ["cleaned", "up", "after", "Terminated", "True"]
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: terminated")
    assert line.endswith("the same command resumes")


def test_a_signal_that_the_caller_ignores_stays_ignored() -> None:
    program = (
        "import os, signal\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from paracosm.foundation.process.exit_codes import exit_code_of\n"
        "raise SystemExit(exit_code_of(lambda: os.kill(os.getpid(), signal.SIGHUP) or 7))\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 7

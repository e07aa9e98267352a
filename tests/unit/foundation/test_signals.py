"""A job scheduler's signal ends a command in one line, and with the exit code of the signal."""

import os
import signal
import subprocess
import sys

import pytest

from paracosm.foundation.process.exit_codes import exit_code_of
from paracosm.foundation.process.signals import Terminated


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_gives_one_line_and_its_exit_code(
    number: signal.Signals, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    cleaned = []

    def main() -> int:
        try:
            os.kill(os.getpid(), number)
        except KeyboardInterrupt as error:
            cleaned.append(error)
            raise
        return 0

    assert exit_code_of(main) == code
    assert isinstance(cleaned[0], Terminated)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: terminated")
    assert line.endswith("the same command resumes")
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_signal_that_the_caller_ignores_stays_ignored() -> None:
    program = (
        "import os, signal\n"
        "signal.signal(signal.SIGHUP, signal.SIG_IGN)\n"
        "from paracosm.foundation.process.exit_codes import exit_code_of\n"
        "raise SystemExit(exit_code_of(lambda: os.kill(os.getpid(), signal.SIGHUP) or 7))\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 7

"""Foreign text cannot control the terminal."""

import io
import sys

import pytest

from paracosm.foundation.errors import DataError
from paracosm.foundation.printable import PrintableStream, printable
from paracosm.foundation.process.exit_codes import exit_code_of
from paracosm.foundation.progress import to_stderr

TITLE = "\x1b]0;PWNED\x07"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (TITLE, r"\x1b]0;PWNED\x07"),
        ("\x9b2J", r"\x9b2J"),
        ("a\u202egnp.exe", r"a\u202egnp.exe"),
        ("a\u2028b\x00", r"a\u2028b\x00"),
        ("naïve \u00a0é 中文 \u200d", "naïve \u00a0é 中文 \u200d"),
        ("two\nlines\tof text", "two\nlines\tof text"),
    ],
)
def test_control_characters_become_escapes_and_letters_stay(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_stream_lets_styles_pass_and_nothing_else() -> None:
    stream = io.StringIO()
    PrintableStream(stream).write(f"\x1b[1;31mred\x1b[0m\x1b[2J{TITLE}\rbar\n")
    assert stream.getvalue() == "\x1b[1;31mred\x1b[0m\\x1b[2J\\x1b]0;PWNED\\x07\rbar\n"


def test_an_error_a_progress_line_and_an_output_show_no_control_character(
    capsys: pytest.CaptureFixture[str],
) -> None:
    def main() -> int:
        print(TITLE)
        to_stderr(f"line\n{TITLE}")
        raise DataError(f"column {TITLE}: is empty")

    assert TITLE not in str(DataError(TITLE))
    assert exit_code_of(main) == 2
    captured = capsys.readouterr()
    assert "\x1b" not in captured.out + captured.err
    assert captured.err.splitlines() == [
        r"line\n\x1b]0;PWNED\x07",
        r"error: column \x1b]0;PWNED\x07: is empty",
    ]
    assert not isinstance(sys.stdout, PrintableStream)

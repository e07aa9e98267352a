"""Errors that the user can fix become one line and an exit code; others keep their traceback."""

import errno

import pytest

from paracosm.foundation.errors import RecipeError
from paracosm.foundation.process.exit_codes import exit_code_of, exit_code_of_command


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (RecipeError("recipe.yaml:\n  broken"), 2, "error: recipe.yaml: broken"),
        (
            OSError(errno.ENOSPC, "No space left on device", "run/x"),
            2,
            "error: run/x: No space left on device",
        ),
        (PermissionError(errno.EACCES, "Permission denied", "run"), 2, "error: run: Permission denied"),
        (OSError(errno.ELOOP, "Too many levels of symbolic links", "run"), 2, "error: run: Too many levels"),
        (OSError(errno.ENOMEM, "Cannot allocate memory"), 2, "error: not enough memory"),
        (RuntimeError("could not create a primitive"), 2, "error: not enough memory"),
        (RuntimeError("can't start new thread"), 2, "error: not enough memory"),
        (KeyboardInterrupt(), 130, "error: interrupted"),
    ],
)
def test_errors_that_the_user_can_fix_are_one_line_and_an_exit_code(error, code, message, capsys):
    def main():
        raise error

    assert exit_code_of(main) == code
    line = capsys.readouterr().err
    assert line.startswith(message)
    assert line.count("\n") == 1


def test_an_internal_error_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError):
        exit_code_of(lambda: 1 // 0)
    with pytest.raises(ConnectionError):
        exit_code_of(lambda: (_ for _ in ()).throw(ConnectionError(errno.ECONNRESET, "reset")))


def test_the_exit_code_of_an_internal_error_is_not_that_of_a_gate(capsys):
    assert exit_code_of_command(lambda: 1 // 0) == 70
    message = capsys.readouterr().err
    assert "ZeroDivisionError" in message
    assert "please report it" in message
    assert [exit_code_of_command(lambda code=code: code) for code in (0, 1, 3)] == [0, 1, 3]

"""Hostile column names through init and validate: used as data, with a recipe that can be read and a terminal that obeys nothing."""

import csv
import re
from pathlib import Path

import pytest

from paracosm.cli.app import main

PYTHON = [
    "__class__",
    "__init__",
    "__dict__",
    "self",
    "cls",
    "None",
    "lambda",
    "def",
    "import",
    "in",
    "not",
    "if",
    "abs",
    "min",
    "name",
    "index",
]
SCRIPT = ["__proto__", "constructor", "toString", "hasOwnProperty", "valueOf", "undefined"]
OURS = [
    "record", "subject", "split", "text", "label", "weight", "target", "train", "control", "test", "synthetic", "number", "part", "value",
    "count", "columns", "fields", "messages", "row", "where", "parent", "level_0", "__index_level_0__", "source", "type", "nullable",
]  # fmt: skip
YAML = [
    "~",
    "yes",
    "no",
    "- a",
    "a: b",
    ": b",
    "#x",
    "&a",
    "*a",
    "<<",
    "!!python/object:os.system",
    "---",
    "...",
    "{a}",
    "[a]",
    "|",
    ">",
    "%TAG",
    "@a",
    "\\u0041",
]
SHELL = [
    "${HOME}",
    "$(id)",
    "`id`",
    "%s%n%d",
    "{0}",
    "{name}",
    "a;b",
    "a|b",
    "../../etc/passwd",
    "C:\\x",
    "a/b",
    "a.b",
    "a[0]",
    "a\\nb",
    "*",
    "?",
]
MARKUP = [
    "</script><script>alert(1)</script>", "<img src=x onerror=alert(1)>", "]]>", "<!--", "&lt;", "&#x3c;", "[x](javascript:alert(1))",
    "![x](http://evil.invalid/x.png)", "**b**", "# h", "```", "</textarea>", "'\"><svg onload=alert(1)>",
]  # fmt: skip
FORMULAS = ['=HYPERLINK("http://evil.invalid","y")', "+1+1", "-1+1", "@SUM(A1)", "=1+1", "=cmd|' /C calc'!A0"]
LETTERS = [
    "é",
    "e\u0301",
    "\U0001f600",
    "名前",
    "a\u0085b",
    "\u2028x",
    "\u202eabc",
    "\u200b",
    "a\u2066b",
    "a\x1b[2Jb",
    "a\x07b",
    "a\tb",
    "a\nb",
    "a\r\nb",
    'a"b',
    "a'b",
    "a,b",
]
NUMBERS = ["0", "1", "1.5", "1e5", "-0", "NaN", "nan", "inf", "2024-01-01", "9" * 4_301]
SQL = ["select", "drop table t", "x'; drop table t; --", "group", "order by 1"]
KINDS = {
    "python": PYTHON, "script": SCRIPT, "ours": OURS, "yaml": YAML, "shell": SHELL, "markup": MARKUP, "formulas": FORMULAS, "letters": LETTERS,
    "numbers": NUMBERS, "sql": SQL, "spaces": [" lead", "trail "],
}  # fmt: skip
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u2028\u202a-\u202e\u2066-\u2069]")


def write(path: Path, names: list[str], rows: int = 40) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow([*names, "zz"])
        for row in range(rows):
            table.writerow(
                [
                    *(
                        "uvw"[(row + place) % 3] if place % 2 else (row + place) % 11
                        for place in range(len(names))
                    ),
                    row % 5,
                ]
            )


def code_of(*words: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run a command; return its exit code and what it printed, without what must never reach a terminal."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main(list(words))
    out, err = capsys.readouterr()
    assert not CONTROL.search(out + err), (words, out + err)
    assert isinstance(end.value.code, int)
    if end.value.code == 2:
        assert [line[:7] for line in err.splitlines() if line.startswith("error: ")] == ["error: "], err
        assert len(err.splitlines()[-1]) < 2_200
    return end.value.code, out, err


@pytest.mark.parametrize("kind", KINDS)
def test_names_are_data(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "t.csv", KINDS[kind])
    code, _, err = code_of("init", "t.csv", "--out", "r.yaml", capsys=capsys)
    assert code == 0, err
    code, _, err = code_of("validate", "r.yaml", capsys=capsys)
    assert code == 0, err

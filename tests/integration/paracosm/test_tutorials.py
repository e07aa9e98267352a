"""Every command and every Python block of the tutorials works, in the order of the page, on the file that they are about."""

import re
import runpy
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from tiny_models import save_tiny_llama

from paracosm.cli.app import main

ROOT = Path(__file__).parents[3]
PAGES = sorted((ROOT / "docs" / "tutorials").glob("*.md"))
BLOCK = re.compile(r"^```(sh|python)\n(.*?)^```$", flags=re.DOTALL | re.MULTILINE)
QUICK = ["eval.bootstrap=100", "eval.repeats=1"]


def command(words: list[str]) -> int:
    """Run the command in this process and return its exit code."""
    with pytest.raises(SystemExit) as left:
        main(words)
    assert isinstance(left.value.code, int)
    return left.value.code


def make_quick(recipe: Path, base: Path) -> None:
    """Give a drafted recipe a model and an evaluation that take seconds; what was decided about the data stays."""
    plain: dict[str, Any] = yaml.safe_load(recipe.read_text(encoding="utf-8"))
    plain["model"] = {"base": str(base)}
    plain["finetune"] = (plain.get("finetune") or {}) | {"epochs": 1}
    plain["eval"] = {"bootstrap": 100, "repeats": 1}
    recipe.write_text(yaml.safe_dump(plain), encoding="utf-8")


def test_there_is_a_tutorial_for_each_question() -> None:
    assert len(PAGES) == 7


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_a_tutorial_says_works(page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    base = save_tiny_llama(tmp_path / "tiny")
    patients = runpy.run_path(str(ROOT / "docs" / "tutorials" / "patients.py"))["patients"]
    patients().to_csv("patients.csv", index=False, date_format="%Y-%m-%d")
    blocks = BLOCK.findall(page.read_text(encoding="utf-8"))
    assert blocks
    names: dict[str, Any] = {}
    for language, block in blocks:
        if language == "python":
            exec(compile(block, page.name, "exec"), names)
            continue
        for line in block.splitlines():
            program, *words = shlex.split(line, comments=True)
            assert program == "paracosm"
            tables = words[0] == "eval" and "--synthetic" in words
            assert command([*words, *(QUICK if tables else [])]) == 0, line
            if words[0] == "init":
                make_quick(Path(words[words.index("-o") + 1] if "-o" in words else "recipe.yaml"), base)

"""Text of the product keeps to plain technical English: constructions that the house has banned do not come back."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = (
    "foundation",
    "recipes",
    "records",
    "finetune",
    "generate",
    "eval",
    "registry",
    "paracosm",
    "cli",
    "bench",
    "docs",
)
FILES = sorted(
    path
    for folder in FOLDERS
    for path in (ROOT / folder).rglob("*")
    if path.suffix in {".py", ".md", ".jinja", ".yaml"}
)
BANNED = {
    r"(?<!there )(?<!There )\bis no (?!longer\b|more\b|less\b|such\b|further\b|row\b)": "is not a",
    r"\banew\b": "again, or what is done",
    r"\bby heart\b": "memorise",
    r"\bstrangers?\b": "non-members",
    r"\bdealt out\b": "split, shuffled",
    r"\bin want of\b": "without",
}


@pytest.mark.parametrize("banned", BANNED)
def test_a_banned_construction_is_not_used(banned: str) -> None:
    hits = [
        f"{path.relative_to(ROOT)}:{number}: write {BANNED[banned]!r}"
        for path in FILES
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if re.search(banned, line)
    ]
    assert hits == []

"""Documents that are made from the code are up to date, and what they name exists."""

import importlib
import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ENTRY_POINT_GROUPS = {"paracosm.metrics", "paracosm.stores"}
NAMED = sorted(
    {
        name
        for page in (ROOT / "docs" / "architecture.md", ROOT / "CONTRIBUTING.md")
        for name in re.findall(r"`(paracosm(?:\.\w+)+)`", page.read_text(encoding="utf-8"))
    }
    - ENTRY_POINT_GROUPS
)


def test_the_tree_of_packages_is_up_to_date() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    rendered = runpy.run_path(str(ROOT / "docs" / "architecture.py"))["rendered"]
    assert rendered(page) == page, "run: python docs/architecture.py"


@pytest.mark.parametrize("name", NAMED)
def test_what_the_architecture_names_exists(name: str) -> None:
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        try:
            found = importlib.import_module(".".join(parts[:cut]))
        except ModuleNotFoundError:
            continue
        for attribute in parts[cut:]:
            found = getattr(found, attribute)
        return
    pytest.fail(f"{name} does not exist")

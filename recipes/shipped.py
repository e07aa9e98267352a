"""The recipes that ship with the package."""

from functools import cache
from pathlib import Path

import yaml

FOLDER = Path(__file__).parent


@cache
def shipped() -> dict[str, Path]:
    """Return the path of every shipped recipe by name, in alphabetical order."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


def shipped_descriptions() -> dict[str, str]:
    """Return the description of every shipped recipe by name, in alphabetical order."""
    return {
        name: yaml.safe_load(path.read_text(encoding="utf-8"))["description"]
        for name, path in shipped().items()
    }

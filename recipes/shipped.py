"""The recipes that come with the package."""

from functools import cache
from pathlib import Path

import yaml

FOLDER = Path(__file__).parent


@cache
def shipped() -> dict[str, Path]:
    """Return the path of every shipped recipe by its name, in alphabetical order."""
    return {path.stem: path for path in sorted(FOLDER.glob("*.yaml"))}


def described() -> list[tuple[str, str, Path]]:
    """Return name, description and path of every shipped recipe."""
    return [
        (name, yaml.safe_load(path.read_text(encoding="utf-8"))["description"], path)
        for name, path in shipped().items()
    ]

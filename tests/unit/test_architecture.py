"""The order of rooms and of the packages in them: imports go one way, and never in a circle."""

import ast
from collections.abc import Iterator
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = ("foundation", "recipes", "records", "finetune", "generate", "eval", "registry", "paracosm", "cli")
"""From the ground floor up: a room may use those before it."""


def _name(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    parts = parts[:-1] if parts[-1] == "__init__" else parts
    return ".".join(parts if parts[0] == "paracosm" else ("paracosm", *parts))


MODULES = {_name(path): path for room in ROOMS for path in sorted((ROOT / room).rglob("*.py"))}


def _imported(path: Path) -> Iterator[str]:
    """Yield every module of the product that a file imports, inside functions too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.ImportFrom) and node.module and node.level == 0:
            names = [f"{node.module}.{each.name}" for each in node.names]
        elif isinstance(node, ast.Import):
            names = [each.name for each in node.names]
        for name in names:
            while name.startswith("paracosm") and name not in MODULES:
                name = name.rpartition(".")[0]
            if name in MODULES:
                yield name


IMPORTS = {name: set(_imported(path)) - {name} for name, path in MODULES.items()}


def _package(module: str) -> str:
    return module if MODULES[module].name == "__init__.py" else module.rpartition(".")[0]


def _room(module: str) -> str:
    return MODULES[module].relative_to(ROOT).parts[0]


def _circle(graph: dict[str, set[str]]) -> list[str]:
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        return error.args[1]
    return []


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_uses_only_rooms_below_it(room: str) -> None:
    below = ROOMS[: ROOMS.index(room) + 1]
    wrong = [
        f"{module} imports {other}"
        for module, others in IMPORTS.items()
        if _room(module) == room
        for other in others
        if _room(other) not in below
    ]
    assert wrong == []


def test_no_modules_import_each_other_in_a_circle() -> None:
    assert _circle(IMPORTS) == []


def test_no_packages_import_each_other_in_a_circle() -> None:
    graph: dict[str, set[str]] = {}
    for module, others in IMPORTS.items():
        # An `__init__` that exports what stands in the modules beside it is no floor of its own.
        graph.setdefault(_package(module), set()).update(
            _package(other) for other in others if _package(other) != _package(module)
        )
    assert _circle(graph) == []

"""pydantic's errors as one line: where the value came from, what is wrong with it, what is allowed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.loading.json_schema import (
    choices,
    in_words,
    is_text,
    keys_at,
    node_at,
    recipe_schema,
    takes,
)
from paracosm.recipes.loading.yaml_source import Path

Place = Callable[[Path, bool], tuple[float, str]]
LONGEST = 60


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong: the path of the value, and what to say of it."""

    path: Path
    says: str
    has_line: bool = True
    of_branch: bool = False


def faults_of(error: ValidationError, plain: Any) -> list[Fault]:
    """Return what is wrong with `plain`, one fault per path.

    Args:
        error: what pydantic raised for it.
        plain: the recipe as mappings, lists and scalars.
    """
    found = list(_faults(error.errors(include_url=False), plain))
    deepest = [
        fault
        for fault in found
        if not (
            fault.of_branch
            and any(
                len(other.path) > len(fault.path) and other.path[: len(fault.path)] == fault.path
                for other in found
            )
        )
    ]
    return list({fault.path: fault for fault in reversed(deepest)}.values())[::-1]


def misplaced_booleans(plain: Any, path: Path = ()) -> list[Fault]:
    """Return every true or false that stands for a number, which pydantic would read as 1 or 0."""
    if isinstance(plain, dict | list):
        entries = plain.items() if isinstance(plain, dict) else enumerate(plain)
        return [fault for key, value in entries for fault in misplaced_booleans(value, (*path, key))]
    node = node_at(path)
    if not isinstance(plain, bool) or node is None or takes(node, "boolean") or is_text(node):
        return []
    return [Fault(path, f"{dotted(path)} must be {in_words(node)}; got {shown(plain)}")]


def in_one_line(faults: Sequence[Fault], place: Place) -> str:
    """Return the first fault, in the order of the file, and how many more there are.

    Args:
        faults: at least one.
        place: maps a path, and whether its line is told, to a sort key and the words that open the line.
    """
    placed = sorted(
        ((*place(fault.path, fault.has_line), fault.says) for fault in faults), key=lambda each: each[0]
    )
    more = f" (and {len(placed) - 1} more)" if len(placed) > 1 else ""
    return f"{placed[0][1]}: {placed[0][2]}{more}"


def dotted(path: Path) -> str:
    """Return a path as people write it: `data.split.control`, `entry 2 of data.drop`."""
    if path and isinstance(path[-1], int):
        return f"entry {path[-1] + 1} of {dotted(path[:-1])}"
    return ".".join(map(str, path))


def shown(value: Any) -> str:
    """Return a found value in a few characters."""
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    text = repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}..."


def unknown_key(path: Path) -> str:
    """Return the sentence on a key that no recipe has."""
    section, key = path[:-1], str(path[-1])
    near = did_you_mean(key, keys_at(section)) or _elsewhere(key)
    if not near:
        allowed = ", ".join(keys_at(section))
        near = f"; {dotted(section)} takes {allowed}" if section else f"; a recipe takes {allowed}"
    return f"unknown key {dotted(path)!r}{near}"


def _elsewhere(key: str) -> str:
    for section in keys_at(()):
        if key in keys_at((section,)):
            return f"; did you mean '{section}.{key}'?"
    return ""


def _faults(errors: Sequence[ErrorDetails], plain: Any) -> Iterator[Fault]:
    for error in errors:
        if error["type"] == "missing":
            yield Fault(error["loc"], f"{dotted(error['loc'])} is required", has_line=False)
            continue
        if error["type"] == "extra_forbidden":
            yield Fault(error["loc"], unknown_key(error["loc"]))
            continue
        path, value, of_branch = _followed(error["loc"], plain)
        if error["type"] == "value_error":
            reason = str(error.get("ctx", {})["error"])
            yield Fault(path, f"{dotted(path)}: {reason}" if path else reason)
            continue
        node = node_at(path) or recipe_schema()
        near = did_you_mean(str(value), choices(node))
        quotes = "; put it in quotes" if is_text(node) and isinstance(value, int | float) else ""
        says = f"{dotted(path) or 'a recipe'} must be {in_words(node)}; got {shown(value)}{near}{quotes}"
        yield Fault(path, says, of_branch=of_branch)


def _followed(loc: tuple[str | int, ...], plain: Any) -> tuple[Path, Any, bool]:
    """Follow pydantic's location in the found values, past its names for the alternatives of a union."""
    path: Path = ()
    of_branch = False
    for part in loc:
        if not _holds(plain, part):
            of_branch = True
            continue
        plain = plain[part]
        path = (*path, part)
    return path, plain, of_branch


def _holds(plain: Any, part: str | int) -> bool:
    if isinstance(plain, list):
        return isinstance(part, int) and part < len(plain)
    return isinstance(plain, dict) and part in plain

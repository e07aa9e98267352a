"""Conversion of pydantic's validation errors into one line: file and line, the problem, and what is allowed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from paracosm.foundation.credentials.redaction import redact_url
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.loading.json_schema import (
    allows_type,
    describe,
    enumerated_values,
    is_text,
    keys_at,
    node_at,
    recipe_schema,
)
from paracosm.recipes.loading.yaml_source import KeyPath

LONGEST_VALUE = 60
"""Characters after which a value in a message is cut off."""


@dataclass(frozen=True)
class ValidationProblem:
    """One problem of a recipe.

    Attributes:
        path: the key or entry.
        message: what is wrong and what is allowed.
        has_line: whether the key stands in the file; a missing key does not.
        in_union: whether pydantic reports it for one alternative of a union.
    """

    path: KeyPath
    message: str
    has_line: bool = True
    in_union: bool = False


Locate = Callable[[ValidationProblem], tuple[float, str]]
"""Maps a problem to a sort key and the start of its message, such as `recipe.yaml:5`."""


def validation_problems(error: ValidationError, plain: Any) -> list[ValidationProblem]:
    """Return the problems of a recipe, one per path.

    Args:
        error: the error that pydantic raised for `plain`.
        plain: the recipe as mappings, lists and scalars.
    """
    problems = list(_problems(error.errors(include_url=False), plain))
    # An alternative of a union that was not meant reports a problem too; a deeper one is more specific.
    specific = [
        problem
        for problem in problems
        if not (problem.in_union and any(_is_below(other.path, problem.path) for other in problems))
    ]
    return list({problem.path: problem for problem in reversed(specific)}.values())[::-1]


def misplaced_booleans(plain: Any, path: KeyPath = ()) -> list[ValidationProblem]:
    """Return the booleans in place of numbers, which pydantic would accept as 1 or 0."""
    if isinstance(plain, dict | list):
        entries = plain.items() if isinstance(plain, dict) else enumerate(plain)
        return [problem for key, value in entries for problem in misplaced_booleans(value, (*path, key))]
    node = node_at(path)
    if not isinstance(plain, bool) or node is None or allows_type(node, "boolean") or is_text(node):
        return []
    return [ValidationProblem(path, f"{dotted(path)} must be {describe(node)}; got {shown(plain)}")]


def one_line(problems: Sequence[ValidationProblem], locate: Locate) -> str:
    """Return the first problem in the order of the file, and the number of further ones.

    Args:
        problems: at least one.
        locate: where each problem is.
    """
    located = [(*locate(problem), problem.message) for problem in problems]
    _, where, message = min(located, key=lambda entry: entry[0])
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return f"{where}: {message}{more}"


def dotted(path: KeyPath) -> str:
    """Return a path as text: `data.split.control`, `entry 2 of data.drop`."""
    if path and isinstance(path[-1], int):
        return f"entry {path[-1] + 1} of {dotted(path[:-1])}"
    return ".".join(map(str, path))


def shown(value: Any) -> str:
    """Return a short form of a value for a message."""
    if isinstance(value, dict):
        return "a mapping" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    # Redacted before it is cut off, because a URL that lost its host is not recognised.
    text = repr(redact_url(value) if isinstance(value, str) else value)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}..."


def _is_below(path: KeyPath, parent: KeyPath) -> bool:
    return len(path) > len(parent) and path[: len(parent)] == parent


def _unknown_key(path: KeyPath) -> str:
    section, key = path[:-1], str(path[-1])
    near = did_you_mean(key, keys_at(section)) or _in_another_section(key)
    if not near:
        allowed = ", ".join(keys_at(section))
        near = f"; {dotted(section)} takes {allowed}" if section else f"; a recipe takes {allowed}"
    return f"unknown key {dotted(path)!r}{near}"


def _in_another_section(key: str) -> str:
    for section in keys_at(()):
        if key in keys_at((section,)):
            return f"; did you mean '{section}.{key}'?"
    return ""


def _problems(errors: Sequence[ErrorDetails], plain: Any) -> Iterator[ValidationProblem]:
    for error in errors:
        location = error["loc"]
        if error["type"] == "missing":
            yield ValidationProblem(location, f"{dotted(location)} is required", has_line=False)
            continue
        if error["type"] == "extra_forbidden":
            yield ValidationProblem(location, _unknown_key(location))
            continue
        path, value, in_union = _follow(location, plain)
        if error["type"] == "value_error":
            reason = str(error.get("ctx", {})["error"])
            yield ValidationProblem(path, f"{dotted(path)}: {reason}" if path else reason)
            continue
        node = node_at(path) or recipe_schema()
        near = did_you_mean(str(value), enumerated_values(node))
        quotes = "; put it in quotes" if is_text(node) and isinstance(value, int | float) else ""
        message = f"{dotted(path) or 'a recipe'} must be {describe(node)}; got {shown(value)}{near}{quotes}"
        yield ValidationProblem(path, message, in_union=in_union)


def _follow(location: tuple[str | int, ...], plain: Any) -> tuple[KeyPath, Any, bool]:
    """Return path and value of pydantic's location, and whether it names an alternative of a union.

    Names of alternatives are parts of the location, but not keys of the recipe.
    """
    path: KeyPath = ()
    in_union = False
    for part in location:
        if not _has_entry(plain, part):
            in_union = True
            continue
        plain = plain[part]
        path = (*path, part)
    return path, plain, in_union


def _has_entry(plain: Any, part: str | int) -> bool:
    if isinstance(plain, list):
        return isinstance(part, int) and part < len(plain)
    return isinstance(plain, dict) and part in plain

"""YAML as plain values, with the line on which every key stands.

Scalars follow the YAML 1.2 core schema: `2e-4` is a number, `yes`, `00501` and `2024-05-01` are text.
"""

import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import yaml

from paracosm.foundation.errors import RecipeError

Path = tuple[str | int, ...]

MERGE = "tag:yaml.org,2002:merge"
BREAKS = frozenset("\r\x85\u2028\u2029")
SCALARS = (
    ("tag:yaml.org,2002:null", r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
    ("tag:yaml.org,2002:bool", r"^(?:true|True|TRUE|false|False|FALSE)$", list("tTfF")),
    ("tag:yaml.org,2002:int", r"^[-+]?(?:0|[1-9][0-9]*)$", list("-+0123456789")),
    (
        "tag:yaml.org,2002:float",
        r"^(?:[-+]?(?:\.[0-9]+|[0-9]+\.[0-9]*)(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+"
        r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$",
        list("-+0123456789."),
    ),
    (MERGE, r"^<<$", ["<"]),
)


class CoreLoader(yaml.SafeLoader):
    """Reads the scalars of the YAML 1.2 core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


class CoreDumper(yaml.SafeDumper):
    """Quotes whatever YAML 1.1 or 1.2 would not read back as text."""


for _tag, _pattern, _first in SCALARS:
    CoreLoader.add_implicit_resolver(_tag, re.compile(_pattern), _first)
    CoreDumper.add_implicit_resolver(_tag, re.compile(_pattern), _first)


def _written_text(dumper: CoreDumper, text: str) -> yaml.ScalarNode:
    # Escaped, because a plain or single-quoted line break of these kinds is read back as another one.
    style = '"' if BREAKS.intersection(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


CoreDumper.add_representer(str, _written_text)


@dataclass(frozen=True)
class Document:
    """What a YAML text says, and on which line (from 1) each path of keys and list places stands."""

    value: Any
    lines: dict[Path, int]

    def line(self, path: Path) -> int | None:
        """Return the line of `path` or of the nearest key above it."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None


def read_document(text: str, name: str) -> Document:
    """Read one YAML document.

    Args:
        text: the YAML.
        name: what errors call it, such as the path of the file.

    Raises:
        RecipeError: the text is no YAML, has several documents, or a key twice in one mapping.
    """
    try:
        loader = CoreLoader(text)
        node = loader.get_single_node()
        if node is None:
            return Document(None, {})
        lines: dict[Path, int] = {}
        _note_lines(node, (), lines, set(), name)
        return Document(loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as fault:
        mark = fault.problem_mark or fault.context_mark
        raise RecipeError(f"{name}:{mark.line + 1 if mark else 1}: {_told(fault)}") from fault
    except yaml.reader.ReaderError as fault:
        line = text[: fault.position].count("\n") + 1
        raise RecipeError(
            f"{name}:{line}: character U+{ord(text[fault.position]):04X} is not allowed in YAML"
        ) from fault
    except RecursionError as fault:
        raise RecipeError(f"{name}: is nested too deeply to be read") from fault
    except ValueError as fault:
        if isinstance(fault, RecipeError):
            raise
        raise RecipeError(f"{name}: holds a value that cannot be read ({fault})") from fault


def dump_document(value: Any) -> str:
    """Return `value` as YAML that `read_document` reads back."""
    return yaml.dump(value, Dumper=CoreDumper, sort_keys=False, allow_unicode=True, width=100)


def _note_lines(node: yaml.Node, path: Path, lines: dict[Path, int], seen: set[int], name: str) -> None:
    # An alias is walked once, so that a small file cannot stand for an endless one.
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for place, entry in enumerate(node.value):
            lines[(*path, place)] = entry.start_mark.line + 1
            _note_lines(entry, (*path, place), lines, seen, name)
    if isinstance(node, yaml.MappingNode):
        first: dict[Hashable, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == MERGE:
                continue
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise RecipeError(f"{name}:{line}: {_key_found(key)} as a key must be text; put it in quotes")
            if key.value in first:
                raise RecipeError(
                    f"{name}:{line}: key {key.value!r} stands twice; line {first[key.value]} has it already"
                )
            first[key.value] = line
            lines[(*path, key.value)] = line
            _note_lines(value, (*path, key.value), lines, seen, name)


def _key_found(key: yaml.Node) -> str:
    return key.value if isinstance(key, yaml.ScalarNode) else "a list or mapping"


def _told(fault: yaml.MarkedYAMLError) -> str:
    problem = (fault.problem or "cannot be read").replace("\n", " ")
    if "'\\t'" in problem:
        return "a tab cannot indent YAML; use spaces"
    if "expected a single document" in (fault.context or ""):
        return "a second document begins here; a recipe is one document"
    context = f" ({fault.context})" if fault.context else ""
    return f"broken YAML: {problem}{context}".replace("\n", " ")

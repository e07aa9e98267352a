"""YAML 1.2 reader and writer that records the line number of every key.

Scalars follow the YAML 1.2 core schema: `2e-4` is a number; `yes`, `00501` and `2024-05-01` are text.
"""

import re
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Any

import yaml

from paracosm.foundation.errors import RecipeError

KeyPath = tuple[str | int, ...]
"""Path of keys and list indices, such as ('data', 'drop', 0)."""

MERGE = "tag:yaml.org,2002:merge"
NULL = "tag:yaml.org,2002:null"
LINE_BREAKS = frozenset("\r\x85\u2028\u2029")
"""Line breaks besides the line feed."""
SCALARS = (
    (NULL, r"^(?:~|null|Null|NULL|)$", ["~", "n", "N", ""]),
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

MOST_NODES = 1_000_000
"""Entries of a document after the expansion of aliases; a closed list of 100,000 categories has a tenth of them."""


class CoreLoader(yaml.SafeLoader):
    """YAML loader for the scalars of the YAML 1.2 core schema."""

    yaml_implicit_resolvers: dict[str, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012


class CoreDumper(yaml.SafeDumper):
    """YAML dumper that quotes text that YAML 1.1 or 1.2 would read as another type."""


for _tag, _pattern, _first in SCALARS:
    CoreLoader.add_implicit_resolver(_tag, re.compile(_pattern), _first)
    CoreDumper.add_implicit_resolver(_tag, re.compile(_pattern), _first)


def _represent_text(dumper: CoreDumper, text: str) -> yaml.ScalarNode:
    # Escaped, because unescaped line breaks of these kinds are read back as a line feed or a space.
    style = '"' if LINE_BREAKS.intersection(text) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


CoreDumper.add_representer(str, _represent_text)


@dataclass(frozen=True)
class Document:
    """A YAML document.

    Attributes:
        value: its content as mappings, lists and scalars.
        lines: the line number, from 1, of each key and list entry.
    """

    value: Any
    lines: dict[KeyPath, int]

    def line(self, path: KeyPath) -> int | None:
        """Return the line number of `path`, or of its nearest parent in the document."""
        while path:
            if path in self.lines:
                return self.lines[path]
            path = path[:-1]
        return None


def read_document(text: str, name: str) -> Document:
    """Read one YAML document.

    Args:
        text: the YAML.
        name: its name in error messages, such as the path of the file.

    Raises:
        RecipeError: the text is not valid YAML, has several documents, or repeats a key in one mapping.
    """
    try:
        loader = CoreLoader(text)
        node = loader.get_single_node()
        if node is None:
            return Document(None, {})
        _check_expansion(node, name)
        lines: dict[KeyPath, int] = {}
        _record_lines(node, (), lines, set(), name)
        return Document(loader.construct_document(node), lines)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise RecipeError(f"{name}:{mark.line + 1 if mark else 1}: {_describe(error)}") from error
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise RecipeError(
            f"{name}:{line}: character U+{ord(text[error.position]):04X} is not allowed in YAML"
        ) from error
    except RecursionError as error:
        raise RecipeError(f"{name}: is nested too deeply to be read") from error
    except ValueError as error:
        if isinstance(error, RecipeError):
            raise
        raise RecipeError(f"{name}: holds a value that cannot be read ({error})") from error


def _check_expansion(root: yaml.Node, name: str) -> None:
    """Check that a document, with every alias replaced by its content, has a bounded number of nodes.

    Raises:
        RecipeError: it has more nodes, or an alias stands inside of its own anchor.
    """
    sizes: dict[int, int] = {}
    open_nodes: set[int] = set()

    def size(node: yaml.Node) -> int:
        if not isinstance(node, yaml.CollectionNode):
            return 1
        if id(node) in open_nodes:
            line = node.start_mark.line + 1
            raise RecipeError(f"{name}:{line}: an alias refers to the anchor around it; write the value out")
        if id(node) not in sizes:
            open_nodes.add(id(node))
            children = (
                [child for pair in node.value for child in pair]
                if isinstance(node, yaml.MappingNode)
                else node.value
            )
            sizes[id(node)] = 1 + sum(map(size, children))
            open_nodes.remove(id(node))
        return sizes[id(node)]

    if size(root) > MOST_NODES:
        raise RecipeError(
            f"{name}: its aliases expand to more than {MOST_NODES:,} entries; write fewer aliases (*name)"
        )


def dump_document(value: Any) -> str:
    """Return `value` as YAML that `read_document` reads back."""
    return yaml.dump(value, Dumper=CoreDumper, sort_keys=False, allow_unicode=True, width=100)


def _record_lines(
    node: yaml.Node, path: KeyPath, lines: dict[KeyPath, int], seen: set[int], name: str
) -> None:
    # An alias is visited once, so that a small file with nested aliases cannot take exponential time.
    if id(node) in seen:
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, entry in enumerate(node.value):
            lines[(*path, index)] = entry.start_mark.line + 1
            _record_lines(entry, (*path, index), lines, seen, name)
    if isinstance(node, yaml.MappingNode):
        first: dict[Hashable, int] = {}
        for key, value in node.value:
            line = key.start_mark.line + 1
            if key.tag == MERGE:
                continue
            if key.tag == NULL and key.value == "null":
                # The missing cell in a quota: {null: 0.2}.
                key.tag = "tag:yaml.org,2002:str"
            if not isinstance(key, yaml.ScalarNode) or key.tag != "tag:yaml.org,2002:str":
                raise RecipeError(f"{name}:{line}: {_key_text(key)} as a key must be text; put it in quotes")
            if key.value in first:
                raise RecipeError(
                    f"{name}:{line}: key {key.value!r} is repeated; it is on line {first[key.value]} already"
                )
            first[key.value] = line
            lines[(*path, key.value)] = line
            _record_lines(value, (*path, key.value), lines, seen, name)


def _key_text(key: yaml.Node) -> str:
    return key.value if isinstance(key, yaml.ScalarNode) else "a list or mapping"


def _describe(error: yaml.MarkedYAMLError) -> str:
    problem = (error.problem or "cannot be read").replace("\n", " ")
    if "'\\t'" in problem:
        return "a tab cannot indent YAML; use spaces"
    if "expected a single document" in (error.context or ""):
        return "a second document begins here; a recipe is one document"
    context = f" ({error.context})" if error.context else ""
    return f"broken YAML: {problem}{context}".replace("\n", " ")

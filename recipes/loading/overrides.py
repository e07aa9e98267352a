"""Overrides: `finetune.epochs=2` on the command line replaces the value of a recipe key."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from paracosm.foundation.credentials.redaction import redact_url
from paracosm.foundation.errors import RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.loading.json_schema import allows_type, is_section, is_text, node_at
from paracosm.recipes.loading.yaml_source import KeyPath, read_document


@dataclass(frozen=True)
class Override:
    """One override.

    Attributes:
        source: the text `key=value`, as the user wrote it.
        path: the key to set.
        value: the new value.
    """

    source: str
    path: KeyPath
    value: Any

    @property
    def label(self) -> str:
        """The start of an error message about this override."""
        return _label(self.source)


def read_overrides(overrides: Sequence[str | Override]) -> list[Override]:
    """Parse overrides, in order; those that have a value already stay as they are.

    Raises:
        RecipeError: an override has no `=`, no key, or a value that is not valid YAML.
    """
    return [source if isinstance(source, Override) else _read(source) for source in overrides]


def apply(override: Override, plain: dict[str, Any]) -> None:
    """Set the value of the override in `plain`, in place.

    Raises:
        RecipeError: its path leads through a value that is not a mapping.
    """
    parent: dict[Any, Any] = plain
    for depth, key in enumerate(override.path[:-1], start=1):
        child = parent.get(key)
        if child is None:
            child = parent[key] = {}
        if not isinstance(child, dict) or _is_leaf(override.path[:depth]):
            section = ".".join(map(str, override.path[:depth]))
            raise RecipeError(f"{override.label}: {section!r} holds a value, not keys")
        parent = child
    parent[override.path[-1]] = override.value


def _is_leaf(path: KeyPath) -> bool:
    node = node_at(path)
    return node is not None and not allows_type(node, "object")


def _label(source: str) -> str:
    key, equals, value = source.partition("=")
    return f"override {f'{key}{equals}{redact_url(value)}'!r}"


def _read(source: str) -> Override:
    key, equals, text = source.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        near = did_you_mean(source, ("--run",)) if not equals else ""
        raise RecipeError(f"{_label(source)}: must be KEY=VALUE, such as finetune.epochs=2{near}")
    path = _split_key(parts, text)
    return Override(source, path, _value(text, path, _label(source)))


def _split_key(parts: list[str], text: str) -> KeyPath:
    """Return the path of a dotted key, keeping dots inside the names of columns, fields and gates."""
    path: KeyPath = ()
    for index, part in enumerate(parts):
        node = node_at(path)
        if node is None or not isinstance(node.get("additionalProperties"), dict):
            path = (*path, part)
            continue
        rest = parts[index:]
        # The last part is a key of the column: data.fields.num.co.type=number.
        has_own_keys = (
            is_section(node["additionalProperties"]) and len(rest) > 1 and not text.lstrip().startswith("{")
        )
        return (*path, ".".join(rest[:-1]), rest[-1]) if has_own_keys else (*path, ".".join(rest))
    return path


def _value(text: str, path: KeyPath, label: str) -> Any:
    node = node_at(path)
    quoted = text[:1] in ("'", '"') and text[-1:] == text[:1] and len(text) > 1
    # A key that takes a text or a list of texts, such as data.source, gets a list in brackets only.
    either = node is not None and allows_type(node, "string") and allows_type(node, "array")
    if node is not None and (is_text(node) or (either and text[:1] != "[")) and not quoted:
        return None if text in ("", "null") and allows_type(node, "null") else text
    try:
        return read_document(text, label).value
    except RecipeError as error:
        raise RecipeError(
            f"{label}: {redact_url(text)!r} cannot be read; lists are written [a, b]"
        ) from error

"""Overrides: `finetune.epochs=2` on the command line goes over what the file says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from paracosm.foundation.errors import RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.loading.json_schema import is_section, is_text, node_at, takes
from paracosm.recipes.loading.yaml_source import Path, read_document


@dataclass(frozen=True)
class Override:
    """One `key=value`: as it was written, the path that it sets, and the value."""

    written: str
    path: Path
    value: Any

    @property
    def cited(self) -> str:
        """The words that open an error about it."""
        return f"override {self.written!r}"


def read_overrides(written: Sequence[str]) -> list[Override]:
    """Read overrides in order.

    Raises:
        RecipeError: one has no `=`, no key, or a value that is no YAML.
    """
    return [_read(each) for each in written]


def apply(override: Override, plain: dict[str, Any]) -> None:
    """Set the override's value in `plain`.

    Raises:
        RecipeError: its path goes through a value that is no mapping.
    """
    place: dict[Any, Any] = plain
    for depth, key in enumerate(override.path[:-1], start=1):
        inner = place.get(key)
        if inner is None:
            inner = place[key] = {}
        if not isinstance(inner, dict) or _is_leaf(override.path[:depth]):
            section = ".".join(map(str, override.path[:depth]))
            raise RecipeError(f"{override.cited}: {section!r} holds a value, not keys")
        place = inner
    place[override.path[-1]] = override.value


def _is_leaf(path: Path) -> bool:
    node = node_at(path)
    return node is not None and not takes(node, "object")


def _read(written: str) -> Override:
    key, equals, text = written.partition("=")
    parts = key.strip().split(".")
    if not equals or not all(parts):
        near = did_you_mean(written, ("--run",)) if not equals else ""
        raise RecipeError(f"override {written!r}: must be KEY=VALUE, such as finetune.epochs=2{near}")
    path = _path(parts, text)
    return Override(written, path, _value(text, path, f"override {written!r}"))


def _path(parts: list[str], text: str) -> Path:
    """Split a dotted key, keeping the dots of column and metric names."""
    path: Path = ()
    for place, part in enumerate(parts):
        node = node_at(path)
        if node is None or not isinstance(node.get("additionalProperties"), dict):
            path = (*path, part)
            continue
        rest = parts[place:]
        # A column's own keys come last: data.fields.num.co.type=number.
        keyed = (
            is_section(node["additionalProperties"]) and len(rest) > 1 and not text.lstrip().startswith("{")
        )
        return (*path, ".".join(rest[:-1]), rest[-1]) if keyed else (*path, ".".join(rest))
    return path


def _value(text: str, path: Path, cited: str) -> Any:
    node = node_at(path)
    quoted = text[:1] in ("'", '"') and text[-1:] == text[:1] and len(text) > 1
    if node is not None and is_text(node) and not quoted:
        return None if text in ("", "null") and takes(node, "null") else text
    try:
        return read_document(text, cited).value
    except RecipeError as fault:
        raise RecipeError(f"{cited}: {text!r} cannot be read; lists are written [a, b]") from fault

"""Rendering of a recipe as commented YAML, whole or with what was decided alone."""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from paracosm.foundation.printable import printable
from paracosm.recipes.sections.data import SEVERAL, Pii

WIDTH = 100


def opening(out: Path, *, full: bool) -> Iterator[str]:
    yield "# Needs only the data below."
    yield f"# Check it:  paracosm validate {out}"
    yield f"# Run it:    paracosm run {out}"
    if not full:
        yield "# All keys with their defaults:  paracosm init ... --full"
    yield "# For completion in editors:  paracosm schema > recipe.schema.json"
    yield "# yaml-language-server: $schema=recipe.schema.json"
    yield ""


def section_lines(
    values: BaseModel, notes: dict[str, tuple[str, ...]], path: str = "", indent: str = "", *, full: bool
) -> Iterator[str]:
    """Yield the lines of a section.

    Args:
        values: the section.
        notes: comments on keys, by dotted name.
        path: dotted name of the section, with a point at its end.
        indent: of its keys.
        full: whether to write every key with its meaning, or only those with a note or with a value other than the default.
    """
    for key, field in type(values).model_fields.items():
        value, about = getattr(values, key), notes.get(f"{path}{key}", ())
        decided = value != field.get_default(call_default_factory=True)
        is_section = isinstance(value, BaseModel) and not isinstance(value, Pii)
        if not (full or decided or about or is_section):
            continue
        keys = (
            list(section_lines(value, notes, f"{path}{key}.", f"{indent}  ", full=full))
            if is_section
            else list(_key_lines(key, value, f"{path}{key}", indent, unset=field.default is None))
        )
        if is_section and not keys:
            continue
        if isinstance(value, BaseModel) and not indent:
            yield ""
        if full:
            yield from _comments(field.description, indent)
        yield from (line for note in about for line in _comments(note, indent))
        if is_section:
            if full and not field.description:
                yield from _comments(type(value).__doc__, indent)
            # A section of comments alone would be read as null.
            hidden = all(line.lstrip().startswith("#") for line in keys)
            yield f"{indent}{'# ' if hidden else ''}{key}:"
        if full or decided or is_section:
            yield from keys


def _key_lines(key: str, value: Any, full_key: str, indent: str, *, unset: bool) -> Iterator[str]:
    if isinstance(value, Pii):
        given = value.model_dump(mode="json", exclude_defaults=True)
        yield f"{indent}{key}: {_yaml(given if len(given) > 1 else value.action)}"
    elif value is None and unset:
        yield f"{indent}# {key}: null"
    elif full_key == "data.fields" and value:
        yield f"{indent}{key}:"
        for name, override in value.items():
            declared = override.model_dump(mode="json", exclude_none=True)
            yield f"{indent}  {_yaml(name)}: {_yaml(declared)}"
    else:
        several = full_key == "data.source" and SEVERAL in str(value)
        yield f"{indent}{key}: {_yaml(str(value).split(SEVERAL) if several else value)}"


def _comments(text: str | None, indent: str) -> list[str]:
    if not text:
        return []
    # A comment ends where YAML sees a line end: with U+2028 in its name, a column could add keys to the recipe.
    return textwrap.wrap(
        printable(text),
        WIDTH,
        initial_indent=f"{indent}# ",
        subsequent_indent=f"{indent}# ",
        break_long_words=False,
        break_on_hyphens=False,
    )


def _yaml(value: Any) -> str:
    if isinstance(value, str) and not value.isprintable():
        return yaml.safe_dump(value, default_style='"', allow_unicode=True, width=10**9).strip()
    if isinstance(value, list):
        return f"[{', '.join(map(_yaml, value))}]"
    return yaml.safe_dump([value], default_flow_style=True, allow_unicode=True, width=10**9).strip()[1:-1]

"""Write docs/reference/recipe.md, every key of a recipe, and docs/reference/python.md, every function of the package.

    python docs/reference_pages.py

A test fails when a page is stale.
"""

import inspect
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from griffe import Docstring, DocstringSectionKind, Parser
from pydantic import BaseModel
from pydantic.fields import FieldInfo

import paracosm
from paracosm.recipes.loading.json_schema import branches, node_at
from paracosm.recipes.recipe import Recipe

FOLDER = Path(__file__).parent / "reference"
METHODS = {"Model": ("sample", "impute", "evaluate", "save"), "Report": ("to_frame", "save"), "Plan": ()}
RECIPE = """\
# Recipe keys

Every key of a recipe with its type and its default. `python docs/reference_pages.py` generates this page; `paracosm schema` prints the
same as a JSON Schema, with which editors complete and check a recipe. Any key can be overridden on the command line:
`paracosm run recipe.yaml finetune.epochs=2`.
"""
PYTHON = """\
# Python

Every public function and class of `paracosm`. `python docs/reference_pages.py` generates this page; [Python](../python.md) shows them in use.
"""


def pages() -> dict[str, str]:
    """Return the text of each page by its file name."""
    return {"recipe.md": "\n".join([RECIPE, *_sections()]), "python.md": "\n".join([PYTHON, *_members()])}


def _sections() -> Iterator[str]:
    top = {name: field for name, field in Recipe.model_fields.items() if _section(field) is None}
    yield _table("", top)
    yield from _nested("", Recipe.model_fields, "##")


def _nested(path: str, fields: dict[str, FieldInfo], heading: str) -> Iterator[str]:
    for name, field in fields.items():
        if (section := _section(field)) is not None:
            about = _one_line(field.description or inspect.getdoc(section) or "")
            yield f"{heading} {path}{name}\n\n{about}\n"
            yield _table(f"{path}{name}.", section.model_fields)
            yield from _nested(f"{path}{name}.", section.model_fields, "###")


def _section(field: FieldInfo) -> type[BaseModel] | None:
    """Return the section that a field holds, or None for a single key or a mapping of any keys."""
    kinds = getattr(field.annotation, "__args__", (field.annotation,))
    sections = [kind for kind in kinds if isinstance(kind, type) and issubclass(kind, BaseModel)]
    return sections[0] if sections else None


def _table(path: str, fields: dict[str, FieldInfo]) -> str:
    rows = [
        f"| `{path}{name}` | {_type(f'{path}{name}')} | {_default(field)} | {_cell(field.description or '')} |"
        for name, field in fields.items()
    ]
    return "\n".join(["| key | type | default | meaning |", "| --- | --- | --- | --- |", *rows, ""])


def _type(path: str) -> str:
    node = node_at(tuple(path.split(".")))
    words: list[str] = []
    for branch in branches(node or {}):
        if "enum" in branch or "const" in branch:
            words += [f"`{value}`" for value in branch.get("enum", [branch.get("const")])]
        elif branch.get("type") == "array":
            words.append("list")
        else:
            words.append(
                {"object": "mapping", "null": "null"}.get(branch.get("type", ""), branch.get("type", "any"))
            )
    return ", ".join(dict.fromkeys(words))


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value: Any = field.get_default(call_default_factory=True)
    if isinstance(value, BaseModel):
        return ""
    if isinstance(value, list | tuple):
        value = list(value)
    return _cell(f"`{json.dumps(value, default=str)}`")


def _members() -> Iterator[str]:
    for name in paracosm.__all__:
        member = getattr(paracosm, name)
        if inspect.isfunction(member):
            yield from _documented(f"paracosm.{name}", member, "##")
        elif inspect.isclass(member):
            yield f"## paracosm.{name}\n"
            yield from _docstring(member)
            for method in METHODS[name]:
                yield from _documented(f"{name}.{method}", getattr(member, method), "###")


def _documented(name: str, function: Any, heading: str) -> Iterator[str]:
    yield f"{heading} {name}\n"
    parameters = [p.replace(annotation=p.empty) for p in inspect.signature(function).parameters.values()]
    shown = ", ".join(str(p) for p in _with_star(parameters) if str(p) != "self")
    yield f"```text\n{name.rpartition('.')[2]}({shown})\n```\n"
    yield from _docstring(function)


def _with_star(parameters: list[inspect.Parameter]) -> Iterator[Any]:
    """Yield the parameters, with the star before those that are keywords alone."""
    starred = False
    for parameter in parameters:
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            yield "*"
        starred = starred or parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL)
        if callable(parameter.default) and parameter.default is not parameter.empty:
            yield f"{parameter.name}=..."
        else:
            yield parameter


def _docstring(documented: Any) -> Iterator[str]:
    text = inspect.getdoc(documented) or ""
    for section in Docstring(text).parse(Parser.google, warnings=False):
        if section.kind is DocstringSectionKind.text:
            yield f"{section.value}\n"
            continue
        rows = []
        for item in section.value:
            label = getattr(item, "name", "") or getattr(item, "annotation", "") or ""
            rows.append(f"- {f'`{label}`: ' if label else ''}{_one_line(item.description)}")
        yield "\n".join([f"**{section.kind.value.capitalize()}**\n", *rows, ""])


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _one_line(text).replace("|", "\\|")


def main() -> None:
    """Write the pages."""
    FOLDER.mkdir(exist_ok=True)
    for name, text in pages().items():
        (FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()

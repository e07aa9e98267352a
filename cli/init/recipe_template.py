"""`paracosm init`: a commented recipe, inferred from the user's own file, that runs as it is."""

import os
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from paracosm.cli.init.declared_fields import with_declarations
from paracosm.cli.init.field_summary import domain_words
from paracosm.foundation.errors import RecipeError
from paracosm.foundation.files import write_text
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.model import Model
from paracosm.records.inference.infer_schema import infer
from paracosm.records.sources.read_source import read_source
from paracosm.records.stage import Prepared, assemble

LAYERS = 6
"""How many layers a draft for structured records keeps: the best fit per minute of training on a CPU."""
DECLARED = (
    "READ OFF THE RECORDS, AND SO NOT YET PRIVATE: somebody who knows the domain has to confirm or replace every range, "
    "category, length and format below from a code book or from what can be measured at all. What is kept only because a "
    "record has it is published without noise, and the guarantee does not cover it.",
)
WIDTH = 100
ENDINGS = (".gz", ".csv", ".tsv", ".tab", ".txt", ".jsonl", ".ndjson", ".parquet")


@dataclass(frozen=True)
class Draft:
    """A drafted recipe: its values, its commented text, and what was found in the data."""

    recipe: Recipe
    text: str
    prepared: Prepared
    identifiers: tuple[str, ...]


def draft(*, source: str, out: Path, target: str | None = None, private: bool = False) -> Draft:
    """Infer a recipe from the records at `source`.

    Args:
        source: what `data.source` of a recipe may be; a relative path starts in the current folder.
        out: where the recipe will stand; a path of the source is written relative to it.
        target: the column that a downstream model would predict.
        private: draft for differential privacy, with every field declared.

    Raises:
        DataError: the source cannot be used, or the target is no column of it.
    """
    given = Data(source=source, target=target)
    raw = read_source(given, root=Path())
    found = infer(raw, given)
    identifiers = tuple(field.name for field in found.schema if field.type == "identifier")
    is_structured = all(field.type != "text" for field in found.schema)
    recipe = Recipe(
        name=_name(source),
        data=Data(source=_source_from(source, out), drop=list(identifiers), target=target),
        model=Model(layers=LAYERS) if is_structured else Model(),
    )
    if private:
        recipe, warnings = with_declarations(recipe, raw)
        # Nothing is doubted that is declared, but here nobody has confirmed it yet.
        prepared = replace(assemble(recipe, raw), warnings=warnings)
    else:
        prepared = assemble(recipe, raw)
    notes = {"data.drop": _identifier_notes(identifiers), "data.fields": _field_notes(prepared)}
    if private:
        notes["data.fields"] = DECLARED
        notes["data.drop"] = (*notes["data.drop"], "Columns without any cell are left out too.")
    notes["data.target"] = (
        () if target else ("Not chosen: name a column here to measure usefulness for predicting it.",)
    )
    if recipe.model.layers is None:
        notes["model.layers"] = ("All are kept here, because the records hold text.",)
    lines = [*_opening(out), *_section(recipe, notes)]
    return Draft(recipe, "\n".join(lines) + "\n", prepared, identifiers)


def _opening(out: Path) -> Iterator[str]:
    yield "# Needs nothing but the data below."
    yield f"# Run it:    paracosm run {out}"
    yield f"# Check it:  paracosm validate {out}"
    yield "# Let an editor complete it:  paracosm schema > recipe.schema.json"
    yield "# yaml-language-server: $schema=recipe.schema.json"
    yield ""


def _section(
    values: BaseModel, notes: dict[str, tuple[str, ...]], path: str = "", indent: str = ""
) -> Iterator[str]:
    for key, field in type(values).model_fields.items():
        value, where = getattr(values, key), f"{path}{key}"
        if isinstance(value, BaseModel) and not indent:
            yield ""
        yield from _comments(field.description, indent)
        yield from (line for note in notes.get(where, ()) for line in _comments(note, indent))
        if isinstance(value, BaseModel):
            if not field.description:
                yield from _comments(type(value).__doc__, indent)
            yield f"{indent}{key}:"
            yield from _section(value, notes, f"{where}.", f"{indent}  ")
        elif value is None and field.default is None:
            yield f"{indent}# {key}: null"
        elif where == "data.fields" and value:
            yield f"{indent}{key}:"
            for name, override in value.items():
                stated = override.model_dump(mode="json", exclude_none=True)
                yield f"{indent}  {_yaml(name)}: {_yaml(stated)}"
        else:
            yield f"{indent}{key}: {_yaml(value)}"


def _comments(text: str | None, indent: str) -> list[str]:
    if not text:
        return []
    return textwrap.wrap(
        text,
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


def _identifier_notes(identifiers: tuple[str, ...]) -> tuple[str, ...]:
    if not identifiers:
        return ()
    names = ", ".join(map(repr, identifiers))
    return (
        f"Look like identifiers, which never reach the model: {names}. To have new ones made, take a name out here "
        "and give it `{fresh: true}` under fields; if one names whom a record is about, name it as subject instead.",
    )


def _field_notes(prepared: Prepared) -> tuple[str, ...]:
    lines = ["Found in the training records:"]
    for field in prepared.schema:
        missing = f", {field.missing:.1%} missing" if field.nullable else ""
        lines.append(f"- {_shown(field.name)}: {field.type}, {domain_words(field)}{missing}")
    lines.extend(f"Look at this: {' '.join(warning.split())}" for warning in prepared.warnings)
    return (*lines, "To say otherwise, for example: fields: {COLUMN: {type: category}}")


def _shown(name: str) -> str:
    return name if name.isprintable() and name == " ".join(name.split()) else repr(name)


def _name(source: str) -> str:
    name = re.split(r"[/\\:]", source.rstrip("/"))[-1].lower()
    while (stem := name.removesuffix(next((each for each in ENDINGS if name.endswith(each)), ""))) != name:
        name = stem
    return re.sub(r"[^a-z0-9._]+", "-", name).strip("-._")[:96] or "records"


def _source_from(source: str, out: Path) -> str:
    if "://" in source or source.startswith("sample:"):
        return source
    path, folder = Path(source).expanduser().absolute(), out.expanduser().absolute().parent
    if os.path.commonpath([path, folder]) == path.anchor:
        return str(path)
    return os.path.relpath(path, folder)


def write_draft(
    *, source: str, out: Path, target: str | None = None, force: bool = False, private: bool = False
) -> list[str]:
    """Draft a recipe and write it to `out`; return lines for the terminal.

    Raises:
        RecipeError: `out` exists and `force` is not given, or cannot be written.
        DataError: the source cannot be used, or the target is no column of it.
    """
    if out.exists() and not force:
        raise RecipeError(f"{out}: exists already; choose another with -o, or replace it with --force")
    made = draft(source=source, out=out, target=target, private=private)
    try:
        write_text(out, made.text)
    except OSError as fault:
        raise RecipeError(f"{out}: cannot be written: {fault.strerror or fault}") from fault
    fields = len(made.prepared.schema)
    lines = [f"wrote {out}: {fields} fields, {sum(map(len, made.prepared.splits.values())):,} records"]
    if made.identifiers:
        lines.append(f"left out as identifiers: {', '.join(map(_shown, made.identifiers))}")
    if private:
        lines.append(
            "warning: data.fields was read off the records; somebody who knows the domain has to confirm it"
        )
    return [*lines, *(f"warning: {each}" for each in made.prepared.warnings), f"next: paracosm run {out}"]

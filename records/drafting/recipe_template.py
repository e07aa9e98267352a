"""Inference and rendering of a commented recipe from a data file, which runs without edits."""

import os
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import yaml
from pydantic import BaseModel

from paracosm.foundation.errors import RecipeError
from paracosm.foundation.files import write_text
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.data import SEVERAL, Data, Pii
from paracosm.records.assembly import Prepared, assemble
from paracosm.records.drafting.decisions import decide
from paracosm.records.drafting.declared_fields import with_declarations
from paracosm.records.drafting.persons import Persons
from paracosm.records.schema.origin import origin_of
from paracosm.records.sources.documents.read_documents import TEXT
from paracosm.records.sources.read_source import read_source

UNCONFIRMED = (
    "READ FROM THE RECORDS, SO NOT YET PRIVATE: an expert of the domain must confirm or replace every range, category, length "
    "and format below, from a code book or from the possible range of the measurement. A value that stands here only because "
    "a record has it is published without noise, and the guarantee does not cover it.",
)
WIDTH = 100
LONG_DOCUMENT, PASSAGE = 4_000, 1_500
"""Characters of a document from which on a draft divides documents, and those of a passage: a base model with an input of 512
tokens reads it."""
ENDINGS = (
    ".gz",
    ".csv",
    ".tsv",
    ".tab",
    ".txt",
    ".json",
    ".jsonl",
    ".ndjson",
    ".parquet",
    ".zst",
    ".bz2",
    ".xz",
    ".zip",
)


@dataclass(frozen=True)
class Draft:
    """A drafted recipe.

    Attributes:
        recipe: its values.
        text: the same as commented YAML.
        prepared: schema, splits and warnings of the data.
        identifiers: columns that are left out as identifiers.
        persons: decisions about persons.
    """

    recipe: Recipe
    text: str
    prepared: Prepared
    identifiers: tuple[str, ...]
    persons: Persons


def draft(
    *, source: str, out: Path, target: str | None = None, query: str | None = None, private: bool = False
) -> Draft:
    """Infer a recipe from the records at `source`.

    Args:
        source: the value of `data.source`; a relative path starts in the current folder.
        out: path of the recipe; a path of the source is written relative to its folder.
        target: column that a downstream model would predict.
        query: SELECT statement, if the source is a database.
        private: whether to draft for differential privacy, with every field declared.

    Raises:
        DataError: the source cannot be used, or the target is not a column of it.
    """
    # Arrays become rows or are read as JSON text, so that the recipe runs; a warning names the columns.
    section = Data(source=source, target=target, query=query, nested="rows")
    raw = read_source(section, root=Path())
    if origin_of(raw).documents and raw[TEXT].str.len().max() > LONG_DOCUMENT:
        section = section.model_copy(update={"passages": PASSAGE})
        raw = read_source(section, root=Path())
    origin = origin_of(raw)
    if not private:
        section = section.model_copy(
            update={"subject": origin.subject or None, "sequence": origin.sequence or None}
        )
    decided = decide(raw, section, name=_name(source.partition(SEVERAL)[0]), private=private)
    inferred, persons, identifiers = decided.inferred, decided.persons, decided.identifiers
    parts = [_source_from(part, out) for part in source.split(SEVERAL)]
    data = decided.recipe.data.model_copy(update={"source": SEVERAL.join(parts)})
    recipe = decided.recipe.model_copy(update={"data": data})
    if private:
        recipe, warnings = with_declarations(recipe, raw)
        # Declared fields give no warnings, but these declarations are not confirmed yet.
        prepared = replace(assemble(recipe, raw), warnings=warnings)
    else:
        prepared = assemble(recipe, raw)
    # The recipe drops the identifiers, so only the first inference has warnings about them.
    settled = inferred.settled_by(persons.decided)
    every = dict.fromkeys((*inferred.warnings, *prepared.warnings))
    prepared = replace(prepared, warnings=tuple(line for line in every if line not in settled))
    notes = {"data.drop": _identifier_notes(identifiers), "data.fields": _field_notes(prepared)}
    if private:
        notes["data.fields"] = UNCONFIRMED
        notes["data.drop"] = (*notes["data.drop"], "Columns without any value are left out too.")
    notes["data.target"] = (
        () if target else ("Not set: name a column here to measure the utility for predicting it.",)
    )
    notes |= {"data.subject": persons.subject_lines, "data.pii": persons.pii_lines}
    notes["rules.relations"] = _relation_notes(prepared)
    if target and not private:
        notes["finetune.order"] = (f"So that conditions such as generate.where.{target} are met exactly.",)
    if recipe.model.layers is None:
        notes["model.layers"] = ("All layers are kept here, because the records contain text.",)
    lines = [*_opening(out), *_section_lines(recipe, notes)]
    return Draft(recipe, "\n".join(lines) + "\n", prepared, identifiers, persons)


def _opening(out: Path) -> Iterator[str]:
    yield "# Needs only the data below."
    yield f"# Run it:    paracosm run {out}"
    yield f"# Check it:  paracosm validate {out}"
    yield "# For completion in editors:  paracosm schema > recipe.schema.json"
    yield "# yaml-language-server: $schema=recipe.schema.json"
    yield ""


def _section_lines(
    values: BaseModel, notes: dict[str, tuple[str, ...]], path: str = "", indent: str = ""
) -> Iterator[str]:
    for key, field in type(values).model_fields.items():
        value, full_key = getattr(values, key), f"{path}{key}"
        if isinstance(value, BaseModel) and not indent:
            yield ""
        yield from _comments(field.description, indent)
        yield from (line for note in notes.get(full_key, ()) for line in _comments(note, indent))
        if isinstance(value, Pii):
            given = value.model_dump(mode="json", exclude_defaults=True)
            yield f"{indent}{key}: {_yaml(given if len(given) > 1 else value.action)}"
        elif isinstance(value, BaseModel):
            if not field.description:
                yield from _comments(type(value).__doc__, indent)
            yield f"{indent}{key}:"
            yield from _section_lines(value, notes, f"{full_key}.", f"{indent}  ")
        elif value is None and field.default is None:
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
        f"Identifiers, which the model never sees: {names}. To generate new ones, remove a name here and set "
        "`{fresh: true}` for it under fields; if one identifies the subject of a record, set it as subject instead.",
    )


def _field_notes(prepared: Prepared) -> tuple[str, ...]:
    lines = ["Inferred from the training records:"]
    for field in prepared.schema:
        missing = f", {field.missing:.1%} missing" if field.nullable else ""
        lines.append(f"- {_printable(field.name)}: {field.type}, {field.kind.summary(field)}{missing}")
    lines.extend(f"Warning: {' '.join(warning.split())}" for warning in prepared.warnings)
    return (*lines, "To change a field, for example: fields: {COLUMN: {type: category}}")


def _relation_notes(prepared: Prepared) -> tuple[str, ...]:
    lines = prepared.facts.get("relations", [])
    if not lines:
        return ()
    count = len(prepared.splits["train"])
    return (f"Hold in all {count:,} training records:", *(f"- {' '.join(line.split())}" for line in lines))


def _printable(name: str) -> str:
    return name if name.isprintable() and name == " ".join(name.split()) else repr(name)


def _name(source: str) -> str:
    name = re.split(r"[/\\:]", source.rstrip("/"))[-1].lower()
    while (
        stem := name.removesuffix(next((ending for ending in ENDINGS if name.endswith(ending)), ""))
    ) != name:
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
    *,
    source: str,
    out: Path,
    target: str | None = None,
    query: str | None = None,
    force: bool = False,
    private: bool = False,
) -> list[str]:
    """Draft a recipe and write it to `out`; return the lines to print.

    Raises:
        RecipeError: `out` exists and `force` is False, or `out` cannot be written.
        DataError: the source cannot be used, or the target is not a column of it.
    """
    if out.exists() and not force:
        raise RecipeError(f"{out}: exists already; choose another with -o, or replace it with --force")
    made = draft(source=source, out=out, target=target, query=query, private=private)
    try:
        write_text(out, made.text)
    except OSError as error:
        raise RecipeError(f"{out}: cannot be written: {error.strerror or error}") from error
    fields = len(made.prepared.schema)
    lines = [f"wrote {out}: {fields} fields, {sum(map(len, made.prepared.splits.values())):,} records"]
    if made.identifiers:
        lines.append(f"left out as identifiers: {', '.join(map(_printable, made.identifiers))}")
    lines += [*made.persons.subject_lines, *made.persons.pii_lines]
    if private:
        lines.append(
            "warning: data.fields was read from the records; an expert of the domain has to confirm it"
        )
    return [
        *lines,
        *(f"warning: {warning}" for warning in made.prepared.warnings),
        f"next: paracosm run {out}",
    ]

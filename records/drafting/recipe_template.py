"""Inference and rendering of a commented recipe from a data file, which runs without edits."""

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from paracosm.foundation.errors import RecipeError
from paracosm.foundation.files import write_text
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.data import SEVERAL, Data, Pii
from paracosm.records.assembly import Prepared, assemble
from paracosm.records.drafting.decisions import decide
from paracosm.records.drafting.declared_fields import with_declarations
from paracosm.records.drafting.notes import (
    UNCONFIRMED,
    field_notes,
    identifier_notes,
    printable_name,
    rare_classes,
    relation_notes,
    type_notes,
    warning_notes,
)
from paracosm.records.drafting.persons import Persons
from paracosm.records.drafting.recipe_yaml import opening, section_lines
from paracosm.records.schema.origin import origin_of
from paracosm.records.sources.documents.read_documents import TEXT
from paracosm.records.sources.read_source import read_source

LONG_DOCUMENT, PASSAGE = 4_000, 1_500
"""Characters of a document from which on a private draft divides documents, and those of a passage, which every base model reads;
without privacy, documents of any length are learnt whole."""
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


PiiAction = Literal["replace", "drop", "report"]
Planner = Callable[[Recipe, Prepared], tuple[Recipe, str]]
"""Changes a drafted recipe to fit a budget, and says how in one line."""


@dataclass(frozen=True)
class Draft:
    """A drafted recipe.

    Attributes:
        recipe: its values.
        text: the same as commented YAML.
        prepared: schema, splits and warnings of the data.
        identifiers: columns that are left out as identifiers.
        persons: decisions about persons.
        planned: what the planner says.
    """

    recipe: Recipe
    text: str
    prepared: Prepared
    identifiers: tuple[str, ...]
    persons: Persons
    planned: str = ""


def draft(
    *,
    source: str,
    out: Path,
    target: str | None = None,
    query: str | None = None,
    private: bool = False,
    full: bool = False,
    pii: PiiAction | None = None,
    plan: Planner | None = None,
) -> Draft:
    """Infer a recipe from the records at `source`.

    Args:
        source: the value of `data.source`; a relative path starts in the current folder.
        out: path of the recipe; a path of the source is written relative to its folder.
        target: column that a downstream model would predict.
        query: SELECT statement, if the source is a database.
        private: whether to draft for differential privacy, with every field declared.
        full: whether to write every key with its meaning, or what was decided alone.
        pii: what is done about personal data, instead of what was decided.
        plan: changes the recipe once its records are known.

    Raises:
        DataError: the source cannot be used, or the target is not a column of it.
    """
    # Arrays become rows or are read as JSON text, so that the recipe runs; a warning names the columns.
    section = Data(source=source, target=target, query=query, nested="rows")
    raw = read_source(section, root=Path())
    if private and origin_of(raw).documents and raw[TEXT].str.len().max() > LONG_DOCUMENT:
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
    if pii is not None:
        language = decided.recipe.data.pii.language if decided.recipe.data.pii is not None else "en"
        data = data.model_copy(update={"pii": Pii(action=pii, language=language)})
        persons = replace(persons, pii_lines=(f"personal data: data.pii: {pii}, as you asked",))
    recipe = decided.recipe.model_copy(update={"data": data})
    if data.sequence is not None and origin.sequence:
        # Messages were read, so messages are written.
        formats = recipe.generate.model_copy(update={"formats": [*recipe.generate.formats, "messages"]})
        recipe = recipe.model_copy(update={"generate": formats})
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
    planned = ""
    if plan is not None:
        recipe, planned = plan(recipe, prepared)
    notes = {
        "data.drop": identifier_notes(identifiers),
        "data.fields": field_notes(prepared) if full else (*type_notes(prepared), *warning_notes(prepared)),
    }
    if private:
        notes["data.fields"] = UNCONFIRMED
        notes["data.drop"] = (*notes["data.drop"], "Columns without any value are left out too.")
    notes["data.target"] = (
        () if target else ("Not set: name a column here to measure the utility for predicting it.",)
    )
    notes |= {"data.subject": persons.subject_lines, "data.pii": persons.pii_lines}
    notes["rules.relations"] = relation_notes(prepared)
    if target and not private:
        notes["finetune.order"] = (f"So that conditions such as generate.where.{target} are met exactly.",)
    if recipe.model.layers is None:
        notes["model.layers"] = ("All layers are kept here, because the records contain text.",)
    lines = [*opening(out, full=full), *section_lines(recipe, notes, full=full)]
    return Draft(recipe, "\n".join(lines) + "\n", prepared, identifiers, persons, planned)


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
    full: bool = False,
    pii: PiiAction | None = None,
    plan: Planner | None = None,
) -> list[str]:
    """Draft a recipe and write it to `out`; return the lines to print.

    The arguments are those of `draft`, and `force`, which replaces an existing file.

    Raises:
        RecipeError: `out` exists and `force` is False, or `out` cannot be written.
        DataError: the source cannot be used, or the target is not a column of it.
    """
    if out.exists() and not force:
        raise RecipeError(f"{out}: exists already; choose another with -o, or replace it with --force")
    made = draft(
        source=source, out=out, target=target, query=query, private=private, full=full, pii=pii, plan=plan
    )
    try:
        write_text(out, made.text)
    except OSError as error:
        raise RecipeError(f"{out}: cannot be written: {error.strerror or error}") from error
    fields = len(made.prepared.schema)
    lines = [
        f"wrote {out}: {fields} {'field' if fields == 1 else 'fields'}, {sum(map(len, made.prepared.splits.values())):,} records"
    ]
    # A warning about an identifier says why it is taken for one.
    unnamed = [
        name
        for name in made.identifiers
        if not any(warning.startswith(f"column {name!r}: ") for warning in made.prepared.warnings)
    ]
    if unnamed:
        lines.append(f"left out as identifiers: {', '.join(map(printable_name, unnamed))}")
    lines += [
        *made.persons.subject_lines,
        *made.persons.pii_lines,
        *rare_classes(made.prepared, made.recipe.data.target),
    ]
    if made.planned:
        lines.append(made.planned)
    if private:
        lines.append(
            "warning: data.fields was read from the records; an expert of the domain has to confirm it"
        )
    return [
        *lines,
        *(f"warning: {warning}" for warning in made.prepared.warnings),
        *_comparison_line(made.prepared, out),
        f"next: paracosm validate {out}",
    ]


def _comparison_line(prepared: Prepared, out: Path) -> list[str]:
    """Return the advice for a table without free text, where statistics are often as faithful and much faster."""
    if any(field.is_text for field in prepared.schema.modelled):
        return []
    return [
        f"no free text: paracosm compare {out} shows whether statistics, which take seconds, serve as well"
    ]

"""`paracosm pii`: what names a person in a table, before a recipe does anything about it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

if TYPE_CHECKING:
    from rich.table import Table

    from paracosm.records.pii.replacement import Findings

EXAMPLES = 3
LONGEST = 32


def pii(
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="A table: CSV, TSV, JSONL, Parquet, a glob, hf://...")
    ],
    subject: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Names whom a record is about, as data.subject does.")
    ] = None,
    language: Annotated[
        Literal["en", "de", "es", "fr", "it", "nl", "pt"], typer.Option(help="Of the texts.")
    ] = "en",
    limit: Annotated[int | None, typer.Option(min=1, help="Look at the first rows only.")] = None,
    examples: Annotated[bool, typer.Option("--examples", help="Show a few findings, masked.")] = False,
) -> None:
    """Look for persons in a table; nothing is changed or sent.

    Needs the extra `pii`.
    """
    import sys

    from rich.console import Console

    from paracosm.recipes.sections.data import Data, Pii
    from paracosm.records.inference.infer_schema import infer
    from paracosm.records.pii.detectors import require_extra
    from paracosm.records.pii.protect import detectors, find_personal, summary
    from paracosm.records.sources.read_source import read_source

    require_extra()
    asked = Pii(action="report", language=language)
    given = Data(source=data, subject=subject, limit=limit, pii=asked)
    raw = read_source(given, root=Path())
    found = find_personal(
        raw,
        infer(raw, given).schema,
        given,
        asked,
        progress=lambda line: print(f"  {line}", file=sys.stderr, flush=True),
    )
    shown = masked_examples(found, raw) if examples else None
    console = Console()
    console.print(table_of_kinds(summary(found, asked), shown))
    console.print(
        f"{len(raw):,} records of {len(set(found.subjects)):,} subjects, identified by {found.subjects_by}",
        highlight=False,
    )
    console.print(f"looked with: {', '.join(detectors(asked))}", highlight=False)
    console.print("to deal with it, write in the recipe's data section: pii: replace", highlight=False)


def table_of_kinds(
    found: dict[str, Any], examples: Mapping[tuple[str, str], Sequence[str]] | None = None
) -> "Table":
    """Return what was found as a table: column, kind, count, confidence; examples where they are given."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("column", "kind"):
        table.add_column(heading)
    table.add_column("found", justify="right")
    table.add_column("confidence", justify="right")
    table.add_column("told by")
    if examples is not None:
        table.add_column("examples, masked")
    for column in found["columns"]:
        row = [
            escape(column["column"]),
            column["kind"],
            f"{column['cells']:,}",
            f"{column['share']:.0%}",
            BY[column["by"]],
        ]
        table.add_row(*row, *_shown(examples, column["column"], column["kind"]))
    for column, kinds in found["texts"].items():
        for kind, count in kinds.items():
            row = [escape(column), kind, f"{count:,}", "", "passages of the text"]
            table.add_row(*row, *_shown(examples, column, kind))
    return table


BY = {
    "declared": "the recipe",
    "name": "its name and its cells",
    "cells": "its cells",
    "role": "its type",
}


def masked_examples(found: "Findings", raw: Any) -> dict[tuple[str, str], list[str]]:
    """Return, per column and kind, the commonest findings with all but their first letters masked."""
    shown = {}
    for column in found.columns:
        cells = Counter(str(cell) for cell in raw[column.name].dropna())
        shown[column.name, column.kind] = [masked(cell) for cell, _ in cells.most_common(EXAMPLES)]
    for name, texts in found.texts.items():
        counts: dict[str, Counter[str]] = {}
        for cell, spans in texts:
            for span in spans:
                counts.setdefault(span.kind, Counter())[cell.text[span.start : span.end]] += 1
        for kind, values in counts.items():
            shown[name, kind] = [masked(value) for value, _ in values.most_common(EXAMPLES)]
    return shown


def masked(text: str) -> str:
    """Return the first letter of each word, and a star for every other letter or digit."""
    line = " ".join(text.split())
    starred = "".join(
        "*" if letter.isdigit() or (letter.isalpha() and line[at - 1 : at].isalnum()) else letter
        for at, letter in enumerate(line)
    )
    return starred if len(starred) <= LONGEST else f"{starred[:LONGEST]}..."


def _shown(examples: Mapping[tuple[str, str], Sequence[str]] | None, column: str, kind: str) -> list[str]:
    from rich.markup import escape

    return [] if examples is None else [escape(" · ".join(examples.get((column, kind), [])))]

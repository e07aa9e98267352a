"""`paracosm pii`: list the personal data that is detected in a table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from paracosm.foundation.progress import first_sign, indented, to_stderr

if TYPE_CHECKING:
    from rich.table import Table

    from paracosm.records.pii.replacement import Findings

EXAMPLES = 3
"""Examples per column and kind."""
LONGEST_EXAMPLE = 32
"""Characters after which an example is cut off."""
EVIDENCE = {
    "declared": "declared in the recipe",
    "name": "column name and cells",
    "cells": "cells",
    "role": "column type",
}
"""Why a column counts as personal data."""


def pii(
    data: Annotated[
        str,
        typer.Argument(metavar="DATA", help="A table: CSV, TSV, JSONL, Parquet, a glob, hf://ORG/NAME, ..."),
    ],
    subject: Annotated[
        str | None,
        typer.Option(metavar="COLUMN", help="Column that identifies the subject, like data.subject."),
    ] = None,
    language: Annotated[
        Literal["en", "de", "es", "fr", "it", "nl", "pt"], typer.Option(help="Language of the texts.")
    ] = "en",
    limit: Annotated[int | None, typer.Option(min=1, help="Number of rows to read; all by default.")] = None,
    examples: Annotated[
        bool, typer.Option("--examples", help="Show a few findings, with letters masked.")
    ] = False,
) -> None:
    """Detect personal data in a table.

    Changes nothing and sends nothing. Needs the extra `pii`.
    """
    first_sign(f"reading {data}")
    from rich.console import Console

    from paracosm.recipes.sections.data import Data, Pii
    from paracosm.records.inference.infer_schema import infer
    from paracosm.records.pii.detectors import require_extra
    from paracosm.records.pii.protect import detectors, find_personal, summary
    from paracosm.records.sources.read_source import read_source

    require_extra()
    settings = Pii(action="report", language=language)
    section = Data(source=data, subject=subject, limit=limit, pii=settings)
    raw = read_source(section, root=Path())
    findings = find_personal(
        raw,
        infer(raw, section).schema,
        section,
        settings,
        progress=indented(to_stderr, 2),
    )
    shown = masked_examples(findings, raw) if examples else None
    console = Console()
    console.print(findings_table(summary(findings, settings), shown))
    console.print(
        f"{len(raw):,} records of {len(set(findings.subjects)):,} subjects, identified by {findings.subjects_by}",
        highlight=False,
    )
    console.print(f"detectors: {', '.join(detectors(settings))}", highlight=False)
    console.print("to replace it, add `pii: replace` to the data section of the recipe", highlight=False)


def findings_table(
    summary: dict[str, Any], examples: Mapping[tuple[str, str], Sequence[str]] | None = None
) -> "Table":
    """Return findings as a table: column, kind, count, share of cells, evidence, and examples if given."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("column", "kind"):
        table.add_column(heading)
    table.add_column("found", justify="right")
    table.add_column("confidence", justify="right")
    table.add_column("evidence")
    if examples is not None:
        table.add_column("masked examples")
    for column in summary["columns"]:
        row = [
            escape(column["column"]),
            column["kind"],
            f"{column['cells']:,}",
            f"{column['share']:.0%}",
            EVIDENCE[column["by"]],
        ]
        table.add_row(*row, *_examples_cell(examples, column["column"], column["kind"]))
    for column, kinds in summary["texts"].items():
        for kind, count in kinds.items():
            row = [escape(column), kind, f"{count:,}", "", "text passages"]
            table.add_row(*row, *_examples_cell(examples, column, kind))
    return table


def masked_examples(findings: "Findings", raw: Any) -> dict[tuple[str, str], list[str]]:
    """Return the most frequent findings per column and kind, masked except for first letters."""
    shown = {}
    for column in findings.columns:
        cells = Counter(str(cell) for cell in raw[column.name].dropna())
        shown[column.name, column.kind] = [masked(cell) for cell, _ in cells.most_common(EXAMPLES)]
    for name, texts in findings.texts.items():
        counts: dict[str, Counter[str]] = {}
        for cell, spans in texts:
            for span in spans:
                counts.setdefault(span.kind, Counter())[cell.text[span.start : span.end]] += 1
        for kind, values in counts.items():
            shown[name, kind] = [masked(value) for value, _ in values.most_common(EXAMPLES)]
    return shown


def masked(text: str) -> str:
    """Return the text with a star for every digit and for every letter but the first of each word."""
    line = " ".join(text.split())
    starred = "".join(
        "*" if letter.isdigit() or (letter.isalpha() and line[index - 1 : index].isalnum()) else letter
        for index, letter in enumerate(line)
    )
    return starred if len(starred) <= LONGEST_EXAMPLE else f"{starred[:LONGEST_EXAMPLE]}..."


def _examples_cell(
    examples: Mapping[tuple[str, str], Sequence[str]] | None, column: str, kind: str
) -> list[str]:
    from rich.markup import escape

    return [] if examples is None else [escape(" · ".join(examples.get((column, kind), [])))]

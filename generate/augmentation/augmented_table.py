"""Augmentation of a table outside a run: every row several times, each with the number of the row that it was made of."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paracosm.foundation.digests import value_digest
from paracosm.foundation.errors import DataError
from paracosm.foundation.files import replacing
from paracosm.foundation.progress import Progress, Step, silent
from paracosm.foundation.suggestions import did_you_mean
from paracosm.generate.augmentation.augmenter import Augmenter
from paracosm.generate.augmentation.finished_parts import (
    OPERATIONS,
    PARENT,
    FinishedParts,
    Part,
    cells_digest,
)
from paracosm.recipes.sections.texts import Augment
from paracosm.records.formats.cells import to_source_strings
from paracosm.records.schema.csv_writer import write_csv

SUFFIXES = (".csv", ".jsonl", ".parquet")
PART = 100
"""Rows of the source that are kept together while a long table is augmented."""
TRIES = 4
"""Draws after which a row whose text was not changed counts as one that cannot be."""


@dataclass(frozen=True)
class AugmentedTable:
    """Augmented rows, with the columns of the source, `parent` (row number from 1) and `operations`.

    Attributes:
        table: the rows.
        unchanged: rows of the source that no operation could change.
        operations: how often each operation changed a text.
    """

    table: pd.DataFrame
    unchanged: int
    operations: Counter[str]


def augment_table(
    raw: pd.DataFrame,
    texts: Sequence[str],
    settings: Augment,
    *,
    times: int = 1,
    seed: int = 0,
    work: Path | None = None,
    progress: Progress = silent,
) -> AugmentedTable:
    """Return augmented rows of a table, `times` for each row whose texts can be changed.

    Args:
        raw: the table.
        texts: columns to augment.
        settings: of the operations.
        times: how often each row is augmented; repeated results are left out.
        seed: of the random numbers.
        work: folder that keeps finished parts, so that the same call after a kill goes on with the next one and gives the same rows;
            the caller removes it. None keeps nothing.
        progress: takes progress lines.

    Raises:
        DataError: a column does not exist, or the table has one that would be overwritten.
    """
    columns = [str(name) for name in raw.columns]
    for name in texts:
        if name not in columns:
            raise DataError(
                f"--text: there is no column {name!r}{did_you_mean(name, columns) or '; there are: ' + ', '.join(columns[:12])}"
            )
    for name in (PARENT, OPERATIONS):
        if name in columns:
            raise DataError(f"the table has a column {name!r}, which augmented rows need; rename it")
    cells = raw.apply(to_source_strings).astype(object).where(raw.notna(), None)
    parts: FinishedParts | None = None
    if work is not None:
        asked = [columns, list(texts), settings.model_dump(mode="json"), times, seed]
        parts = FinishedParts(work, value_digest([asked, cells_digest(cells)]))
    augmenter: Augmenter | None = None
    made, unchanged, operations = [], 0, Counter[str]()
    if parts is not None and (done := parts.count(-(-len(raw) // PART))):
        progress(f"resuming: {min(done * PART, len(raw)):,} of {len(raw):,} rows are done")
    for begin in range(0, len(raw), PART):
        end = min(begin + PART, len(raw))
        part = None if parts is None else parts.read(begin // PART)
        if part is None:
            augmenter = augmenter or Augmenter(settings)
            part = Part()
            for number in range(begin, end):
                row = {str(name): cell for name, cell in cells.iloc[number].items()}
                part.add(_augmented(row, number, texts, augmenter, times, seed))
                progress(Step("augmenting", number + 1, len(raw), unit="rows"))
            if parts is not None:
                parts.write(begin // PART, part)
        made += part.rows
        unchanged += part.unchanged
        operations.update(part.operations)
    return AugmentedTable(pd.DataFrame(made, columns=[*columns, PARENT, OPERATIONS]), unchanged, operations)


def _augmented(
    row: dict[str, Any], number: int, texts: Sequence[str], augmenter: Augmenter, times: int, seed: int
) -> list[dict[str, Any]]:
    """Return the augmented rows of one row, all different."""
    found: dict[tuple[str, ...], dict[str, Any]] = {}
    for draw in range(TRIES * times):
        random = np.random.default_rng([seed, number, draw])
        new, done = dict(row), []
        for name in texts:
            if row[name]:
                augmented = augmenter.augment(row, name, random)
                new[name], done = augmented.text, [*done, *augmented.operations]
        key = tuple(str(new[name]) for name in texts)
        if done and key not in found:
            found[key] = {**new, PARENT: number + 1, OPERATIONS: " ".join(done)}
        if len(found) == times or (not found and draw + 1 >= TRIES):
            break
    return list(found.values())


def write_table(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, JSONL or Parquet, by the suffix of the path.

    Raises:
        DataError: the suffix is another one.
    """
    check_suffix(path)
    if path.suffix == ".csv":
        write_csv(table, path)
    elif path.suffix == ".jsonl":
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        with replacing(path) as partial:
            partial.write_text(
                "".join(f"{json.dumps(row, ensure_ascii=False)}\n" for row in rows), encoding="utf-8"
            )
    else:
        with replacing(path) as partial:
            table.to_parquet(partial, index=False)


def check_suffix(path: Path) -> None:
    """Check that a path names a format that is written.

    Raises:
        DataError: it does not.
    """
    if path.suffix not in SUFFIXES:
        raise DataError(f"{path}: the suffix names no format that is written; allowed: {', '.join(SUFFIXES)}")

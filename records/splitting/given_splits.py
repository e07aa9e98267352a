"""Ready-made splits: control and test records from files of their own."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.data import Data
from paracosm.records.schema.origin import origin_of, with_origin
from paracosm.records.schema.schema import Schema
from paracosm.records.sources.read_source import read_source, source_digest, table_digest
from paracosm.records.splitting.splits import Clusters, divide

HELD_OUT = ("control", "test")
FROM_SOURCE = "source"


def read_given(data: Data, *, root: Path) -> dict[str, pd.DataFrame]:
    """Return the raw tables that `data.control` and `data.test` name, by split.

    Raises:
        DataError: a file cannot be read.
    """
    return {name: read_source(section, root=root) for name, section in _sections(data).items()}


def given_digests(data: Data, *, root: Path) -> dict[str, str]:
    """Return a digest of each ready-made split."""
    return {
        name: source_digest(section, root=root) or table_digest(read_source(section, root=root))
        for name, section in _sections(data).items()
    }


def _sections(data: Data) -> dict[str, Data]:
    alone = {"query": None, "limit": None, "control": None, "test": None}
    sources = {name: getattr(data, name) for name in HELD_OUT}
    return {
        name: data.model_copy(update={**alone, "source": source})
        for name, source in sources.items()
        if source is not None
    }


def join_given(raw: pd.DataFrame, given: dict[str, pd.DataFrame]) -> tuple[pd.DataFrame, np.ndarray]:
    """Return one raw table of all files, and where each row is from: `source`, `control` or `test`.

    Raises:
        DataError: a file has other columns than the source.
    """
    tables, part = [raw], [FROM_SOURCE] * len(raw)
    for name, table in given.items():
        lacking = [column for column in raw.columns if column not in table.columns]
        extra = [str(column) for column in table.columns if column not in raw.columns]
        if lacking:
            raise DataError(
                f"data.{name}: lacks the column {str(lacking[0])!r} of data.source{did_you_mean(str(lacking[0]), extra)}"
            )
        if extra:
            raise DataError(f"data.{name}: has the column {extra[0]!r}, which data.source lacks")
        tables.append(table[list(raw.columns)])
        part += [name] * len(table)
    if not given:
        return raw, np.array(part)
    return with_origin(pd.concat(tables, ignore_index=True), origin_of(raw)), np.array(part)


def divide_rest(
    table: pd.DataFrame, schema: Schema, data: Data, clusters: Clusters, part: np.ndarray, warnings: list[str]
) -> dict[str, pd.DataFrame]:
    """Divide the rows of the source; the rows of ready-made splits stay where they are.

    Args:
        table: typed table of all rows.
        schema: of the table.
        data: of the recipe.
        clusters: of all rows.
        part: where each row is from.
        warnings: receives one line for each ready-made split that shares subjects or copies with train.

    Raises:
        DataError: there are too few rows, or too few clusters.
    """
    given = [name for name in HELD_OUT if (part == name).any()]
    if not given:
        return divide(table, schema, data, clusters)
    own = np.flatnonzero(part == FROM_SOURCE)
    of_own = replace(
        clusters,
        of=np.unique(clusters.of[own], return_inverse=True)[1],
        keys=[clusters.keys[row] for row in own],
        equal=np.unique(clusters.equal[own], return_inverse=True)[1],
    )
    split = data.split.model_copy(update=dict.fromkeys(given, 0.0))
    rest = table.iloc[own].reset_index(drop=True)
    parts = divide(rest, schema, data.model_copy(update={"split": split}), of_own)
    for name in given:
        rows = np.flatnonzero(part == name)
        parts[name] = table.iloc[rows].reset_index(drop=True)
        shared = np.isin(clusters.of[rows], clusters.of[own]).sum()
        if shared:
            warnings.append(
                f"data.{name}: {shared} of {len(rows)} records belong to a subject of data.source, or are copies of its records; what"
                " is measured on them is not measured on unseen records"
            )
    return parts

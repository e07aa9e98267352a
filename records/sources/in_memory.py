"""Reader of tables in memory: pandas, pyarrow, `datasets`, or a list of dicts."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from paracosm.foundation.errors import DataError
from paracosm.records.formats.cells import holds_lone_surrogate
from paracosm.records.sources.parquet import from_arrow


def from_object(table: Any, *, drop: Collection[str] = ()) -> pd.DataFrame:
    """Return a table in memory as a raw table.

    Args:
        table: a pandas DataFrame, a pyarrow Table, a `datasets.Dataset` or a sequence of dicts.
        drop: columns that are not used and may therefore be nested.

    Raises:
        DataError: the table has another type, no rows, two columns of one name, or nested cells.
    """
    name = f"the {type(table).__name__}"
    if isinstance(table, pd.DataFrame):
        return checked(table.reset_index(drop=True), name)
    if isinstance(table, pa.Table):
        return checked(from_arrow(table, name, drop=drop), name)
    if type(table).__module__.startswith("datasets."):
        return checked(from_arrow(arrow_of(table), name, drop=drop), name)
    if (
        isinstance(table, Sequence)
        and not isinstance(table, str)
        and all(isinstance(row, dict) for row in table)
    ):
        return checked(_frame(_rows(table, name, drop)), name)
    raise DataError(
        f"{name}: is not a table; allowed: a pandas DataFrame, a pyarrow Table, a datasets.Dataset, a"
        " list of dicts"
    )


def _rows(table: Sequence[dict[Any, Any]], name: str, drop: Collection[str]) -> list[dict[Any, Any]]:
    """Return rows without the cells of `drop`, after a check that pandas can hold their texts."""
    rows = [{key: None if key in drop else cell for key, cell in row.items()} for row in table]
    for number, row in enumerate(rows, start=1):
        for key, cell in row.items():
            if any(isinstance(text, str) and holds_lone_surrogate(text) for text in (key, cell)):
                raise DataError(
                    f"{name}: row {number}: the key {key!r} or its value has a lone surrogate, which UTF-8 cannot write"
                )
    return rows


def _frame(rows: list[dict[Any, Any]]) -> pd.DataFrame:
    """Return rows as a table in which each number is as it was: pandas turns integers beside a missing cell into floats."""
    table = pd.DataFrame(rows)
    for name in table.columns:
        if pd.api.types.is_float_dtype(table[name].dtype):
            table[name] = pd.Series([row.get(name) for row in rows], dtype=object)
    return table


def arrow_of(dataset: Any) -> pa.Table:
    """Return a `datasets.Dataset` as an Arrow table.

    Raises:
        DataError: it is a dict of splits, or a stream.
    """
    if isinstance(dataset, dict):
        raise DataError(
            f"the {type(dataset).__name__}: holds the splits {', '.join(map(str, dataset))}; pass one of them"
        )
    if not hasattr(dataset, "__len__"):
        raise DataError(f"the {type(dataset).__name__}: is a stream; load the whole data set")
    return dataset.with_format("arrow")[:]


def checked(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return `table` with its column names as strings.

    Raises:
        DataError: it has no rows, no columns, two columns of one name, or a name that UTF-8 cannot write.
    """
    names = [str(column) for column in table.columns]
    twice = [column for column, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"{name}: there are two columns {twice[0]!r}")
    for column in names:
        if holds_lone_surrogate(column):
            raise DataError(f"{name}: the column {column!r} has a lone surrogate, which UTF-8 cannot write")
    if not names:
        raise DataError(f"{name}: has no columns")
    if table.empty:
        raise DataError(f"{name}: has no rows")
    return table.set_axis(names, axis=1)

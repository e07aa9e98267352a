"""Tables that are in memory already: pandas, pyarrow, `datasets`, or a list of dicts."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import pandas as pd
import pyarrow as pa

from paracosm.foundation.errors import DataError
from paracosm.records.schema.cells import holds_lone_surrogate
from paracosm.records.sources.parquet import from_arrow


def from_object(table: Any, *, drop: Collection[str] = ()) -> pd.DataFrame:
    """Return a table in memory as a raw table.

    Args:
        table: a pandas DataFrame, a pyarrow Table, a `datasets.Dataset` or a sequence of dicts.
        drop: columns that will not be used, so that they may be nested.

    Raises:
        DataError: it is none of these, or has no rows, or two columns of one name, or nested cells.
    """
    place = f"the {type(table).__name__}"
    if isinstance(table, pd.DataFrame):
        return checked(table.reset_index(drop=True), place)
    if isinstance(table, pa.Table):
        return checked(from_arrow(table, place, drop=drop), place)
    if type(table).__module__.startswith("datasets."):
        return checked(from_arrow(arrow_of(table), place, drop=drop), place)
    if (
        isinstance(table, Sequence)
        and not isinstance(table, str)
        and all(isinstance(row, dict) for row in table)
    ):
        return checked(pd.DataFrame(_rows(table, place, drop)), place)
    raise DataError(
        f"{place}: is no table; allowed: a pandas DataFrame, a pyarrow Table, a datasets.Dataset, a"
        " list of dicts"
    )


def _rows(table: Sequence[dict[Any, Any]], place: str, drop: Collection[str]) -> list[dict[Any, Any]]:
    """Return rows whose text pandas can hold; cells of `drop` are left out."""
    rows = [{key: None if key in drop else cell for key, cell in row.items()} for row in table]
    for number, row in enumerate(rows, start=1):
        for key, cell in row.items():
            if any(isinstance(text, str) and holds_lone_surrogate(text) for text in (key, cell)):
                raise DataError(
                    f"{place}: row {number}: the key {key!r} has or holds a lone surrogate, which UTF-8 cannot write"
                )
    return rows


def arrow_of(dataset: Any) -> pa.Table:
    """Return a `datasets.Dataset` as an Arrow table.

    Raises:
        DataError: it is a dict of splits, or streams.
    """
    if isinstance(dataset, dict):
        raise DataError(
            f"the {type(dataset).__name__}: holds the splits {', '.join(map(str, dataset))}; choose"
            " one of them"
        )
    if not hasattr(dataset, "__len__"):
        raise DataError(f"the {type(dataset).__name__}: streams; load it whole")
    return dataset.with_format("arrow")[:]


def checked(table: pd.DataFrame, place: str) -> pd.DataFrame:
    """Return `table` with its column names as strings.

    Raises:
        DataError: it has no rows, no columns, or a name twice or that UTF-8 cannot write.
    """
    names = [str(name) for name in table.columns]
    twice = [name for name, count in Counter(names).items() if count > 1]
    if twice:
        raise DataError(f"{place}: the column {twice[0]!r} is there twice")
    for name in names:
        if holds_lone_surrogate(name):
            raise DataError(f"{place}: the column {name!r} has a lone surrogate, which UTF-8 cannot write")
    if not names:
        raise DataError(f"{place}: has no columns")
    if table.empty:
        raise DataError(f"{place}: has no rows")
    return table.set_axis(names, axis=1)

"""Reader of tables in memory: pandas, pyarrow, `datasets`, or a list of dicts."""

from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Bounds
from paracosm.records.formats.cells import holds_lone_surrogate
from paracosm.records.schema.arrow_types import is_nullable
from paracosm.records.schema.origin import Origin, origin_of, with_arrays, with_origin
from paracosm.records.sources.nested import Nested, cures, flat_record, json_text
from paracosm.records.sources.parquet import from_arrow

NESTED = (list, tuple, dict, set, np.ndarray)
DEPTH = Bounds().depth


def from_object(table: Any, *, drop: Collection[str] = (), nested: Nested = "error") -> pd.DataFrame:
    """Return a table in memory as a raw table.

    Args:
        table: a pandas DataFrame, a pyarrow Table, a `datasets.Dataset` or a sequence of dicts.
        drop: columns that are not used and may therefore be nested.
        nested: whether an array in a cell is an error or becomes JSON text.

    Raises:
        DataError: the table has another type, no rows, two columns of one name, or nested cells.
    """
    name = f"the {type(table).__name__}"
    if isinstance(table, pd.DataFrame):
        frame = checked(table.reset_index(drop=True), name)
        return of_python(frame, name, drop=drop, nested=nested)
    if isinstance(table, pa.Table):
        return checked(from_arrow(table, name, drop=drop, nested=nested), name)
    if type(table).__module__.startswith("datasets."):
        return checked(from_arrow(arrow_of(table), name, drop=drop, nested=nested), name)
    if (
        isinstance(table, Sequence)
        and not isinstance(table, str)
        and all(isinstance(row, dict) for row in table)
    ):
        rows = [
            flat_record(row, f"{name}: row {number}", drop=drop, nested="json", depth=DEPTH)
            for number, row in enumerate(table, start=1)
        ]
        arrays = {key for row in table for key, cell in row.items() if isinstance(cell, list | tuple)} - set(
            drop
        )
        if arrays and nested == "error":
            column = min(map(str, arrays))
            raise DataError(f"{name}: the column {column!r} holds an array; {cures(column)}")
        frame = of_python(checked(_frame(rows), name), name, drop=drop, nested=nested)
        return with_arrays(frame, sorted(map(str, arrays)))
    raise DataError(
        f"{name}: is not a table; allowed: a pandas DataFrame, a pyarrow Table, a datasets.Dataset, a"
        " list of dicts"
    )


def of_python(
    table: pd.DataFrame, name: str, *, drop: Collection[str] = (), nested: Nested = "error"
) -> pd.DataFrame:
    """Return a table of Python objects with the types that its columns have, and its nested cells as JSON text.

    Raises:
        DataError: a cell is nested, and nested cells are not read as JSON text.
    """
    table = table.copy(deep=False)
    arrow, dtypes, labels = {}, {}, {}
    arrays: list[str] = []
    changed: list[str] = []
    for column in table.columns:
        if column in drop:
            continue
        cells = table[column]
        if pd.api.types.is_object_dtype(cells.dtype) and any(isinstance(cell, NESTED) for cell in cells):
            if nested == "error":
                raise DataError(f"{name}: the column {column!r} holds arrays or objects; {cures(column)}")
            texts = [json_text(cell) if isinstance(cell, NESTED) else cell for cell in cells]
            table[column] = cells = pd.Series(texts, index=table.index, dtype=object)
            arrays.append(column)
        type_ = _arrow_type(cells)
        if type_ is not None:
            arrow[column] = str(type_)
        elif isinstance(cells.dtype, pd.PeriodDtype | pd.IntervalDtype):
            changed.append(
                f"column {column!r}: is {cells.dtype} in the source; synthetic records have it as pandas prints it, such as 2024-03 or"
                " (0, 1], in a column of dates or texts"
            )
        if is_nullable(cells.dtype):
            dtypes[column] = str(cells.dtype)
        if isinstance(cells.dtype, pd.CategoricalDtype):
            labels[column] = tuple(map(str, cells.cat.categories))
    origin = Origin(tuple(changed), arrow=arrow, dtypes=dtypes, labels=labels)
    return with_arrays(with_origin(table, origin), arrays)


def _arrow_type(column: pd.Series) -> pa.DataType | None:
    """Return the Arrow type of a pandas column, or None if Arrow has none for its cells."""
    try:
        type_ = pa.Array.from_pandas(column).type
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        return None
    return None if pa.types.is_nested(type_) or isinstance(type_, pa.BaseExtensionType) else type_


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
    return with_origin(table.set_axis(names, axis=1), origin_of(table))

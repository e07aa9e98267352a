"""Reader of Parquet files and Arrow tables, with the types of their columns."""

import io
from collections.abc import Collection
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from paracosm.foundation.errors import DataError
from paracosm.records.text.text_file import GZIP, read_bytes

PANDAS = {
    pa.bool_(): pd.BooleanDtype(),
    pa.string(): pd.StringDtype(),
    pa.large_string(): pd.StringDtype(),
    pa.string_view(): pd.StringDtype(),
    pa.int8(): pd.Int8Dtype(),
    pa.int16(): pd.Int16Dtype(),
    pa.int32(): pd.Int32Dtype(),
    pa.int64(): pd.Int64Dtype(),
    pa.uint8(): pd.UInt8Dtype(),
    pa.uint16(): pd.UInt16Dtype(),
    pa.uint32(): pd.UInt32Dtype(),
    pa.uint64(): pd.UInt64Dtype(),
    pa.float32(): pd.Float32Dtype(),
    pa.float64(): pd.Float64Dtype(),
}
NO_CELLS = (pa.types.is_nested, pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)


def read_parquet(path: Path, *, drop: Collection[str] = ()) -> pd.DataFrame:
    """Read a Parquet file.

    Raises:
        DataError: the file is empty or damaged, or a column is nested.
    """
    with path.open("rb") as file:
        zipped = file.read(2) == GZIP
    if path.stat().st_size == 0:
        raise DataError(f"{path}: is empty")
    try:
        arrow = pq.read_table(io.BytesIO(read_bytes(path)) if zipped else path)
    except pa.ArrowException as error:
        raise DataError(f"{path}: is not a complete Parquet file: {str(error).splitlines()[0]}") from error
    return from_arrow(arrow, str(path), drop=drop)


def from_arrow(arrow: pa.Table, name: str, *, drop: Collection[str] = ()) -> pd.DataFrame:
    """Return an Arrow table as pandas, with nullable integers and without a stored pandas index.

    Columns of `drop` stay without cells, so they may be nested.

    Raises:
        DataError: a column is nested.
    """
    stored_index = [column for column in arrow.column_names if column.startswith("__index_level_")]
    arrow = arrow.drop_columns(stored_index)
    for index, field in enumerate(arrow.schema):
        if field.name in drop:
            arrow = arrow.set_column(index, field.name, pa.nulls(len(arrow), pa.string()))
        elif any(is_it(field.type) for is_it in NO_CELLS):
            raise DataError(
                f"{name}: the column {field.name!r} holds {field.type}; a cell must be a single value"
                " (or add it to data.drop)"
            )
    return arrow.to_pandas(types_mapper=PANDAS.get, ignore_metadata=True, date_as_object=True)

"""Columns in the Arrow type of the source: written so that a reader sees the types that the source had, and read back.

Values pass through the text of a cell, which is the one form in which every kind of field reads and writes.
"""

import datetime as dates
import json
import re
from collections.abc import Callable, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from paracosm.records.formats.cells import FORMAT_OFFSET, to_source_strings
from paracosm.records.schema.schema import Field, Value

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
"""Arrow type -> pandas type in which a missing cell changes no other one."""
DECIMAL = re.compile(r"decimal(32|64|128|256)\((\d+), (-?\d+)\)")
ZONED = re.compile(r"timestamp\[(s|ms|us|ns), tz=(.+)\]")
DICTIONARY = re.compile(r"dictionary<values=(.+), indices=(\w+), ordered=([01])>")
NULLABLE = re.compile(r"U?Int(8|16|32|64)|Float(32|64)|boolean|string")
DECIMALS: dict[str, Callable[[int, int], pa.DataType]] = {
    "32": pa.decimal32,
    "64": pa.decimal64,
    "128": pa.decimal128,
    "256": pa.decimal256,
}
MOST_MINTED_DIGITS = 18
"""Digits of a new identifier that 64 bits always hold."""


def parse_type(name: str) -> pa.DataType | None:
    """Return the Arrow type with this name (`str(type)`), or None if columns are not written in it."""
    if match := DECIMAL.fullmatch(name):
        return DECIMALS[match[1]](int(match[2]), int(match[3]))
    if match := ZONED.fullmatch(name):
        return pa.timestamp(match[1], match[2])
    if match := DICTIONARY.fullmatch(name):
        values = parse_type(match[1])
        return None if values is None else pa.dictionary(pa.type_for_alias(match[2]), values, match[3] == "1")
    try:
        type_ = pa.type_for_alias(name)
    except ValueError:
        return None
    return None if pa.types.is_null(type_) else type_


def is_words(type_: pa.DataType) -> bool:
    """Return whether a type is one of text."""
    return pa.types.is_string(type_) or pa.types.is_large_string(type_) or pa.types.is_string_view(type_)


def is_nullable(dtype: object) -> bool:
    """Return whether a pandas type is one that Arrow alone does not give back: nullable numbers, booleans and text."""
    return NULLABLE.fullmatch(str(dtype)) is not None


def to_pandas(arrow: pa.Table) -> pd.DataFrame:
    """Return an Arrow table as pandas, with nullable integers and without a stored pandas index."""
    return arrow.to_pandas(types_mapper=PANDAS.get, ignore_metadata=True, date_as_object=True)


def write_column(values: Sequence[Value], field: Field, type_: pa.DataType) -> pa.Array:
    """Return values of a field as an Arrow array.

    Args:
        values: of the field; None is missing.
        field: of the values.
        type_: type of the array.

    Raises:
        ValueError: a value cannot be written in this type. `pa.ArrowException` and `decimal.InvalidOperation` are others.
    """
    texts = [field.write(value) for value in values]
    if field.labels and pa.types.is_integer(type_):
        codes = {label: code for code, label in enumerate(field.labels)}
        return pa.array([None if text is None else codes[text] for text in texts], type_)
    if pa.types.is_dictionary(type_):
        return _dictionary(texts, field, type_)
    return _array(texts, type_)


def read_column(column: pa.ChunkedArray, field: Field) -> list[Value]:
    """Return the values of an Arrow column that `write_column` wrote.

    Raises:
        ValueError: a cell does not have the type or format of the field. `KeyError` is another.
    """
    if field.labels and pa.types.is_integer(column.type):
        return [None if code is None else field.labels[code] for code in column.to_pylist()]
    if pa.types.is_timestamp(column.type) and field.is_moment:
        return [
            None if cell is None else _naive(cell, field)
            for cell in column.cast(_microseconds(column.type)).to_pylist()
        ]
    if pa.types.is_boolean(column.type) and field.kind.expressed_as == "truth":
        return column.to_pylist()
    cells = to_source_strings(to_pandas(pa.table({field.name: column}))[field.name])
    values = {cell: field.read(cell) for cell in cells.dropna().unique()}
    return [None if cell is pd.NA else values[cell] for cell in cells]


def keeps(field: Field, values: Sequence[Value]) -> bool:
    """Return whether the values of a field are the same after writing and reading them in the source's type."""
    type_ = parse_type(field.arrow)
    if type_ is None:
        return False
    if not field.modelled:
        return is_words(type_) or (
            type_ in (pa.int64(), pa.uint64())
            and field.pattern.isdecimal()
            and len(field.pattern) <= MOST_MINTED_DIGITS
        )
    try:
        column = pa.chunked_array([write_column(values, field, type_)])
        return read_column(column, field) == list(values)
    except (ValueError, KeyError, ArithmeticError, pa.ArrowException):
        return False


def labels_of(field: Field, arrow: str, labels: Sequence[str]) -> tuple[str, ...]:
    """Return the words of the codes in which the source stores a field, in the order of the codes.

    Class labels are stated by the data set, so all count. The entries of a dictionary come from the records: only those that the
    field can have count, and only where the source orders them.
    """
    if not arrow.startswith("dictionary"):
        return tuple(labels)
    return (
        tuple(label for label in labels if label in field.categories) if arrow.endswith("ordered=1>") else ()
    )


def source_metadata(fields: Sequence[Field]) -> dict[str, str] | None:
    """Return the metadata of a Parquet file by which `datasets` and pandas know class labels and nullable types again."""
    metadata = {}
    labelled = {
        field.name: {"names": list(field.labels), "_type": "ClassLabel"}
        for field in fields
        if field.labels and not field.arrow.startswith("dictionary")
    }
    if labelled:
        metadata["huggingface"] = json.dumps({"info": {"features": labelled}})
    nullable = [field for field in fields if field.dtype]
    if nullable:
        columns = [
            {
                "name": field.name,
                "field_name": field.name,
                "pandas_type": field.arrow,
                "numpy_type": field.dtype,
                "metadata": None,
            }
            for field in nullable
        ]
        metadata["pandas"] = json.dumps(
            {"index_columns": [], "column_indexes": [], "columns": columns, "pandas_version": pd.__version__}
        )
    return metadata or None


def _array(texts: Sequence[str | None], type_: pa.DataType) -> pa.Array:
    if is_words(type_):
        return pa.array(texts, type_)
    if pa.types.is_timestamp(type_):
        return _moments(texts, type_)
    read = _reader(type_)
    if read is None:
        return pa.array(texts, pa.string()).cast(type_)
    return pa.array([None if text is None else read(text) for text in texts], type_)


def _reader(type_: pa.DataType) -> Callable[[str], Any] | None:
    """Return what reads the text of a cell as a Python value for a type, or None if Arrow reads the text itself."""
    if pa.types.is_decimal(type_):
        return Decimal
    if pa.types.is_integer(type_):
        return _whole
    if pa.types.is_floating(type_):
        return float
    if pa.types.is_boolean(type_):
        return lambda text: {"true": True, "false": False}[text.lower()]
    if pa.types.is_date(type_):
        return dates.date.fromisoformat
    if pa.types.is_time(type_):
        return dates.time.fromisoformat
    if pa.types.is_duration(type_):
        return lambda text: pd.Timedelta(text).to_pytimedelta()
    return None


def _whole(text: str) -> int:
    number = Decimal(text)
    if number != int(number):
        raise ValueError("not a whole number")
    return int(number)


def _moments(texts: Sequence[str | None], type_: pa.TimestampType) -> pa.Array:
    moments = [None if text is None else dates.datetime.fromisoformat(text) for text in texts]
    if type_.tz is not None and any(moment is not None and moment.tzinfo is None for moment in moments):
        # A local time without an offset, as a zone with summer time is read.
        local = pa.array(moments, pa.timestamp(type_.unit))
        return pc.call_function(
            "assume_timezone",
            [local],
            pc.AssumeTimezoneOptions(type_.tz, ambiguous="earliest", nonexistent="earliest"),
        )
    return pa.array(moments, type_)


def _dictionary(texts: Sequence[str | None], field: Field, type_: pa.DictionaryType) -> pa.Array:
    entries = list(
        field.labels or field.categories or dict.fromkeys(text for text in texts if text is not None)
    )
    codes = {entry: code for code, entry in enumerate(entries)}
    indices = pa.array([None if text is None else codes[text] for text in texts], type_.index_type)
    return pa.DictionaryArray.from_arrays(indices, _array(entries, type_.value_type), ordered=type_.ordered)


def _microseconds(type_: pa.TimestampType) -> pa.DataType:
    return pa.timestamp("us", type_.tz)


def _naive(moment: dates.datetime, field: Field) -> dates.datetime:
    if moment.tzinfo is None:
        return moment
    literal = FORMAT_OFFSET.search(field.format)
    if literal is not None:
        offset = dates.datetime.fromisoformat(f"2000-01-01T00:00:00{literal[0]}").tzinfo
        moment = moment.astimezone(offset)
    return moment.replace(tzinfo=None)

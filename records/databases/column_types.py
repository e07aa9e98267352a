"""SQL types of the columns of an Arrow table, and its cells as values that a driver takes."""

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

UINT64_DIGITS = 20


def sql_type(type_: pa.DataType, dialect: str) -> Any:
    """Return the type of SQLAlchemy for an Arrow type; TEXT for those that the database has no type for.

    Args:
        type_: of the column.
        dialect: SQLAlchemy's name of the kind of database.
    """
    import sqlalchemy as sql

    if pa.types.is_dictionary(type_):
        return sql_type(type_.value_type, dialect)
    if pa.types.is_boolean(type_):
        return sql.Boolean()
    if type_ in (pa.int8(), pa.int16(), pa.uint8()):
        return sql.SmallInteger()
    if type_ in (pa.int32(), pa.uint16()):
        return sql.Integer()
    if dialect == "sqlite" and (pa.types.is_decimal(type_) or type_ == pa.uint64()):
        return sql.Double() if pa.types.is_decimal(type_) else sql.Text()
    if type_ == pa.uint64():
        return sql.Numeric(UINT64_DIGITS, 0)
    if pa.types.is_integer(type_):
        return sql.BigInteger()
    if pa.types.is_floating(type_):
        return sql.Double() if type_ == pa.float64() else sql.REAL()
    if pa.types.is_decimal(type_):
        return sql.Numeric(type_.precision, max(type_.scale, 0))
    if pa.types.is_date(type_):
        return sql.Date()
    if pa.types.is_time(type_):
        return sql.Time()
    if pa.types.is_timestamp(type_):
        return sql.DateTime(timezone=type_.tz is not None)
    if pa.types.is_duration(type_) and dialect == "postgresql":
        return sql.Interval()
    return sql.Text()


def python_rows(table: pa.Table, dialect: str) -> list[dict[str, Any]]:
    """Return the rows of an Arrow table as values of Python; None is missing.

    Args:
        table: with columns of any type that the records are written in.
        dialect: SQLAlchemy's name of the kind of database. SQLite has no type for decimals, durations and whole numbers above 63 bits:
            decimals are written as floating point, the others as text.

    Raises:
        pa.ArrowInvalid: a time has parts of a microsecond, which databases do not keep.
    """
    columns = [_cells(column, dialect) for column in table.columns]
    return [dict(zip(table.column_names, row, strict=True)) for row in zip(*columns, strict=True)]


def _cells(column: pa.ChunkedArray, dialect: str) -> list[Any]:
    type_ = column.type
    if pa.types.is_dictionary(type_):
        column = column.cast(type_.value_type)
        type_ = column.type
    if pa.types.is_timestamp(type_):
        column = pc.cast(column, pa.timestamp("us", type_.tz))
    elif pa.types.is_time(type_):
        column = pc.cast(column, pa.time64("us"))
    elif pa.types.is_duration(type_):
        column = pc.cast(column, pa.duration("us"))
    cells = column.to_pylist()
    if dialect != "sqlite":
        return cells
    if pa.types.is_decimal(type_):
        return [None if cell is None else float(cell) for cell in cells]
    if pa.types.is_duration(type_) or type_ == pa.uint64():
        return [None if cell is None else str(cell) for cell in cells]
    return cells

"""Writer of synthetic records into a table of a database: all of them in one transaction, or none."""

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from paracosm.foundation.credentials.redaction import redact_url
from paracosm.foundation.credentials.references import resolve
from paracosm.foundation.errors import DataError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.records.databases.column_types import python_rows, sql_type
from paracosm.records.databases.connecting import database_engine, database_url, reason, require_sqlalchemy

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine, Table

    from paracosm.recipes.sections.data import Data
    from paracosm.recipes.sections.generate import Generate

KEY = "generate.to"
TRANSACTIONAL = ("postgresql", "sqlite")
"""Kinds of databases in which a table is created and filled in one transaction."""
ROWS_AT_ONCE = 1000


@dataclass(frozen=True)
class Destination:
    """A table of a database.

    Attributes:
        url: as the recipe has it, with references to the environment.
        table: its name, with the schema before a dot where it has one.
        existing: what happens if the table exists.
        root: the folder that the path of a database file starts from.
    """

    url: str = field(repr=False)
    table: str
    existing: Literal["refuse", "append", "replace"]
    root: Path

    @classmethod
    def of(cls, settings: "Generate", root: Path) -> "Destination | None":
        """Return where a recipe writes its records, or None."""
        if settings.to is None or settings.table is None:
            return None
        return cls(settings.to, settings.table, settings.existing_table, root)

    @property
    def shown(self) -> str:
        """The table and its database, without the password."""
        return f"table {self.table!r} at {redact_url(self.url)}"

    @property
    def name(self) -> tuple[str | None, str]:
        """The schema, if one is named, and the name of the table."""
        schema, _, name = self.table.rpartition(".")
        return schema or None, name


def check_destination(destination: Destination, data: "Data") -> None:
    """Check that the records can be written later: nothing is written.

    Args:
        destination: of the records.
        data: of the recipe; synthetic records are not mixed with the records that they were learnt from.

    Raises:
        DataError: the database cannot be reached, the table exists and may not be changed, or it is the source.
    """
    with _connection(destination) as (connection, url):
        exists = _exists(connection, destination)
        if exists and destination.existing == "refuse":
            raise DataError(
                f"generate.table: {destination.shown} exists; generate.existing_table=append adds to it, replace removes it first"
            )
        if exists and _is_source(destination, url, data):
            raise DataError(
                f"generate.table: {destination.table!r} is read by data.query; synthetic records are not written into the table"
                " that they are learnt from"
            )


def write_table(destination: Destination, shards: Sequence[Path]) -> int:
    """Write Parquet files into the table, in one transaction; return the number of rows.

    Args:
        destination: where to write.
        shards: files of synthetic records with equal columns.

    Raises:
        DataError: the database refuses something; the table is as it was before.
    """
    from sqlalchemy import insert

    count = 0
    with _connection(destination) as (connection, _):
        dialect = connection.dialect.name
        table = _prepared(connection, destination, pq.read_schema(shards[0]))
        for shard in shards:
            records = pq.read_table(shard)
            for start in range(0, records.num_rows, ROWS_AT_ONCE):
                rows = python_rows(records.slice(start, ROWS_AT_ONCE), dialect)
                connection.execute(insert(table), rows)
                count += len(rows)
    return count


def _prepared(connection: "Connection", destination: Destination, records: pa.Schema) -> "Table":
    """Return the table to insert into: the one that there is, or a new one with the columns of the records."""
    from sqlalchemy import Column, MetaData, Table, inspect

    schema, name = destination.name
    exists = _exists(connection, destination)
    if exists and destination.existing == "append":
        present = [column["name"] for column in inspect(connection).get_columns(name, schema=schema)]
        for column in records.names:
            if column not in present:
                raise DataError(
                    f"generate.table: {destination.shown} has no column {column!r}{did_you_mean(column, present)}"
                )
        return Table(name, MetaData(), schema=schema, autoload_with=connection)
    if exists and destination.existing == "refuse":
        raise DataError(f"generate.table: {destination.shown} exists by now; nothing was written")
    if exists:
        Table(name, MetaData(), schema=schema).drop(connection)
    dialect = connection.dialect.name
    columns = [Column(column.name, sql_type(column.type, dialect), nullable=True) for column in records]
    table = Table(name, MetaData(), *columns, schema=schema)
    table.create(connection)
    return table


def _exists(connection: "Connection", destination: Destination) -> bool:
    from sqlalchemy import inspect

    schema, name = destination.name
    return inspect(connection).has_table(name, schema=schema)


def _is_source(destination: Destination, url: Any, data: "Data") -> bool:
    """Return whether the query of the source names the table, in the same database."""
    if not data.query or "://" not in data.source:
        return False
    source = database_url(resolve(data.source, "data.source", DataError).text, "data.source")
    same = [
        (each.get_backend_name(), each.host, each.port, Path(each.database or "").name)
        for each in (source, url)
    ]
    _, name = destination.name
    return (
        same[0] == same[1]
        and re.search(rf"(?<!\w){re.escape(name)}(?!\w)", data.query, re.IGNORECASE) is not None
    )


@contextmanager
def _connection(destination: Destination) -> "Iterator[tuple[Connection, Any]]":
    """Yield a connection in a transaction, and its URL; an error rolls everything back and becomes one line."""
    require_sqlalchemy(KEY)
    from sqlalchemy.exc import SQLAlchemyError

    resolved = resolve(destination.url, KEY, DataError)
    with resolved.hiding(DataError):
        url = _url(resolved.text, destination.root)
        file = _file_of(url)
        is_new = file is not None and not file.exists()
        engine = database_engine(url, resolved.text)
        _explicit_transactions(engine)
        done = False
        try:
            with engine.begin() as connection:
                yield connection, url
            done = True
        except DataError:
            raise
        except (SQLAlchemyError, TypeError, ValueError) as error:
            raise DataError(f"{KEY}: {redact_url(resolved.text)}: {reason(error, resolved.text)}") from None
        finally:
            engine.dispose()
            if file is not None and is_new and (not done or not file.stat().st_size):
                file.unlink(missing_ok=True)


def _url(text: str, root: Path) -> Any:
    url = database_url(text, KEY)
    kind = url.get_backend_name()
    if kind not in TRANSACTIONAL:
        raise DataError(
            f"{KEY}: {kind}: records are written where one transaction creates a table and fills it: {' or '.join(TRANSACTIONAL)}"
        )
    if kind != "sqlite":
        return url
    if url.database in (None, "", ":memory:"):
        raise DataError(
            f"{KEY}: a database in memory is gone after the command; name a file: sqlite:///made.db"
        )
    path = root / Path(url.database)
    if not path.parent.is_dir():
        raise DataError(f"{KEY}: {path.parent}: there is no such folder")
    return url.set(database=str(path))


def _file_of(url: Any) -> Path | None:
    return Path(url.database) if url.get_backend_name() == "sqlite" else None


def _explicit_transactions(engine: "Engine") -> None:
    """Let SQLite create tables inside the transaction; its driver would do so outside."""
    from sqlalchemy import event

    if engine.dialect.name != "sqlite":
        return

    def no_own_transactions(driver: Any, _: object) -> None:
        driver.isolation_level = None

    def begin(connection: "Connection") -> None:
        connection.exec_driver_sql("BEGIN")

    event.listen(engine, "connect", no_own_transactions)
    event.listen(engine, "begin", begin)

"""Connections to databases that cannot change anything, as far as the kind of database allows."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from paracosm.foundation.progress import to_stderr

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

STATEMENTS = {
    "sqlite": ("PRAGMA query_only = ON",),
    "postgresql": ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET TRANSACTION READ ONLY"),
    "cockroachdb": ("SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY", "SET TRANSACTION READ ONLY"),
    "mysql": ("SET SESSION TRANSACTION READ ONLY", "START TRANSACTION READ ONLY"),
    "mariadb": ("SET SESSION TRANSACTION READ ONLY", "START TRANSACTION READ ONLY"),
    "oracle": ("SET TRANSACTION READ ONLY",),
}
"""Name of SQLAlchemy's dialect -> the statements after which the server refuses changes. The statement for the session also
counts where the URL switches transactions off."""


def read_only_url(url: Any) -> Any:
    """Return an SQLAlchemy URL that opens a database file for reading only; other URLs are returned unchanged.

    Args:
        url: an `sqlalchemy.URL`; an SQLite database in a file has its absolute path.
    """
    in_file = url.database not in (None, "", ":memory:")
    if url.get_backend_name() != "sqlite" or url.get_driver_name() != "pysqlite" or not in_file:
        return url
    # `immutable`, `vfs` and the like would be options of the file too; only these two are needed.
    options = {
        key: value
        for key, value in url.query.items()
        if key in ("timeout", "detect_types", "cached_statements")
    }
    return url.set(database=f"file:{quote(url.database)}", query=options | {"mode": "ro", "uri": "true"})


@contextmanager
def read_only_connection(engine: "Engine") -> Iterator["Connection"]:
    """Yield a connection in a read-only transaction, which is rolled back at the end.

    Prints a warning for a kind of database that has no such transaction.
    """
    statements = STATEMENTS.get(engine.dialect.name, ())
    if not statements:
        to_stderr(
            f"warning: data.query: {engine.dialect.name} has no read-only transaction; the query was checked and its"
            " transaction is rolled back, but use a user who may only read"
        )
    with engine.connect() as connection:
        transaction = connection.begin()
        try:
            if isinstance(driver := connection.connection.driver_connection, sqlite3.Connection):
                # ATTACH creates a database file even where nothing can be written to it.
                driver.setlimit(sqlite3.SQLITE_LIMIT_ATTACHED, 0)
            for statement in statements:
                connection.exec_driver_sql(statement)
            yield connection
        finally:
            transaction.rollback()

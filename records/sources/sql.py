"""Reader of the result of a SELECT, through SQLAlchemy."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paracosm.foundation.credentials.redaction import redact_url
from paracosm.foundation.errors import DataError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.data import Data
from paracosm.records.databases.connecting import database_engine, database_url, reason, require_sqlalchemy
from paracosm.records.sources.in_memory import of_python
from paracosm.records.sources.read_only import read_only_connection, read_only_url
from paracosm.records.sources.select_statement import ALLOWED, check_select
from paracosm.records.sources.selection.row_limit import RowCollector, frames, row_hashes


def read_sql(data: Data, *, root: Path) -> pd.DataFrame:
    """Return the result of `data.query` from the database at `data.source`, without changing anything there.

    The query is checked before it is sent, and the connection is read-only. No message shows the password of the URL.

    Raises:
        DataError: SQLAlchemy or the driver is missing, there is no query or it is not a single SELECT, or the database
            reports an error.
    """
    require_sqlalchemy("data.source")
    import sqlalchemy
    from sqlalchemy.exc import ResourceClosedError, SQLAlchemyError

    def hashes(table: pd.DataFrame) -> np.ndarray:
        return row_hashes(of_python(table, "data.query", drop=data.drop, nested="json"), data)

    url = _url(data.source, root)
    address = redact_url(data.source)
    if not data.query:
        raise DataError(f"data.query: is missing; {address} needs a SELECT that returns the table")
    check_select(data.query, url.get_backend_name())
    engine = database_engine(read_only_url(url), data.source)
    try:
        with read_only_connection(engine) as connection:
            # A cursor on the server needs a transaction, which `autocommit` in the URL of psycopg switches off.
            streams = getattr(connection.connection.driver_connection, "autocommit", False) is not True
            result = connection.execution_options(stream_results=streams).execute(sqlalchemy.text(data.query))
            names = list(result.keys())
            _refuse_repeats(names)
            collector = RowCollector(data, "data.query", replace(frames(data), hashes=hashes))
            while rows := result.fetchmany(collector.next_rows(len(names))):
                if collector.add(_table(names, rows), columns=len(names)):
                    break
    except DataError:
        raise
    except ResourceClosedError:
        raise DataError(f"data.query: returns no rows; {ALLOWED}") from None
    except (SQLAlchemyError, TypeError, ValueError) as error:
        raise DataError(f"{address}: {reason(error, data.source)}") from None
    finally:
        engine.dispose()
    chosen = collector.rows()
    table = chosen[0].reset_index(drop=True) if chosen else _table(names, [])
    return of_python(table, "data.query", drop=data.drop, nested=data.nested)


def _refuse_repeats(names: Sequence[str]) -> None:
    if len(set(names)) < len(names):
        raise DataError("data.query: returns two columns of one name; rename one with AS")


def _table(names: Sequence[str], rows: Sequence[Sequence[Any]]) -> pd.DataFrame:
    return pd.DataFrame(
        {name: pd.Series([row[index] for row in rows], dtype=object) for index, name in enumerate(names)}
    )


def _url(source: str, root: Path) -> Any:
    url = database_url(source, "data.source")
    if url.get_backend_name() != "sqlite" or url.database in (None, "", ":memory:"):
        return url
    path = Path(url.database)
    file = next((candidate for candidate in (root / path, Path.cwd() / path) if candidate.is_file()), None)
    if file is None:
        names = (
            sorted(other.name for other in (root / path).parent.iterdir())
            if (root / path).parent.is_dir()
            else []
        )
        # SQLite would create an empty database instead of failing.
        raise DataError(f"{root / path}: there is no such database file{did_you_mean(path.name, names)}")
    return url.set(database=str(file))

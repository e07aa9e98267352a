"""Reader of the result of a SELECT, through SQLAlchemy."""

import importlib.util
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paracosm.foundation.credentials.redaction import redact, redact_url
from paracosm.foundation.errors import DataError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.data import Data
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
    if importlib.util.find_spec("sqlalchemy") is None:
        raise DataError(
            'data.source: a database URL needs SQLAlchemy; install it with: pip install "paracosm[sql]"'
        )
    import sqlalchemy
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, ResourceClosedError, SQLAlchemyError

    def hashes(table: pd.DataFrame) -> np.ndarray:
        return row_hashes(of_python(table, "data.query", drop=data.drop, nested="json"), data)

    url = _url(data.source, root)
    address = redact_url(data.source)
    if not data.query:
        raise DataError(f"data.query: is missing; {address} needs a SELECT that returns the table")
    check_select(data.query, url.get_backend_name())
    # The errors of SQLAlchemy and the driver may repeat the URL, so no traceback shows them.
    try:
        engine = sqlalchemy.create_engine(read_only_url(url))
    except (ArgumentError, NoSuchModuleError) as error:
        raise DataError(
            f"{address}: there is no such kind of database ({_reason(error, data.source)})"
        ) from None
    except ImportError as error:
        raise DataError(f"{address}: the driver is not installed ({error})") from None
    except (TypeError, ValueError) as error:
        raise DataError(f"{address}: a parameter is not allowed ({_reason(error, data.source)})") from None
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
        raise DataError(f"{address}: {_reason(error, data.source)}") from None
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
    import sqlalchemy
    from sqlalchemy.exc import ArgumentError

    try:
        url = sqlalchemy.make_url(source)
    except (ArgumentError, ValueError):
        raise DataError(
            f"data.source: {source.partition('://')[0]}://... is not a database URL that SQLAlchemy supports"
        ) from None
    if (
        url.password is not None
        and "@" in f"{url.host}{url.database if url.get_backend_name() != 'sqlite' else ''}"
    ):
        raise DataError(
            f"{redact_url(source)}: the password holds an @; write it as %40, or the password as ${{NAME}} to read it from the environment"
        )
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


def _reason(error: Exception, source: str) -> str:
    original = getattr(error, "orig", None) or error
    reason = next(iter(str(original).splitlines()), type(original).__name__)
    return redact(reason, source)

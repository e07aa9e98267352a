"""Reader of the result of a SELECT, through SQLAlchemy."""

import importlib.util
from pathlib import Path
from typing import Any

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.data import Data


def read_sql(data: Data, *, root: Path) -> pd.DataFrame:
    """Return the result of `data.query` from the database at `data.source`. No message shows the password of the URL.

    Raises:
        DataError: SQLAlchemy or the driver is missing, there is no query, or the database reports an error.
    """
    if importlib.util.find_spec("sqlalchemy") is None:
        raise DataError(
            'data.source: a database URL needs SQLAlchemy; install it with: pip install "paracosm[sql]"'
        )
    import sqlalchemy
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError, ResourceClosedError, SQLAlchemyError

    url = _url(data.source, root)
    address = url.render_as_string(hide_password=True)
    if not data.query:
        raise DataError(f"data.query: is missing; {address} needs a SELECT that returns the table")
    try:
        engine = sqlalchemy.create_engine(url)
    except (ArgumentError, NoSuchModuleError) as error:
        raise DataError(f"{address}: there is no such kind of database ({_reason(error, url)})") from error
    except ImportError as error:
        raise DataError(f"{address}: the driver is not installed ({error})") from error
    try:
        with engine.connect() as connection:
            result = connection.execute(sqlalchemy.text(data.query))
            names = list(result.keys())
            rows = result.fetchall() if data.limit is None else result.fetchmany(data.limit)
    except ResourceClosedError as error:
        raise DataError("data.query: returns no rows; it must be a SELECT") from error
    except SQLAlchemyError as error:
        raise DataError(f"{address}: {_reason(error, url)}") from error
    finally:
        engine.dispose()
    if len(set(names)) < len(names):
        raise DataError("data.query: returns two columns of one name; rename one with AS")
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


def _reason(error: Exception, url: Any) -> str:
    original = getattr(error, "orig", None) or error
    reason = next(iter(str(original).splitlines()), type(original).__name__)
    return reason.replace(url.password, "***") if url.password else reason

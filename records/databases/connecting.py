"""Engines of SQLAlchemy from a database URL, and errors of a database in one line without the password."""

import importlib.util
from typing import Any

from paracosm.foundation.credentials.redaction import redact, redact_url
from paracosm.foundation.errors import DataError

DRIVERS = {"postgresql": ("psycopg2", "psycopg"), "mysql": ("MySQLdb", "pymysql")}
"""Kind of database -> the driver that SQLAlchemy takes where a URL names none, and the one that is taken where only that is installed."""
PACKAGES = {
    "psycopg2": "psycopg[binary]",
    "psycopg": "psycopg[binary]",
    "pymysql": "pymysql",
    "MySQLdb": "pymysql",
}
"""Module of a driver -> the package to install."""


def require_sqlalchemy(key: str) -> None:
    """Check that SQLAlchemy is installed.

    Args:
        key: the recipe key that names a database.

    Raises:
        DataError: it is not.
    """
    if importlib.util.find_spec("sqlalchemy") is None:
        raise DataError(
            f'{key}: a database URL needs SQLAlchemy; install it with: pip install "paracosm[sql]"'
        )


def database_url(text: str, key: str) -> Any:
    """Return a database URL as an `sqlalchemy.URL`, with a driver that is installed where the text names none.

    Args:
        text: the URL, with its password.
        key: the recipe key that names it.

    Raises:
        DataError: it is not one, or its password is ambiguous.
    """
    import sqlalchemy
    from sqlalchemy.exc import ArgumentError

    try:
        url = sqlalchemy.make_url(text)
    except (ArgumentError, ValueError):
        raise DataError(
            f"{key}: {text.partition('://')[0]}://... is not a database URL that SQLAlchemy supports"
        ) from None
    in_host = "" if url.get_backend_name() == "sqlite" else url.database
    if url.password is not None and "@" in f"{url.host}{in_host}":
        raise DataError(
            f"{redact_url(text)}: the password holds an @; write it as %40, or the password as ${{NAME}} to read it from the environment"
        )
    default, other = DRIVERS.get(url.drivername, ("", ""))
    if default and importlib.util.find_spec(default) is None and importlib.util.find_spec(other) is not None:
        return url.set(drivername=f"{url.drivername}+{other}")
    return url


def database_engine(url: Any, written: str) -> Any:
    """Return an `sqlalchemy.Engine`, which is not connected yet.

    Args:
        url: of SQLAlchemy.
        written: the URL as text, whose secrets no message shows.

    Raises:
        DataError: the kind of database is unknown, its driver is not installed, or a parameter is not allowed.
    """
    import sqlalchemy
    from sqlalchemy.exc import ArgumentError, NoSuchModuleError

    address = redact_url(written)
    # The errors of SQLAlchemy and the driver may repeat the URL, so no traceback shows them.
    try:
        return sqlalchemy.create_engine(url)
    except (ArgumentError, NoSuchModuleError) as error:
        raise DataError(f"{address}: there is no such kind of database ({reason(error, written)})") from None
    except ImportError as error:
        package = PACKAGES.get(error.name or "", "")
        advice = f'; install one with: pip install "{package}"' if package else ""
        raise DataError(f"{address}: the driver is not installed ({error}){advice}") from None
    except (TypeError, ValueError) as error:
        raise DataError(f"{address}: a parameter is not allowed ({reason(error, written)})") from None


def reason(error: Exception, written: str) -> str:
    """Return the first line of an error of SQLAlchemy or a driver, without secrets of the URL."""
    original = getattr(error, "orig", None) or error
    line = next(iter(str(original).splitlines()), type(original).__name__)
    return redact(line, written)

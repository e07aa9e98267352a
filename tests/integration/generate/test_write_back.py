"""Synthetic records written into a table of a real PostgreSQL server, and into an SQLite file."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import pytest
import sqlalchemy
from postgresql_server import PASSWORD, postgresql

import paracosm
from paracosm.foundation.errors import DataError, RecipeError
from paracosm.foundation.progress import silent
from paracosm.recipes.run.directory import Run
from paracosm.records.databases.table_writer import Destination, write_table

TABLE = """\
create table visits (
  admitted timestamp not null, seen timestamp with time zone, born date, sex char(1) not null, weight numeric(5, 1),
  systolic smallint, height double precision, smoker boolean, ward text)
"""
ROWS = """\
insert into visits
select timestamp '2024-01-01 08:00' + n * interval '7 hours', timestamp with time zone '2024-01-01 08:00+00' + n * interval '5 hours',
  date '1950-01-01' + n * 100, case when n % 2 = 0 then 'F' else 'M' end, case when n % 9 = 0 then null else 50 + n % 31 end,
  110 + n % 40, 1.5 + (n % 50) / 100.0, n % 3 = 0, case n % 4 when 0 then 'Innere Medizin' else 'Pädiatrie' end
from generate_series(1, 160) as n
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL database with a table of 160 visits."""
    with postgresql(TABLE, ROWS, "create schema research") as url:
        yield url


def rows(url: str, query: str) -> list[Any]:
    engine = sqlalchemy.create_engine(url)
    with engine.connect() as connection:
        result = [tuple(row) for row in connection.execute(sqlalchemy.text(query))]
    engine.dispose()
    return result


def made(folder: Path, server: str, to: str, **generate: Any) -> Run:
    """Make 40 records of the visits and write them; measuring them is not part of it."""
    from paracosm.pipeline import run_stages
    from paracosm.recipes.recipe import Recipe
    from paracosm.recipes.run.open_run import OpenRun

    recipe = Recipe.model_validate(
        {
            "name": "visits",
            "strategy": "statistical",
            "statistical": {"method": "marginals"},
            "data": {"source": server, "query": "select * from visits", "rare": "keep"},
            "generate": {"records": 40, "to": to, "table": "made"} | generate,
        }
    )
    opened = OpenRun(recipe, Run(folder / "run"), folder, from_run=False)
    return run_stages(opened, last="generate", progress=silent)


def test_a_table_has_the_types_and_the_cells_of_the_shards(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLINIC_PASSWORD", PASSWORD)
    to = server.replace(PASSWORD, "${CLINIC_PASSWORD}")
    run = made(tmp_path, to, to, table="research.made")
    columns = rows(
        server,
        "select column_name, data_type from information_schema.columns where table_schema = 'research' order by ordinal_position",
    )
    assert columns == [
        ("admitted", "timestamp without time zone"),
        ("seen", "timestamp with time zone"),
        ("born", "date"),
        ("sex", "text"),
        ("weight", "numeric"),
        ("systolic", "bigint"),
        ("height", "double precision"),
        ("smoker", "boolean"),
        ("ward", "text"),
    ]
    written = rows(server, "select * from research.made")
    shards = [pq.read_table(path).to_pylist() for path in sorted(run.synthetic.glob("part-*.parquet"))]
    assert written == [tuple(row.values()) for shard in shards for row in shard]
    assert len(written) == 40
    admitted, seen, born, *_, smoker, _ = written[0]
    assert (type(admitted), type(born), type(smoker)) == (datetime, date, bool)
    assert seen.tzinfo is not None
    assert any(isinstance(row[4], Decimal) for row in written)
    files = [path for path in run.root.rglob("*") if path.is_file()]
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
    # The same command writes nothing twice, and another set of records is not taken for the first.
    made(tmp_path, to, to, table="research.made")
    assert rows(server, "select count(*) from research.made") == [(40,)]
    with pytest.raises(
        DataError, match=r"^generate\.table: table .* exists; generate\.existing_table=append adds to it"
    ):
        made(tmp_path, to, to, table="research.made", seed=1)
    made(tmp_path, to, to, table="research.made", seed=1, existing_table="append")
    assert rows(server, "select count(*) from research.made") == [(80,)]
    made(tmp_path, to, to, table="research.made", seed=2, existing_table="replace")
    assert rows(server, "select count(*) from research.made") == [(40,)]


def test_a_refusal_leaves_the_table_as_it_was(server: str, tmp_path: Path) -> None:
    engine = sqlalchemy.create_engine(server)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("create table narrow (sex text, weight numeric(3, 1))"))
        connection.execute(sqlalchemy.text("insert into narrow values ('F', 9.5)"))
    engine.dispose()
    shards = [tmp_path / "part-0.parquet", tmp_path / "part-1.parquet"]
    pd.DataFrame({"sex": ["F"], "weight": [8.5]}).to_parquet(shards[0])
    pd.DataFrame({"sex": ["M"], "weight": [123456.5]}).to_parquet(shards[1])
    append = Destination(server, "narrow", "append", tmp_path)
    for destination in (append, replace(append, existing="replace")):
        if destination.existing == "append":
            with pytest.raises(DataError, match="numeric field overflow") as error:
                write_table(destination, shards)
            assert "\n" not in str(error.value)
            assert PASSWORD not in str(error.value)
        else:
            pd.DataFrame({"sex": ["a\0b"], "weight": [1.0]}).to_parquet(shards[1])
            with pytest.raises(DataError, match="NUL"):
                write_table(destination, shards)
        assert rows(server, "select * from narrow") == [("F", Decimal("9.5"))]
    pd.DataFrame({"sex": ["F"], "weigth": [8.5]}).to_parquet(shards[0])
    with pytest.raises(DataError, match="has no column 'weigth'; did you mean 'weight'"):
        write_table(append, shards[:1])


@pytest.mark.parametrize("existing", ["append", "replace"])
def test_the_source_is_never_written_to(server: str, tmp_path: Path, existing: str) -> None:
    with pytest.raises(DataError, match=r"'visits' is read by data.query"):
        made(tmp_path, server, server, table="visits", existing_table=existing)
    assert rows(server, "select count(*) from visits") == [(160,)]


def test_a_server_that_is_not_there_is_named_before_the_records_are_read(server: str, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"generate\.to: .*127\.0\.0\.1:1.*refused") as error:
        made(tmp_path, server, "postgresql+psycopg://clinic:word@127.0.0.1:1/postgres")
    assert "word" not in str(error.value)
    assert not (tmp_path / "run" / "records").exists()


def test_a_driver_that_is_installed_is_found(server: str, tmp_path: Path) -> None:
    """`postgresql://` means psycopg2 to SQLAlchemy; here only psycopg 3 is installed."""
    made(tmp_path, server, server.replace("+psycopg", ""), table="by_default_driver")
    assert rows(server, "select count(*) from by_default_driver") == [(40,)]


def test_an_sqlite_file_is_made_beside_the_recipe(server: str, tmp_path: Path) -> None:
    made(tmp_path, server, "sqlite:///made.db")
    with sqlite3.connect(tmp_path / "made.db") as connection:
        columns = {row[1]: row[2] for row in connection.execute("pragma table_info(made)")}
        assert columns["born"] == "DATE"
        assert columns["weight"] == "DOUBLE"
        assert connection.execute("select count(*) from made").fetchone() == (40,)
        assert {type(cell) for (cell,) in connection.execute("select weight from made")} <= {
            float,
            type(None),
        }


def test_a_refused_sqlite_table_leaves_no_file(tmp_path: Path) -> None:
    shard = tmp_path / "part-0.parquet"
    pd.DataFrame({"a": [1], "A": [2]}).to_parquet(shard)
    with pytest.raises(DataError, match="duplicate column name"):
        write_table(Destination("sqlite:///made.db", "made", "refuse", tmp_path), [shard])
    assert not (tmp_path / "made.db").exists()


@pytest.mark.parametrize(
    ("to", "expected"),
    [
        ("mysql+pymysql://a@host/b", r"generate\.to: mysql: records are written where one transaction"),
        ("sqlite://", "a database in memory is gone"),
        ("sqlite:///none/made.db", "there is no such folder"),
        ("nothing", "is not a database URL"),
    ],
)
def test_other_databases_are_refused_in_one_line(tmp_path: Path, to: str, expected: str) -> None:
    with pytest.raises(DataError, match=expected):
        write_table(Destination(to, "made", "refuse", tmp_path), [])


def test_database_and_table_belong_together() -> None:
    with pytest.raises(RecipeError, match="to and table belong together"):
        paracosm.validate(
            {"name": "visits", "data": {"source": "a.csv"}, "generate": {"to": "sqlite:///a.db"}}
        )

"""Records from a real PostgreSQL server on loopback, started for this test and stopped after it."""

import json
import traceback
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from urllib.parse import quote

import pytest
import sqlalchemy
from postgresql_server import PASSWORD, postgresql

from paracosm.foundation.errors import DataError
from paracosm.foundation.files import write_text
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.open_run import OpenRun, open_run
from paracosm.recipes.sections.data import Data
from paracosm.records.assembly import assemble
from paracosm.records.sources import sql
from paracosm.records.sources.read_source import read_source
from paracosm.records.stage import prepare
from paracosm.registry.card.provenance import provenance

TABLE = """\
create table visits (
  id uuid primary key default gen_random_uuid(), admitted timestamp not null, born date, sex char(1) not null,
  weight numeric(5, 1), systolic smallint, smoker boolean, ward text)
"""
ROWS = """\
insert into visits (admitted, born, sex, weight, systolic, smoker, ward)
select timestamp '2024-01-01 08:00' + n * interval '7 hours', date '1950-01-01' + n * 100,
  case when n % 2 = 0 then 'F' else 'M' end, case when n % 9 = 0 then null else 50 + n / 7.0 end,
  110 + n % 40, n % 3 = 0, case n % 4 when 0 then 'Innere Medizin' when 1 then 'Chirurgie' else 'Pädiatrie' end
from generate_series(1, 120) as n
"""


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL database with a table of 120 visits."""
    with postgresql(TABLE, ROWS) as url:
        yield url


def test_a_select_gives_native_cells(server: str, tmp_path: Path) -> None:
    table = read_source(Data(source=server, query="select * from visits order by admitted"), root=tmp_path)
    first = table.iloc[0].to_dict()
    assert len(table) == 120
    assert first["admitted"] == datetime(2024, 1, 1, 15)
    assert first["born"] == date(1950, 4, 11)
    assert first["weight"] == Decimal("50.1")
    assert (first["systolic"], first["smoker"], first["ward"]) == (111, False, "Chirurgie")
    assert table["weight"].isna().sum() == 13


def test_its_columns_become_fields(server: str, tmp_path: Path) -> None:
    recipe = Recipe.model_validate(
        {
            "name": "visits",
            "data": {
                "source": server,
                "query": "select * from visits",
                "target": "smoker",
                "rare": "keep",
            },
        }
    )
    prepared = assemble(recipe, read_source(recipe.data, root=tmp_path))
    types = {field.name: field.type for field in prepared.schema}
    assert types == {
        "id": "identifier",
        "admitted": "datetime",
        "born": "datetime",
        "sex": "category",
        "weight": "number",
        "systolic": "integer",
        "smoker": "boolean",
        "ward": "category",
    }
    assert prepared.schema["weight"].decimals == 1
    assert {name: len(part) for name, part in prepared.splits.items()} == {
        "train": 96,
        "control": 12,
        "test": 12,
    }


@pytest.mark.parametrize(
    ("change", "query", "expected"),
    [
        (("", ""), "select * from visit", 'relation "visit" does not exist'),
        (("/postgres", "/hospital"), "select 1", 'database "hospital" does not exist'),
        ((PASSWORD, "wrong-word"), "select 1", "password authentication failed"),
        (("@127.0.0.1", "@127.0.0.2"), "select 1", "127.0.0.2"),
    ],
)
def test_an_error_is_one_line_without_the_password(
    server: str, tmp_path: Path, change: tuple[str, str], query: str, expected: str
) -> None:
    with pytest.raises(DataError) as fault:
        read_source(Data(source=server.replace(*change), query=query), root=tmp_path)
    assert expected in str(fault.value)
    assert "\n" not in str(fault.value)
    assert PASSWORD not in str(fault.value)
    assert "wrong-word" not in str(fault.value)


def rows(server: str) -> int:
    engine = sqlalchemy.create_engine(server)
    with engine.connect() as connection:
        count = connection.execute(sqlalchemy.text("select count(*) from visits")).scalar()
    engine.dispose()
    assert isinstance(count, int)
    return count


CHANGES = [
    "delete from visits",
    "drop table visits",
    "truncate visits",
    "with x as (delete from visits returning *) select * from x",
    "with x as (update visits set ward = '' returning *) select * from x",
    "with x as (insert into visits (admitted, sex) values (now(), 'F') returning *) select * from x",
    "with x as (select 1) delete from visits",
    "select * into other from visits",
    "create table other as select 1 as a",
    "select 1; delete from visits",
    "begin; delete from visits; commit",
    "commit",
    "set transaction read write",
    "do $$ begin delete from visits; end $$",
]
CALLS = [
    ("select nextval('numbers')", "cannot execute nextval() in a read-only transaction"),
    ("select setval('numbers', 9)", "cannot execute setval() in a read-only transaction"),
    ("select remove_all()", "cannot execute DELETE in a read-only transaction"),
    ("select query_to_xml('delete from visits', true, true, '')", "DELETE is not allowed"),
    (
        "select set_config('transaction_read_only', 'off', false)",
        "transaction read-write mode must be set before any query",
    ),
    ("select * from visits for update", "cannot execute SELECT FOR UPDATE in a read-only transaction"),
]


@pytest.fixture(scope="module")
def functions(server: str) -> str:
    """The URL of a database with a sequence, and a function that deletes all visits."""
    engine = sqlalchemy.create_engine(server)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("create sequence numbers"))
        connection.execute(
            sqlalchemy.text(
                "create function remove_all() returns bigint language plpgsql as "
                "$$ begin delete from visits; return 1; end $$"
            )
        )
    engine.dispose()
    return server


@pytest.mark.parametrize(
    "options", ["", "?autocommit=true", "?options=-c%20default_transaction_read_only%3Doff"]
)
@pytest.mark.parametrize("query", CHANGES)
def test_a_statement_that_changes_something_is_refused_by_check_and_server(
    functions: str, tmp_path: Path, query: str, options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Data(source=functions + options, query=query)
    with pytest.raises(DataError, match=r"^data\.query: .*must be a SELECT"):
        read_source(source, root=tmp_path)
    monkeypatch.setattr(sql, "check_select", lambda query, dialect: None)
    with pytest.raises(DataError) as error:
        read_source(source, root=tmp_path)
    assert "\n" not in str(error.value)
    assert rows(functions) == 120


@pytest.mark.parametrize("options", ["", "?autocommit=true"])
@pytest.mark.parametrize(("query", "expected"), CALLS)
def test_the_read_only_transaction_stops_functions_that_change_something(
    functions: str, tmp_path: Path, query: str, expected: str, options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sql, "check_select", lambda query, dialect: None)
    with pytest.raises(DataError) as error:
        read_source(Data(source=functions + options, query=query), root=tmp_path)
    assert expected in str(error.value)
    assert rows(functions) == 120


@pytest.mark.parametrize(
    "query", ["select pg_read_file('PG_VERSION')", "select lo_export(1, '/x')", "select pg_notify('a', 'b')"]
)
def test_what_the_transaction_cannot_stop_is_refused_by_name(server: str, tmp_path: Path, query: str) -> None:
    with pytest.raises(DataError, match=r"^data\.query: calls "):
        read_source(Data(source=server, query=query), root=tmp_path)


def test_the_transaction_alone_does_not_stop_reading_files_of_the_server(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Documented: a superuser can read them through a function that the check does not know."""
    monkeypatch.setattr(sql, "check_select", lambda query, dialect: None)
    assert (
        len(read_source(Data(source=server, query="select pg_read_file('PG_VERSION') as a"), root=tmp_path))
        == 1
    )


@pytest.mark.parametrize("shape", ["{user}:{password}@", "query", "sslpassword"])
@pytest.mark.parametrize("password", ["wrong-word", "wr/ong?wo#rd", "wrong word", "wröng%word"])
def test_a_wrong_password_is_not_shown_in_any_form(
    server: str, tmp_path: Path, shape: str, password: str
) -> None:
    encoded = quote(password, safe="")
    host = server.partition("@")[2]
    source = {
        "query": f"postgresql+psycopg://{host}?user=clinic&password={encoded}",
        "sslpassword": f"postgresql+psycopg://clinic:{encoded}@{host}?sslpassword={encoded}&sslkey=/none&sslmode=prefer",
    }.get(shape, f"postgresql+psycopg://clinic:{encoded}@{host}")
    with pytest.raises(DataError) as error:
        read_source(Data(source=source, query="select 1"), root=tmp_path)
    shown = "".join(traceback.format_exception(error.value))
    for form in (password, encoded):
        assert form not in str(error.value)
        assert form not in shown.partition("DataError")[2]
    assert error.value.__suppress_context__


@pytest.mark.parametrize(
    "source", ["postgresql+psycopg://clinic:p@ss@HOST", "postgresql+psycopg://clinic:p@ss/w@HOST"]
)
def test_a_password_with_an_at_sign_is_refused_with_the_way_to_write_it(
    server: str, tmp_path: Path, source: str
) -> None:
    with pytest.raises(DataError, match="write it as %40") as error:
        read_source(
            Data(source=source.replace("HOST", server.partition("@")[2]), query="select 1"), root=tmp_path
        )
    assert "ss" not in str(error.value).replace("password", "")


def test_the_password_comes_from_the_environment(
    server: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = server.replace(PASSWORD, "${CLINIC_PASSWORD}")
    with pytest.raises(DataError, match="needs the environment variable CLINIC_PASSWORD, which is not set"):
        read_source(Data(source=source, query="select 1 as a"), root=tmp_path)
    monkeypatch.setenv("CLINIC_PASSWORD", PASSWORD)
    assert len(read_source(Data(source=source, query="select 1 as a"), root=tmp_path)) == 1
    monkeypatch.setenv("CLINIC_PASSWORD", "wrong@word")
    with pytest.raises(DataError, match="password authentication failed") as error:
        read_source(Data(source=source, query="select 1 as a"), root=tmp_path)
    assert "wrong" not in str(error.value)


@pytest.mark.parametrize("reference", [True, False])
def test_no_file_of_a_run_holds_the_password(
    server: str, tmp_path: Path, reference: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CLINIC_PASSWORD", PASSWORD)
    source = server.replace(PASSWORD, "${CLINIC_PASSWORD}") if reference else server
    recipe = Recipe.model_validate(
        {"name": "visits", "data": {"source": source, "query": "select * from visits order by admitted"}}
    )
    opened = OpenRun(recipe, Run(tmp_path / "run"), tmp_path, from_run=False)
    with opened.working():
        prepare(recipe=recipe, run=opened.run, root=tmp_path)
        opened.keep_recipe()
        write_text(opened.run.root / "provenance.json", json.dumps(provenance(recipe, opened.run, salt=b"x")))
    files = [path for path in opened.run.root.rglob("*") if path.is_file()]
    assert len(files) > 5
    assert not [path for path in files if PASSWORD.encode() in path.read_bytes()]
    assert ("${CLINIC_PASSWORD}" in opened.run.recipe.read_text()) is reference
    assert PASSWORD not in repr(recipe)
    reopened = open_run(opened.run.root)
    if reference:
        assert reopened.recipe == recipe
    # An unchanged stage is up to date for the recipe of the run too.
    with nullcontext() if reference else pytest.raises(DataError, match="was stored without its password"):
        assert not prepare(recipe=reopened.recipe, run=reopened.run, root=tmp_path)

"""A query is a single SELECT statement; everything else is refused before it is sent."""

import sqlite3
from pathlib import Path

import pytest
import sqlalchemy

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.sources import sql
from paracosm.records.sources.read_only import STATEMENTS, read_only_connection, read_only_url
from paracosm.records.sources.read_source import read_source
from paracosm.records.sources.select_statement import SYNTAXES, check_select

SELECTS = [
    "select * from visits",
    "SELECT 1;",
    "select 1 ; -- done",
    "-- the visits\nselect * from visits",
    "/* drop table visits; */ select 1",
    "(select 1) union (select 2)",
    "with a as (select 1 as n) select n from a",
    "with recursive a(n) as (select 1 union all select n + 1 from a where n < 9) select * from a",
    "select 'x; drop table visits' as note",
    "select 'it''s; delete' as note",
    'select "delete", "into" from visits',
    "select replace(note, 'a', 'b'), (replace(note, 'a', 'b')) from visits",
    "select update_time, created, deleted from visits where updated > 3",
    "select v.update, v.into from visits v",
    "select 5 -- 3; drop table x\n from visits",
    "select case when a then b end from visits for json path",
    'select * from "a;b"',
]
REFUSED = [
    "drop table visits",
    "DELETE FROM visits",
    "update visits set id = 3",
    "insert into visits values (1)",
    "replace into visits values (1)",
    "create table x as select 1",
    "alter table visits add column x int",
    "truncate visits",
    "grant all on visits to bob",
    "vacuum",
    "pragma writable_schema = 1",
    "attach database 'x.db' as x",
    "explain analyze delete from visits",
    "call remove_all()",
    "do $$ begin delete from visits; end $$",
    "copy visits to program 'sh'",
    "begin; drop table visits",
    "select 1; drop table visits",
    "select 1;;drop table visits",
    "select 1;-- x\ndrop table visits",
    "select 1/* ; */; drop table visits",
    "with x as (delete from visits returning *) select * from x",
    "with x as materialized (update visits set id = 1 returning *) select * from x",
    "with a as (select 1), x as (insert into visits values (1) returning *) select * from x",
    "with x as (with y as (select 1) delete from visits returning *) select * from x",
    "with x as (select 1) delete from visits",
    "with x as (select 1) insert into visits select * from x",
    "with x as (/* */delete/**/from visits returning *) select * from x",
    "with x as (select 1) merge into visits using x on true when matched then delete",
    "select * into other from visits",
    "select * into temp other from visits",
    "select * from visits into outfile '/tmp/x'",
    "select nextval('numbers')",
    "select setval('numbers', 1)",
    "select pg_read_file('/etc/passwd')",
    "select pg_catalog.pg_read_file('/etc/passwd')",
    "select \"pg_read_file\"('/etc/passwd')",
    "select pg_read_file /* x */ ('/etc/passwd')",
    "select lo_export(1, '/tmp/x')",
    "select * from dblink('host=x', 'delete from visits') as t(a int)",
    "select pg_terminate_backend(1)",
    "select load_file('/etc/passwd')",
    "select load_extension('x')",
    "select * from openrowset('x', 'y', 'z')",
    "select /*!50000 1 into outfile '/tmp/x' */",
    "select /*M! 1 */",
    "select pg_sleep(100000)",
    "select pg_sleep_for('5 minutes')",
    "select set_config('transaction_read_only', 'off', false)",
    "select lo_create(0)",
    "select lo_put(1, 0, 'x')",
    "select lowrite(1, 'x')",
    "select query_to_xml('delete from visits', true, true, '')",
    "select * from ts_stat('select pg_read_file(1)')",
    "select * from crosstab('select 1') as t(a int)",
    "select pg_advisory_lock(1)",
    "select pg_try_advisory_lock(1)",
    "select pg_stat_reset()",
    "select pg_backup_start('x')",
    "select pg_export_snapshot()",
    "select pg_wal_replay_pause()",
    "select pg_replication_slot_advance('x', '0/0')",
    "select pg_logfile_rotate()",
    "select writefile('x', 'y')",
    "select edit('x')",
    "select fts3_tokenizer('x', 'y')",
    "select sleep(100000)",
    "select benchmark(1000000000, md5('x'))",
    "select get_lock('x', 100000)",
    "select release_all_locks()",
    "select dbms_xslprocessor.clob2file('x', 'y', 'z') , dbms_lock(1)",
    "select xp_cmdshell('dir')",
    "select (select PG_SLEEP(9))",
    "select 1 where exists (select pg_catalog . pg_sleep (9))",
    "values (1)",
    "table visits",
    "show all",
    "set role postgres",
    "reset all",
    "lock table visits",
    "listen x",
    "notify x",
    "prepare x as delete from visits",
    "execute x",
    "declare c cursor for select 1",
    "checkpoint",
    "discard all",
    "reindex table visits",
    "cluster visits",
    "refresh materialized view v",
    "security label on table visits is 'x'",
    "import foreign schema a from server b into c",
    "detach database x",
    "savepoint x",
    "rename table visits to x",
    "load data infile '/etc/passwd' into table visits",
    "handler visits open",
    "flush tables",
    "\ufeffdrop table visits",
    "\x00select 1",
    "select 1;\x00drop table visits",
    "se/**/lect 1",
    "select 'open",
    "select /* open",
    'select "open',
    "-- nothing",
    "",
    ";",
    "()",
]


@pytest.mark.parametrize("dialect", [*SYNTAXES, "duckdb"])
@pytest.mark.parametrize("query", SELECTS)
def test_a_select_passes(query: str, dialect: str) -> None:
    if "note" in query and dialect == "duckdb":
        pytest.skip("every reading of strings is tried for an unknown kind of database")
    check_select(query, dialect)


@pytest.mark.parametrize("dialect", [*SYNTAXES, "duckdb"])
@pytest.mark.parametrize("query", REFUSED)
def test_any_other_statement_is_refused_in_one_line(query: str, dialect: str) -> None:
    with pytest.raises(DataError, match=r"^data\.query: ") as error:
        check_select(query, dialect)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("query", "dialect"),
    [
        # A text that is a string or comment in one kind of database is code in another.
        (r"select 'a\'; drop table visits; --'", "postgresql"),
        (r"select 'a\' ; drop table visits -- '", "sqlite"),
        (r"select 'a\'', 1; drop table visits; -- '", "mysql"),
        (r"select E'a\'', 1; drop table visits; -- '", "postgresql"),
        ("select 5--1; drop table visits", "mysql"),
        ("select 1 /* /* */; drop table visits -- */", "sqlite"),
        ("select 1 /* /* */; drop table visits -- */", "mysql"),
        ("select $$ $$; drop table visits", "postgresql"),
        ("select $a$ $$ $a$; drop table visits", "postgresql"),
        ("select a[';']; drop table visits", "postgresql"),
        ("select 1 # ; \n; drop table visits", "mysql"),
        ("select 1 # 2; drop table visits", "postgresql"),
    ],
)
def test_strings_and_comments_are_read_as_the_database_reads_them(query: str, dialect: str) -> None:
    with pytest.raises(DataError, match=r"second statement|does not end"):
        check_select(query, dialect)


@pytest.mark.parametrize("dialect", ["mssql", "duckdb"])
@pytest.mark.parametrize(
    "query",
    [
        "select 1 drop table visits",
        "select 1 delete from visits",
        "select 1 delete visits",
        "select 1\nexec xp_cmdshell 'dir'",
        "select 1 exec('drop table visits')",
        "select * from visits v update visits set id = 1",
        "select * from visits insert visits values (1)",
        "select * from visits truncate table visits",
        "select 1 waitfor delay '10:00:00'",
        "select 1 shutdown",
        "select 1 backup database x to disk = 'x'",
        "select 1 declare @x int set @x = 1",
        "select 1 begin tran delete from visits commit",
        "select 1 create table x (a int)",
        "select 1 merge visits using x on 1 = 1 when matched then delete",
        "select 1 kill 55",
    ],
)
def test_transact_sql_takes_a_second_statement_without_a_semicolon(query: str, dialect: str) -> None:
    with pytest.raises(DataError, match=r"^data\.query: has the statement"):
        check_select(query, dialect)


@pytest.mark.parametrize(
    "query",
    [
        "select a.[update], a.[set] from visits a",
        "select * from visits a inner merge join visits b on a.id = b.id",
        "select replace(note, 'drop', 'x') from visits",
        "select [drop] from visits where note = 'drop table x' -- drop",
    ],
)
def test_transact_sql_that_only_reads_passes(query: str) -> None:
    check_select(query, "mssql")


@pytest.mark.parametrize(
    "query",
    [
        r"""select U&"pg\005fread_file"('/etc/passwd')""",
        r"""select u&"pg!005fsleep" uescape '!' (9)""",
        r"select U&'a\0027; drop table visits'",
    ],
)
def test_names_that_are_spelled_by_escapes_are_refused(query: str) -> None:
    with pytest.raises(DataError, match=r"^data\.query: has a name or a string with U&"):
        check_select(query, "postgresql")


@pytest.mark.parametrize(
    ("query", "dialect"),
    [
        ("select $$; drop table x $$", "postgresql"),
        (r"select split_part(x, '\', 1)", "postgresql"),
        (r"select E'a\'; drop table x'", "postgresql"),
        ("select 1 /* /* */ ; drop */", "postgresql"),
        ("select [a;b] from visits", "mssql"),
        ("select `a;b` from visits", "mysql"),
        ("select 1 # ; drop table x", "mysql"),
    ],
)
def test_a_string_or_comment_of_this_kind_of_database_may_hold_anything(query: str, dialect: str) -> None:
    check_select(query, dialect)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    path = tmp_path / "a b%.db"
    with sqlite3.connect(path) as connection:
        connection.execute("create table visits (id integer, note text)")
        connection.executemany("insert into visits values (?, ?)", [(n, f"x{n}") for n in range(60)])
    connection.close()
    return path


def read(folder: Path, source: str, query: str) -> list[list[object]]:
    return read_source(Data(source=source, query=query), root=folder).to_numpy().tolist()


@pytest.mark.parametrize(
    "query",
    [
        "drop table visits",
        "delete from visits",
        "with x as (select 1) delete from visits",
        "insert into visits values (99, 'y') returning id",
        "create table other (id integer)",
        "pragma user_version = 7",
        "attach database 'other.db' as other",
        "vacuum",
    ],
)
@pytest.mark.parametrize("options", ["", "?mode=rwc&uri=true", "?timeout=3", "?isolation_level=IMMEDIATE"])
def test_an_sqlite_file_stays_even_if_the_check_missed_something(
    tmp_path: Path, database: Path, query: str, options: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = database.read_bytes()
    with pytest.raises(DataError, match="must be a SELECT"):
        read(tmp_path, f"sqlite:///{database.name}{options}", query)
    monkeypatch.setattr(sql, "check_select", lambda query, dialect: None)
    monkeypatch.chdir(tmp_path)
    with pytest.raises(DataError) as error:
        read(tmp_path, f"sqlite:///{database.name}{options}", query)
    assert "\n" not in str(error.value)
    assert database.read_bytes() == before
    assert sorted(path.name for path in tmp_path.iterdir()) == [database.name]


def test_an_sqlite_file_is_read(tmp_path: Path, database: Path) -> None:
    database.chmod(0o400)
    assert read(tmp_path, f"sqlite:///{database.name}", "select * from visits order by id limit 1") == [
        [0, "x0"]
    ]


def test_the_options_of_an_sqlite_url_cannot_open_it_for_writing() -> None:
    url = read_only_url(sqlalchemy.make_url("sqlite:////a/x.db?mode=rwc&immutable=0&vfs=x&timeout=3"))
    assert dict(url.query) == {"mode": "ro", "uri": "true", "timeout": "3"}


def test_a_kind_without_read_only_transactions_is_rolled_back_and_warned_about(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'x.db'}")
    with engine.begin() as connection:
        connection.exec_driver_sql("create table visits (id integer)")
    monkeypatch.delitem(STATEMENTS, "sqlite")
    with read_only_connection(engine) as connection:
        connection.exec_driver_sql("insert into visits values (1)")
    warning = capsys.readouterr().err
    assert warning.startswith("warning: data.query: sqlite has no read-only transaction")
    assert warning.count("\n") == 1
    with engine.connect() as connection:
        assert connection.exec_driver_sql("select count(*) from visits").scalar() == 0


def test_mysql_is_told_to_refuse_changes() -> None:
    assert STATEMENTS["mysql"] == STATEMENTS["mariadb"]
    assert STATEMENTS["mysql"] == ("SET SESSION TRANSACTION READ ONLY", "START TRANSACTION READ ONLY")

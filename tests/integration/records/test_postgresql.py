"""Records from a real PostgreSQL server on loopback, started for this test and stopped after it."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest
import sqlalchemy

from paracosm.foundation.errors import DataError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.data import Data
from paracosm.records.sources.read_source import read_source
from paracosm.records.stage import assemble

PASSWORD = "not-a-secret"
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


def programs() -> Path | None:
    """Return the folder of the newest PostgreSQL server's programs, if one is installed."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders and (folders[-1] / "initdb").exists() else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """The URL of a PostgreSQL database with a table of 120 visits."""
    binaries = programs()
    if binaries is None:
        pytest.skip("no PostgreSQL server is installed (apt-get install postgresql)")
    owner = None
    if os.geteuid() == 0:
        # The server refuses to run as root.
        owner = "postgres" if "postgres" in {each.pw_name for each in pwd.getpwall()} else "nobody"
    folder = Path(tempfile.mkdtemp(prefix="postgresql-"))
    (folder / "password").write_text(PASSWORD)
    if owner:
        for path in (folder, folder / "password"):
            shutil.chown(path, owner)
    port, data = free_port(), folder / "data"

    def call(program: str, *arguments: str) -> None:
        subprocess.run(
            [binaries / program, *arguments],
            user=owner,
            cwd=folder,
            check=True,
            capture_output=True,
            timeout=60,
        )

    call("initdb", "-D", str(data), "-U", "clinic", "--auth=scram-sha-256", "--pwfile=password", "--no-sync")
    settings = f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={folder} -c fsync=off"
    call("pg_ctl", "-D", str(data), "-w", "-l", str(folder / "log"), "-o", settings, "start")
    url = f"postgresql+psycopg://clinic:{PASSWORD}@127.0.0.1:{port}/postgres"
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(TABLE))
        connection.execute(sqlalchemy.text(ROWS))
    engine.dispose()
    yield url
    call("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
    shutil.rmtree(folder)


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
        {"name": "visits", "data": {"source": server, "query": "select * from visits", "target": "smoker"}}
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

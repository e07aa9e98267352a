"""A real PostgreSQL server on loopback, which a test module starts and stops."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import sqlalchemy

PASSWORD = "not-a-secret"


def programs() -> Path | None:
    """Return the folder of the newest PostgreSQL server's programs, if one is installed."""
    found = shutil.which("initdb")
    folders = [Path(found).parent] if found else sorted(Path("/usr/lib/postgresql").glob("*/bin"))
    return folders[-1] if folders and (folders[-1] / "initdb").exists() else None


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def postgresql(*statements: str) -> Iterator[str]:
    """Yield the URL of a database after some statements; skip the test where no server is installed."""
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
        for statement in statements:
            connection.execute(sqlalchemy.text(statement))
    engine.dispose()
    try:
        yield url
    finally:
        call("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(folder)

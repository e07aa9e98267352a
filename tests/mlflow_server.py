"""A real MLflow server on the loopback interface with a SQLite store, from the environment that `make test` builds."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

INSTALLED = Path(__file__).parents[1] / ".venv-mlflow" / "bin" / "mlflow"


def free_port() -> int:
    """Return a port that no process listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextmanager
def running_mlflow(folder: Path) -> Iterator[str]:
    """Run an MLflow server that stores its data in `folder`; yield host and port."""
    command = str(INSTALLED) if INSTALLED.is_file() else shutil.which("mlflow")
    if command is None:
        pytest.skip("MLflow is not installed; `make .venv-mlflow/.ready` installs it")
    address = f"127.0.0.1:{free_port()}"
    arguments = [
        command, "server", "--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--workers", "1",
        "--backend-store-uri", f"sqlite:///{folder}/mlflow.db", "--artifacts-destination", f"{folder}/artifacts",
    ]  # fmt: skip
    environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}
    with (folder / "log").open("w") as log:
        server = subprocess.Popen(
            arguments, cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True
        )
    try:
        deadline = time.monotonic() + 180
        while not _answers(address):
            assert server.poll() is None, (folder / "log").read_text()[-2000:]
            assert time.monotonic() < deadline, "MLflow does not start"
            time.sleep(0.2)
        yield address
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        try:
            server.wait(30)
        except subprocess.TimeoutExpired:  # a busy machine
            os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def _answers(address: str) -> bool:
    try:
        with urlopen(f"http://{address}/health", timeout=2) as answer:
            return answer.status == 200
    except (URLError, OSError):
        return False

"""A real server on the loopback interface, with the embedded model: `transformers serve`, where its extra is installed."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import httpx2
import pytest

from paracosm.finetune.models.base_model import load_base, load_tokenizer
from paracosm.generate.answers.answer_store import AnswerStore
from paracosm.generate.answers.cached_writer import CachedWriter
from paracosm.generate.answers.task import Task
from paracosm.generate.constraints.request import Tally
from paracosm.generate.prompting.wording import SYSTEM, Wording
from paracosm.generate.remote.client import ChatClient
from paracosm.generate.remote.remote_model import RemoteModel
from paracosm.recipes.sections.generate import Generate
from paracosm.recipes.sections.model import Model, Server
from paracosm.records.schema.schema import Field, Schema

NEEDED = ("openai", "fastapi", "uvicorn")
PATIENCE = 300.0
SCHEMA = Schema(
    (
        Field(name="sex", type="category", categories=("female", "male")),
        Field(name="age", type="integer", minimum=0, maximum=99),
    )
)

pytestmark = pytest.mark.skipif(
    any(find_spec(name) is None for name in NEEDED), reason="needs pip install 'transformers[serving]'"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served") / "model"
    load_base(Model()).save_pretrained(folder)
    load_tokenizer(Model()).save_pretrained(folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = "from transformers.cli.transformers import main; main()"
    arguments = [
        sys.executable,
        "-c",
        code,
        "serve",
        str(folder),
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
        "--device",
        "cpu",
    ]
    with (folder.parent / "log").open("wb") as log:
        process = subprocess.Popen(
            arguments, env={**os.environ, "HF_HUB_OFFLINE": "1"}, stdout=log, stderr=log
        )
        try:
            _wait(f"http://127.0.0.1:{port}/health", process)
            yield Server(
                url=f"http://127.0.0.1:{port}/v1",
                model=str(folder),
                concurrency=1,
                tries=2,
                max_tokens=40,
                timeout=PATIENCE,
            )
        finally:
            process.kill()
            process.wait()


def _wait(url: str, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + PATIENCE
    while time.monotonic() < end and process.poll() is None:
        try:
            if httpx2.get(url).status_code == 200:
                return
        except httpx2.HTTPError:
            time.sleep(0.5)
    pytest.skip("transformers serve does not start here")


def test_every_record_of_a_real_server_is_valid_or_counted(server: Server, tmp_path: Path) -> None:
    store = AnswerStore(tmp_path, "stage")
    model = RemoteModel(ChatClient(server, store, "prompt.server"), SCHEMA, Generate(), "prompt")
    # It accepts `response_format` and ignores it, with a warning in its log.
    assert model.support in ("ignored", "enforced")
    wording = Wording(SCHEMA, "Visitors of a museum.")
    tasks = [
        Task(number, 0, SYSTEM, wording.record_prompt(number, "json", {}), tuple(SCHEMA.names))
        for number in range(2)
    ]
    answers = CachedWriter(model, store, SCHEMA, "prompt").write(tasks, seed=0, tally=Tally(), above=["", ""])
    usage = store.usage()["prompt"]
    valid = [answer.values for answer in answers if answer.values is not None]
    assert all(SCHEMA.allows(values) for values in valid)
    assert len(valid) + usage.given_up == usage.records == 2
    assert 2 <= usage.calls <= 4
    assert usage.input_tokens > 0 < usage.output_tokens

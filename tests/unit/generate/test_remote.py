"""Servers in four moods: every record valid or counted, nothing asked twice, errors in one line, no key in any file."""

import json
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import pytest
from chat_server import KEY, ChatServer, Mood, chat_server

from paracosm.foundation.errors import ModelError, RecipeError
from paracosm.generate.answers.answer_store import FAILURES, AnswerStore
from paracosm.generate.answers.cached_writer import CachedWriter
from paracosm.generate.answers.task import Answer, Task
from paracosm.generate.constraints.request import Tally
from paracosm.generate.prompting.wording import SYSTEM, Wording
from paracosm.generate.remote.answers import Invalid, read_answer
from paracosm.generate.remote.client import ChatClient
from paracosm.generate.remote.json_schema import answer_schema
from paracosm.generate.remote.remote_model import ONLY_JSON, RemoteModel
from paracosm.recipes.sections.generate import Generate
from paracosm.recipes.sections.model import Server
from paracosm.records.schema.schema import Field, Schema

SCHEMA = Schema(
    (
        Field(name="age", type="integer", minimum=29, maximum=77),
        Field(name="chol", type="number", decimals=1, minimum=0.0, maximum=9.0, nullable=True),
        Field(name="sex", type="category", categories=("Female", "Male")),
        Field(name="ill", type="boolean", true="yes", false="no"),
        Field(name="note", type="text", min_length=1, max_length=80),
    )
)


def client_of(server: ChatServer, folder: Path, **settings: object) -> ChatClient:
    section = Server.model_validate({"url": server.url, "model": "stand-in", "timeout": 20, **settings})
    pauses: list[float] = []
    client = ChatClient(section, AnswerStore(folder, "stage"), "prompt.server", wait=pauses.append)
    client.pauses = pauses  # type: ignore[attr-defined]
    return client


def written(client: ChatClient, count: int = 12, tally: Tally | None = None) -> list[Answer]:
    model = RemoteModel(client, SCHEMA, Generate(), "prompt")
    wording = Wording(SCHEMA)
    tasks = [
        Task(number, 0, SYSTEM, wording.record_prompt(number, "json", {}), tuple(SCHEMA.names))
        for number in range(count)
    ]
    cached = CachedWriter(model, client.store, SCHEMA, "prompt")
    return cached.write(tasks, seed=3, tally=tally or Tally(), above=[""] * count)


def failures(folder: Path) -> Sequence[dict[str, str]]:
    path = folder / FAILURES
    return [json.loads(line) for line in path.read_text().splitlines()] if path.is_file() else []


@pytest.mark.parametrize(
    ("mood", "support"), [("enforces", "enforced"), ("ignores", "ignored"), ("refuses", "refused")]
)
def test_the_probe_tells_what_a_server_does_with_a_schema(mood: Mood, support: str, tmp_path: Path) -> None:
    with chat_server(mood) as server:
        client = client_of(server, tmp_path)
        assert RemoteModel(client, SCHEMA, Generate(), "prompt").support == support
        answers = written(client)
        assert all(answer.values is not None and SCHEMA.allows(answer.values) for answer in answers)
        # A schema goes to the server only where it is enforced; elsewhere it stands in the prompt.
        records = [body for body in server.asked if len(body["messages"]) > 1]
        assert all(("response_format" in body) == (mood == "enforces") for body in records)
        assert all((ONLY_JSON in body["messages"][1]["content"]) == (mood != "enforces") for body in records)


def test_answers_of_a_server_that_ignores_schemas_are_checked_and_counted(tmp_path: Path) -> None:
    with chat_server("ignores", faults=0.5) as server:
        tally = Tally()
        answers = written(client_of(server, tmp_path), 30, tally)
        asked = len([body for body in server.asked if len(body["messages"]) > 1])
    usage = AnswerStore(tmp_path, "stage").usage()["prompt"]
    valid = [answer.values for answer in answers if answer.values is not None]
    assert all(SCHEMA.allows(values) for values in valid)
    assert usage.records == 30
    assert usage.given_up == 30 - len(valid)
    assert usage.first_try < len(valid)
    assert usage.calls == asked == tally.attempts
    assert usage.reasons.total() == len(failures(tmp_path)) == usage.calls - len(valid)
    assert usage.input_tokens > 0 < usage.output_tokens


def test_a_server_that_stalls_is_given_up_in_one_line(tmp_path: Path) -> None:
    with chat_server("stalls") as server:
        client = client_of(server, tmp_path, timeout=0.2, retries=2)
        with pytest.raises(ModelError, match=r"did not answer within 0.2 s; it was asked 3 times"):
            written(client)
        assert client.pauses[:2] == [0.5, 1.0]  # type: ignore[attr-defined]


def test_what_was_answered_is_not_asked_again(tmp_path: Path) -> None:
    with chat_server("ignores", faults=0.4) as server:
        first = written(client_of(server, tmp_path))
        asked = len(server.asked)
        again = written(client_of(server, tmp_path))
        assert [answer.values for answer in again] == [answer.values for answer in first]
        assert len(server.asked) == asked
        # A larger run asks for what is new alone.
        written(client_of(server, tmp_path), 13)
        assert len(server.asked) > asked


def test_a_rate_limit_pauses_for_as_long_as_the_server_asks(tmp_path: Path) -> None:
    with chat_server() as server:
        server.limits = ["0.3", "0.2"]
        client = client_of(server, tmp_path, concurrency=1)
        answers = written(client, 3)
        assert all(answer.values for answer in answers)
        assert 0 < max(client.pauses) <= 0.3  # type: ignore[attr-defined]


def test_an_unreachable_server_is_named(tmp_path: Path) -> None:
    with chat_server() as server:
        client = client_of(server, tmp_path, retries=0)
    with pytest.raises(ModelError, match=r"prompt.server: http://127.0.0.1:\d+/v1 cannot be reached"):
        written(client)


def test_a_wrong_model_is_told_which_there_are(tmp_path: Path) -> None:
    with (
        chat_server() as server,
        pytest.raises(ModelError, match=r"has no model 'other' \(it has: stand-in\)"),
    ):
        written(client_of(server, tmp_path, model="other"))


def test_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with chat_server("ignores", key=KEY, faults=0.5) as server:
        with pytest.raises(ModelError, match=r"asks for a key \(401\); name the environment variable"):
            written(client_of(server, tmp_path / "a"))
        with pytest.raises(
            RecipeError, match=r"prompt.server.key: the environment variable CHAT_KEY is not set"
        ):
            client_of(server, tmp_path / "b", key="CHAT_KEY")
        monkeypatch.setenv("CHAT_KEY", "sk-wrong")
        with pytest.raises(ModelError, match=r"refuses the key in CHAT_KEY \(401\)") as error:
            written(client_of(server, tmp_path / "c", key="CHAT_KEY"))
        assert "sk-wrong" not in str(error.value)
        monkeypatch.setenv("CHAT_KEY", KEY)
        assert any(answer.values for answer in written(client_of(server, tmp_path / "d", key="CHAT_KEY")))
    for path in tmp_path.rglob("*"):
        assert path.is_dir() or (
            KEY.encode() not in path.read_bytes() and b"sk-wrong" not in path.read_bytes()
        )


def test_the_hubs_token_is_not_sent_to_other_servers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_someToken")
    with chat_server() as server:
        client = client_of(server, tmp_path)
        assert "authorization" not in client._http.headers
        written(client, 1)


@pytest.mark.parametrize(
    "url",
    ["localhost:8000/v1", "ftp://localhost/v1", "http://user:secret@localhost/v1", "http://h/v1?key=secret"],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|environment variable"):
        Server(url=url, model="m")


def test_values_that_differ_in_writing_alone_are_read() -> None:
    text = 'Sure!\n{"age": "54", "chol": null, "sex": " female", "ill": "Yes", "note": " fine\\n"}'
    assert read_answer(text, SCHEMA, SCHEMA.names) == {
        "age": 54,
        "chol": None,
        "sex": "Female",
        "ill": True,
        "note": "fine",
    }
    day = Field(
        name="day",
        type="datetime",
        format="%d.%m.%Y",
        minimum=datetime(2020, 1, 1),
        maximum=datetime(2021, 1, 1),
    )
    for form in ("05.03.2020", "2020-03-05"):
        assert read_answer(json.dumps({"day": form}), Schema((day,)), ["day"]) == {
            "day": datetime(2020, 3, 5)
        }


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("no", "not a JSON object"),
        ("[1]", "not a JSON object"),
        ('{"age": 54', "not a JSON object"),
        ("{}", "the key 'age' is missing"),
        ('{"age": 5}', "age: outside its domain"),
        ('{"age": true}', "age: not an integer"),
        ('{"age": 54.5}', "age: not an integer"),
        ('{"age": null}', "age: not an integer"),
        ('{"age": NaN}', "age: not an integer"),
        ('{"age": {}}', "age: not an integer"),
    ],
)
def test_why_an_answer_is_not_valid(text: str, reason: str) -> None:
    with pytest.raises(Invalid) as found:
        read_answer(text, SCHEMA, ["age"])
    assert found.value.reason == reason


def test_the_schema_that_servers_get_has_no_bounds_and_no_patterns() -> None:
    schema = answer_schema(SCHEMA, SCHEMA.names, {})
    keys = {key for each in schema["properties"].values() for key in each}
    assert keys == {"type", "enum"}
    assert schema["properties"]["chol"] == {"type": ["number", "null"]}
    assert schema["required"] == SCHEMA.names
    assert schema["additionalProperties"] is False

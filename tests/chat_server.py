"""A server on the loopback interface with the chat API of OpenAI, in the moods that real ones have.

It reads the columns from the prompt as a model would, and draws values by the seed of the request. `enforces` keeps to the JSON
schema of the request, `ignores` answers as if there were none, with words around the object and now and then a wrong value,
`refuses` answers 400 to any schema, and `stalls` lets requests wait until the client gives up.
"""

import json
import random
import re
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal

Mood = Literal["enforces", "ignores", "refuses", "stalls"]
KEY = "sk-this-key-must-never-be-written-7f3a"
COLUMN = re.compile(r"^- (?P<name>[^:\n]+): (?P<domain>.+)$", re.MULTILINE)
FORM = re.compile(r'"([^"\n]+)": <')
QUESTION = re.compile(r'Keep "(?P<name>[^"]+)" as it is')
RANGE = re.compile(r"from (\S+) to (\S+)")


class ChatServer(ThreadingHTTPServer):
    """The server, its settings and a log of the requests that it answered.

    Attributes:
        mood: see the module.
        faults: share of the answers that are wrong, in the moods without a schema.
        asked: bodies of the requests for chats.
        key: what requests must carry; empty for none.
        limits: answers 429 that come before the next answers, with their `Retry-After`.
        models: names of the models.
        pause: seconds before each answer.
    """

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, mood: Mood, faults: float = 0.0, key: str = "") -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.mood = mood
        self.faults = faults
        self.key = key
        self.asked: list[dict[str, Any]] = []
        self.limits: list[str] = []
        self.models = ["stand-in"]
        self.pause = 0.0
        self.lock = threading.Lock()
        self.released = threading.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def answer(self, body: dict[str, Any]) -> str:
        """Return the content of an answer."""
        chance = random.Random(json.dumps([body["seed"], body["messages"]]))
        form = body.get("response_format")
        schema = form["json_schema"]["schema"] if form is not None and self.mood == "enforces" else None
        prompt = body["messages"][1 if len(body["messages"]) > 1 else 0]["content"]
        if '"colour": "red"' in prompt:
            return json.dumps({"colour": schema["properties"]["colour"]["enum"][0] if schema else "red"})
        values = {match["name"]: _value(match["domain"], chance) for match in COLUMN.finditer(prompt)}
        if (question := QUESTION.search(prompt)) is not None:
            # Now and then a small model forgets what it is to keep.
            name = question["name"] if chance.random() >= self.faults else "that"
            values["question"] = (
                f"Please tell me, what is written for {name} {chance.choice(['here', 'there'])}?"
            )
        if schema is None:
            names = FORM.findall(prompt)
            values = {name: values[name] for name in names}
            if chance.random() < self.faults:
                return chance.choice(
                    [
                        "I am sorry, I cannot do that.",
                        json.dumps(values)[:-9],
                        json.dumps(dict.fromkeys(values, "?")),
                    ]
                )
            return f"Here is a record:\n```json\n{json.dumps(values)}\n```"
        for name, form in schema["properties"].items():
            values[name] = chance.choice(form["enum"]) if "enum" in form else values[name]
        return json.dumps({name: values[name] for name in schema["required"]})


def _value(domain: str, chance: random.Random) -> Any:
    if (bounds := RANGE.search(domain)) is not None:
        low, high = (bound.rstrip(",") for bound in bounds.groups())
        if domain.startswith("whole"):
            return chance.randint(int(low), int(high))
        if domain.startswith("number"):
            return round(chance.uniform(float(low), float(high)), 1)
        return low
    if domain.startswith("one of "):
        return chance.choice(re.sub(r", or [^,(]*| \(.*", "", domain[7:]).split(", "))
    if domain.startswith("text"):
        return " ".join(
            chance.choice(["calm", "tired", "better", "worse", "again"]) for _ in range(chance.randint(2, 3))
        )
    return chance.choice(re.sub(r", or .*| \(.*", "", domain).split(" or "))


class _Handler(BaseHTTPRequestHandler):
    server: ChatServer  # type: ignore[reportIncompatibleVariableOverride]
    protocol_version = "HTTP/1.1"

    def log_message(self, *args: object) -> None:  # type: ignore[override]
        pass

    def do_GET(self) -> None:
        self._send(200, {"data": [{"id": name} for name in self.server.models]})

    def do_POST(self) -> None:
        server = self.server
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        token = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if server.key and token != server.key:
            self._send(401, {"error": {"message": f"Incorrect API key provided: {token}"}})
            return
        if not self.path.endswith("/v1/chat/completions"):
            self._send(404, {"error": {"message": "not here"}})
            return
        if body["model"] not in server.models:
            self._send(404, {"error": {"message": "no such model"}})
            return
        with server.lock:
            limit = server.limits.pop(0) if server.limits else None
        if limit is not None:
            self._send(429, {"error": {"message": "slow down"}}, {"Retry-After": limit})
            return
        if server.mood == "refuses" and "response_format" in body:
            self._send(400, {"error": {"message": "response_format is not supported"}})
            return
        if server.mood == "stalls":
            server.released.wait(30)
        time.sleep(server.pause)
        content = server.answer(body)
        with server.lock:
            server.asked.append(body)
        usage = {
            "prompt_tokens": len(json.dumps(body["messages"])) // 4,
            "completion_tokens": len(content) // 4,
        }
        message = {"role": "assistant", "content": content}
        self._send(
            200, {"choices": [{"index": 0, "message": message, "finish_reason": "stop"}], "usage": usage}
        )

    def _send(self, status: int, plain: dict[str, Any], headers: dict[str, str] | None = None) -> None:
        data = json.dumps(plain).encode()
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(len(data)),
            **(headers or {}),
        }.items():
            self.send_header(name, value)
        try:
            self.end_headers()
            self.wfile.write(data)
        except (BrokenPipeError, ConnectionResetError):
            pass


@contextmanager
def chat_server(mood: Mood = "enforces", **settings: Any) -> Iterator[ChatServer]:
    """Serve until the block ends."""
    server = ChatServer(mood, **settings)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.shutdown()
        server.server_close()

"""Client of servers with the chat API of OpenAI: pauses, repetitions, replies that are asked for once, and errors in one line.

httpx2 rather than `huggingface_hub.InferenceClient`: that one rewrites `response_format` into a form that only its own servers
read, and sends the Hub's token to any server where no key is given (huggingface_hub 2.4).
"""

import json
import os
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Any

from paracosm.foundation.digests import value_digest
from paracosm.foundation.errors import ModelError, RecipeError
from paracosm.foundation.process.deadline import within
from paracosm.generate.answers.answer_store import AnswerStore
from paracosm.recipes.sections.model import Server

AGAIN = (408, 409, 425, 429, 500, 502, 503, 504, 529)
"""Statuses after which a request is repeated."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
LONGEST_WISH = 600.0
"""Longest pause that a server may ask for, in seconds."""
LONGEST_MESSAGE = 200
MOST_MODELS = 5
"""Names of models that an error lists."""

Message = Mapping[str, str]


@dataclass(frozen=True)
class Reply:
    """What a server replied.

    Attributes:
        text: of the answer.
        input_tokens: tokens of the prompt, as the server counts them.
        output_tokens: tokens of the answer.
        seconds: that the answer took.
        unanswered: requests before it that the server did not answer.
    """

    text: str
    input_tokens: int
    output_tokens: int
    seconds: float
    unanswered: int = 0


class Refused(Exception):  # noqa: N818  # an answer of the server
    """The server does not accept this request.

    Attributes:
        status: of HTTP.
        message: what the server says, one line without the key.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class ChatClient:
    """Asks one server; every reply is kept in a store and not asked for again.

    Attributes:
        server: the section of the recipe.
        store: keeps the replies.
        where: the section's place in the recipe, for errors.
        wait: called with seconds to pause.
    """

    def __init__(
        self, server: Server, store: AnswerStore, where: str, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self.server = server
        self.store = store
        self.where = where
        self.wait = wait
        self.key = key_of(server, where)
        self._lock = threading.Lock()
        self._not_before = 0.0

    @cached_property
    def _http(self) -> Any:
        import httpx2

        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        limits = httpx2.Limits(max_connections=self.server.concurrency)
        return httpx2.Client(headers=headers, timeout=self.server.timeout, limits=limits)

    def ask(self, messages: Sequence[Message], *, seed: int, **parameters: Any) -> Reply:
        """Return the reply to a conversation, from the store if it was asked before.

        Args:
            messages: the conversation so far.
            seed: of the answer, for servers that draw by one.
            **parameters: of the request; absent ones are None.

        Raises:
            Refused: the server does not accept the request.
            ModelError: the server cannot be used.
        """
        body = {"model": self.server.model, "messages": list(messages), "seed": seed}
        body |= {name: value for name, value in parameters.items() if value is not None}
        body.setdefault("max_tokens", self.server.max_tokens)
        key = value_digest([self.server.url, body])
        if (plain := self.store.reply(key)) is not None:
            if "refused" in plain:
                raise Refused(plain["refused"], plain["message"])
            return Reply(**plain)
        try:
            reply = self._asked(body)
        except Refused as refused:
            self.store.keep_reply(key, {"refused": refused.status, "message": refused.message})
            raise
        self.store.keep_reply(key, vars(reply))
        return reply

    def _asked(self, body: Mapping[str, Any]) -> Reply:
        outcome: dict[str, Any] | _Unanswered = _Unanswered("was not asked")
        for unanswered in range(self.server.retries + 1):
            self._pause_if_asked()
            began = time.monotonic()
            outcome = self._once(body)
            if isinstance(outcome, dict):
                return self._reply(outcome, time.monotonic() - began, unanswered)
            if unanswered < self.server.retries:
                self._rest(outcome, unanswered)
        assert isinstance(outcome, _Unanswered)
        raise ModelError(
            f"{self.where}: {self.server.url} {outcome.words}; it was asked {self.server.retries + 1} times"
        )

    def _once(self, body: Mapping[str, Any]) -> "dict[str, Any] | _Unanswered":
        """Send a request once.

        Raises:
            Refused: the server does not accept it.
            ModelError: it would not accept it at any time.
        """
        import httpx2

        try:
            url = f"{self.server.url}/chat/completions"
            # The client's own timeout bounds the pause between two bytes of an answer.
            response = within(self.server.timeout, lambda: self._http.post(url, json=body))
        except httpx2.ConnectError as error:
            return _Unanswered(f"cannot be reached ({_one_line(error)})")
        except (httpx2.TimeoutException, TimeoutError):
            return _Unanswered(f"did not answer within {self.server.timeout:g} s")
        except httpx2.HTTPError as error:
            return _Unanswered(f"broke off ({_one_line(error)})")
        if response.status_code in AGAIN:
            message = self._message(response)
            wish = _wish(response.headers.get("retry-after"))
            return _Unanswered(
                f"answers {response.status_code} ({message})", wish, response.status_code, message
            )
        if response.status_code in (401, 403):
            raise ModelError(self._key_error(response.status_code))
        if response.status_code == 404:
            raise ModelError(self._model_error())
        if response.status_code >= 400:
            raise Refused(response.status_code, self._message(response))
        try:
            return _checked(response.json())
        except (ValueError, TypeError, LookupError) as error:
            raise ModelError(
                f"{self.where}.url: {self.server.url} does not answer as the chat API of OpenAI does; is the path right (/v1)?"
            ) from error

    def _pause_if_asked(self) -> None:
        with self._lock:
            left = self._not_before - time.monotonic()
        if left > 0:
            self.wait(left)

    def _rest(self, outcome: "_Unanswered", unanswered: int) -> None:
        """Pause before the next request; a server that asks for a pause gets it from all requests."""
        if outcome.wish is None:
            self.wait(min(FIRST_PAUSE * 2**unanswered, LONGEST_PAUSE))
            return
        with self._lock:
            self._not_before = max(self._not_before, time.monotonic() + outcome.wish)

    def _reply(self, plain: Mapping[str, Any], seconds: float, unanswered: int) -> Reply:
        usage = plain.get("usage") or {}
        prompt, answer = (int(usage.get(name) or 0) for name in ("prompt_tokens", "completion_tokens"))
        text = plain["choices"][0]["message"].get("content") or ""
        return Reply(text, prompt, answer, round(seconds, 3), unanswered)

    def _message(self, response: Any) -> str:
        """Return what an error of the server says, without the key, which some servers repeat."""
        try:
            plain = response.json()
            error = plain.get("error", plain.get("detail", plain.get("message", plain)))
            text = error.get("message", json.dumps(error)) if isinstance(error, dict) else str(error)
        except (ValueError, AttributeError):
            text = response.text
        text = _one_line(text)
        return text.replace(self.key, "[key]") if self.key else text

    def _key_error(self, status: int) -> str:
        if self.server.key is None:
            return (
                f"{self.where}.key: {self.server.url} asks for a key ({status}); name the environment variable that holds it in"
                f" {self.where}.key"
            )
        return f"{self.where}.key: {self.server.url} refuses the key in {self.server.key} ({status})"

    def _model_error(self) -> str:
        names = self._models()
        if names is None:
            return f"{self.where}.url: {self.server.url}/chat/completions does not exist (404); is the path right (/v1)?"
        shown = ", ".join(names[:MOST_MODELS]) or "none"
        return f"{self.where}.model: {self.server.url} has no model {self.server.model!r} (it has: {shown})"

    def _models(self) -> list[str] | None:
        import httpx2

        try:
            answer = within(self.server.timeout, lambda: self._http.get(f"{self.server.url}/models"))
            return [str(each["id"]) for each in answer.json()["data"]]
        except (httpx2.HTTPError, TimeoutError, ValueError, LookupError, TypeError):
            return None


@dataclass(frozen=True)
class _Unanswered:
    """Why a request has no answer yet, and how long the server asks to wait."""

    words: str
    wish: float | None = None
    status: int | None = None
    message: str = ""


def key_of(server: Server, where: str) -> str:
    """Return the key of a server from the environment; empty for none.

    Raises:
        RecipeError: the variable is not set.
    """
    if server.key is None:
        return ""
    key = os.environ.get(server.key, "").strip()
    if not key:
        raise RecipeError(f"{where}.key: the environment variable {server.key} is not set")
    return key


def _checked(plain: Any) -> dict[str, Any]:
    """Return a body after checking that it holds an answer."""
    content = plain["choices"][0]["message"].get("content")
    if content is not None and not isinstance(content, str):
        raise TypeError(content)
    return plain


def _wish(text: str | None) -> float | None:
    """Return the seconds of a `Retry-After`, which holds seconds or a date; None without one."""
    if not text:
        return None
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
        except (ValueError, TypeError):
            return None
    return min(max(seconds, 0.0), LONGEST_WISH)


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:LONGEST_MESSAGE]

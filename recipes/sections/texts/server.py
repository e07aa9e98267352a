"""A server whose model writes: the section `server` of prompts, of the steps of chains, and of questions."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from paracosm.recipes.sections.section import Section

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Server(Section):
    """A server with the API of OpenAI for chats, such as vLLM, llama.cpp, ollama or a provider."""

    url: str
    """Base URL, up to `/v1`, such as http://localhost:8000/v1. Passwords in it are refused; a key comes from the environment."""
    model: Annotated[str, Field(min_length=1)]
    """Name of the model, as the server lists it."""
    key: str | None = None
    """Name of the environment variable that holds the key, such as OPENAI_API_KEY; null sends none. The key is never written."""
    concurrency: Annotated[int, Field(ge=1, le=256)] = 4
    """Requests at once. Higher is faster, until the server refuses some for its rate limit."""
    tries: Annotated[int, Field(ge=1)] = 4
    """Answers that are asked for until one is valid; then the record is begun again. Higher costs more and gives up less."""
    retries: Annotated[int, Field(ge=0)] = 6
    """Repetitions of a request that the server did not answer (rate limit, overload, lost connection), each after a longer pause."""
    timeout: Annotated[float, Field(gt=0)] = 120.0
    """Seconds until a request counts as unanswered."""
    max_tokens: Annotated[int, Field(ge=16)] = 2048
    """Most tokens of an answer."""
    price_input: Annotated[float, Field(ge=0)] | None = None
    """Price of a million tokens of prompts, for the cost on the card."""
    price_output: Annotated[float, Field(ge=0)] | None = None
    """Price of a million tokens of answers."""

    @field_validator("url")
    @classmethod
    def _is_a_plain_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError(f"{url!r} is not an http or https URL, such as http://localhost:8000/v1")
        if parts.username is not None or parts.password is not None or parts.query:
            raise ValueError(
                "holds a user, a password or a query; put the key into an environment variable and name it in `key`"
            )
        return url.rstrip("/")

    @property
    def is_here(self) -> bool:
        """Whether the server runs on this machine."""
        return urlsplit(self.url).hostname in LOOPBACK

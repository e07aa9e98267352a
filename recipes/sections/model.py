"""The `model` section: the base model and how it is loaded; and the section `server`, for models that another process serves."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import Field, field_validator

from paracosm.recipes.sections.section import Section

LOOPBACK = ("localhost", "127.0.0.1", "::1")


class Model(Section):
    """The base language model."""

    base: str = "smollm2-135m"
    """An alias of `paracosm models`, a local folder, or a Hugging Face model id: a causal model, or a masked one for the
    objective `masked` (alias `bert-tiny`). Larger models fit texts better and are slower."""
    revision: str | None = None
    """Commit, tag or branch of a Hugging Face model; null uses the main branch."""
    layers: Annotated[int, Field(ge=1)] | None = None
    """Keep only the first N transformer layers; null keeps all. Fewer layers are faster, and often fit small tables better. Only for
    models that are trained: prompts, chains and the rewording of questions use the whole model."""
    context: Annotated[int, Field(ge=64)] | None = None
    """Tokens that a causal model reads at once. If a record is longer, long texts are read and written passage by passage, each with the
    other columns and the end of the passage before in view. Lower uses less memory, higher keeps more of a text in view. null: what
    the model can read, at most 2,048."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of the frozen weights. bfloat16 halves their memory; auto uses it where the processor supports it natively."""
    quantize: Literal["nf4", "int8"] | None = None
    """Store the frozen weights in 4 (nf4) or 8 bits (int8) while an adapter trains (QLoRA): less memory, slower steps. Extra
    `quantization`."""


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

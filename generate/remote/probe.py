"""Probe of a server: whether it enforces a JSON schema, ignores it, or refuses it."""

from typing import Any, Literal

from paracosm.foundation.errors import ModelError
from paracosm.generate.remote.answers import Invalid, read_answer
from paracosm.generate.remote.client import ChatClient, Refused
from paracosm.records.schema.schema import Field, Schema

Support = Literal["enforced", "ignored", "refused"]
ALLOWED = ("violet-seven", "violet-eight")
"""Words that no model says by itself."""
SCHEMA = Schema((Field(name="colour", type="category", categories=ALLOWED),))
QUESTION = [{"role": "user", "content": 'Answer with exactly this JSON object: {"colour": "red"}'}]


def json_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """Return the parameter of a request that asks for answers of a schema."""
    return {"type": "json_schema", "json_schema": {"name": "record", "schema": schema, "strict": True}}


def probe(client: ChatClient) -> Support:
    """Ask for a word that the schema does not allow, and look at what comes back.

    Raises:
        ModelError: the server cannot be reached, refuses the key, or does not have the model.
    """
    schema = {
        "type": "object",
        "properties": {"colour": {"type": "string", "enum": list(ALLOWED)}},
        "required": ["colour"],
        "additionalProperties": False,
    }
    try:
        reply = client.ask(
            QUESTION, seed=0, temperature=0.0, max_tokens=64, response_format=json_schema(schema)
        )
    except Refused:
        # It may refuse every request, which says nothing about schemas.
        try:
            client.ask(QUESTION, seed=0, temperature=0.0, max_tokens=64)
        except Refused as refused:
            raise ModelError(
                f"{client.where}: {client.server.url} refuses requests ({refused.status}: {refused.message})"
            ) from refused
        return "refused"
    try:
        read_answer(reply.text, SCHEMA, ["colour"])
    except Invalid:
        return "ignored"
    return "enforced"

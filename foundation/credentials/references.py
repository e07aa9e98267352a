"""Replaces references such as `${DB_PASSWORD}` in a source or registry URL by values of the environment."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import quote

from paracosm.foundation.credentials.redaction import HIDDEN, REFERENCE, redact_url, replace_value


@dataclass(frozen=True)
class Resolved:
    """A text with values of the environment.

    Attributes:
        text: the text to use; it must not be shown or stored.
        written: the text with references, as it stands in the recipe or on the command line.
        values: each value that was put in -> its reference. Messages show the reference.
    """

    text: str = field(repr=False)
    written: str
    values: dict[str, str] = field(repr=False)

    def hide(self, message: str) -> str:
        """Return a message in which references stand in place of their values."""
        message = message.replace(self.text, redact_url(self.written))
        for value, reference in sorted(self.values.items(), key=lambda entry: len(entry[0]), reverse=True):
            message = replace_value(message, value, reference)
        return message

    @contextmanager
    def hiding(self, error: type[Exception]) -> Iterator[None]:
        """Raise an `error` of the body again, with references in place of their values."""
        try:
            yield
        except error as raised:
            hidden = self.hide(str(raised))
            if hidden == str(raised):
                raise
            raise type(raised)(hidden) from None


def resolve(text: str, key: str, error: type[Exception]) -> Resolved:
    """Return a text in which every `${NAME}` is replaced by the environment variable NAME.

    The variable holds the plain value: it is percent-encoded where it becomes user, password or parameter of a URL. It is
    put in unchanged if it is the whole text, or a part of host or path. Values are not searched for further references.

    Args:
        text: a path or URL.
        key: what the text is, at the start of a message, such as `data.source`.
        error: the exception to raise.

    Raises:
        error: a variable is missing or empty, a reference is not well-formed, or the text was stored without its password.
    """
    if f"{HIDDEN}@" in text or f"={HIDDEN}" in text:
        raise error(
            f"{key}: was stored without its password; name the recipe instead of the run, and write the password as ${{NAME}} there"
        )
    if wrong := re.search(r"\$\{[^}]*\}?", REFERENCE.sub("", text)):
        name = (
            wrong[0]
            if re.fullmatch(r"\$\{[\w .:-]{0,40}\}", wrong[0])
            else "a part of the text that starts with ${"
        )
        raise error(
            f"{key}: {name} is not a reference to the environment; ${{NAME}} is allowed, where NAME has letters, digits and _"
        )
    values: dict[str, str] = {}
    encoded = _encoded_ranges(text)

    def value(match: re.Match[str]) -> str:
        plain = os.environ.get(match[1], "")
        if not plain:
            raise error(
                f"{key}: needs the environment variable {match[1]}, which is {'empty' if match[1] in os.environ else 'not set'}"
            )
        inside = any(match.start() in positions for positions in encoded)
        written = quote(plain, safe="") if inside else plain
        values[plain] = values[written] = match[0]
        return written

    return Resolved(REFERENCE.sub(value, text), text, values)


def _encoded_ranges(text: str) -> list[range]:
    """Return the positions of user and password, and those of the parameters."""
    start = text.find("://")
    if start < 0:
        return []
    start += 3
    authority = re.split(r"[/?#]", text[start:], maxsplit=1)[0]
    query = text.find("?", start)
    end = len(text) if query < 0 else query
    return [range(start, start + max(authority.rfind("@"), 0)), range(end, len(text))]

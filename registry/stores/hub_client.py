"""The Hub's own client, set up for stores: it waits seconds and not for ever, logs no password, and its errors are one line."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from paracosm.foundation.credentials.redaction import redact, without_credentials
from paracosm.foundation.errors import RegistryError
from paracosm.foundation.process.usage_reports import forbid_usage_reports

if TYPE_CHECKING:
    from huggingface_hub import HfApi

TAG = "paracosm"
"""Tag on every card of Paracosm, by which the Hub lists its models; also the client's name in requests."""
PATIENCE = 8.0
"""Seconds without a byte after which the Hub counts as silent."""
COMMIT_PATIENCE = 600.0
"""The same while files are uploaded."""


@contextmanager
def errors_in_one_line(where: str) -> Iterator[None]:
    """Raise the errors of the Hub and of its client as a RegistryError of one line that begins with `where`."""
    from httpx2 import HTTPError
    from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

    try:
        yield
    except RepositoryNotFoundError as error:
        hint = "" if has_token() else "; if it is private, log in first: hf auth login, or set HF_TOKEN"
        raise RegistryError(f"{where}: there is no such repository{hint}") from error
    except HTTPError as error:
        raise RegistryError(f"{where}: {_explanation(error)}") from error
    except HFValidationError as error:
        raise RegistryError(f"{where}: is not the name of a repository ({_first_line(error)})") from error
    except (ValueError, LookupError, TypeError, AttributeError, RuntimeError) as error:
        if isinstance(error, RegistryError):
            raise
        raise RegistryError(
            f"{where}: the Hub refused the request, or its answer cannot be read ({_first_line(error)})"
        ) from error


def hub_api() -> "HfApi":
    from huggingface_hub import HfApi, constants
    from huggingface_hub.utils import disable_progress_bars, get_session

    forbid_usage_reports()
    disable_progress_bars()
    session = get_session()
    if session.timeout.read is None:
        # By default the client waits for ever.
        session.timeout = PATIENCE
    for handler in logging.getLogger("huggingface_hub").handlers:
        handler.addFilter(_without_password)
    return HfApi(endpoint=constants.ENDPOINT, library_name=TAG)


@contextmanager
def waiting(seconds: float) -> Iterator[None]:
    """Wait longer for an answer, which takes the Hub longer the larger the files are."""
    from huggingface_hub.utils import get_session

    session = get_session()
    before, session.timeout = session.timeout, seconds
    try:
        yield
    finally:
        session.timeout = before


def _without_password(record: logging.LogRecord) -> bool:
    """Hide passwords of URLs in a line that the client logs, such as that of HF_ENDPOINT; every line is kept."""
    record.msg, record.args = redact(record.getMessage()), ()
    return True


def has_token() -> bool:
    from huggingface_hub import get_token

    return get_token() is not None


def _explanation(error: Any) -> str:
    response = getattr(error, "response", None)
    if response is None:
        return f"the Hub at {without_credentials(hub_api().endpoint)} cannot be reached: {_first_line(error)}"
    text = getattr(error, "server_message", None)
    message = _first_line(text) if text else ""
    return f"the Hub answered {response.status_code}{f': {message}' if message else ''}"


def _first_line(error: object) -> str:
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    # Redacted before it is cut off, because a URL that lost its end is not recognised.
    text = redact(lines[0], hub_api().endpoint)
    return "".join(letter for letter in text if letter.isprintable())[:300]

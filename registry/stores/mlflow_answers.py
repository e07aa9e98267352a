"""What an MLflow server answers when something is wrong, in one short line: silence, refusals, pages instead of JSON."""

import json
import re
import time
from typing import Any

from paracosm.foundation.errors import RegistryError

PATIENCE = 8.0
"""Seconds in which a server must answer the first request."""
LARGEST_ANSWER = 4 * 2**20
"""Bytes of an answer that lists one model; MLflow's descriptions and tags are far shorter."""
LONGEST_TEXT = 200
PROBE = "/api/2.0/mlflow/registered-models/search"
"""A request without effect that every MLflow server answers, as JSON."""
LOGIN = "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD, or MLFLOW_TRACKING_TOKEN"
STATUS = re.compile(r"(?:error code|too many|status code:?) (\d{3})\b")
"""Where MLflow's own messages state the HTTP status."""


def check_answers(url: str, where: str) -> None:
    """Check that an MLflow server answers at `url`, before its client waits and tries again for minutes.

    Args:
        url: address of the server; the login is in the environment.
        where: how messages name it.

    Raises:
        RegistryError: nothing answers in time, the login is refused, or what answers is not an MLflow server.
    """
    import requests
    from mlflow.utils.credentials import get_default_host_creds
    from mlflow.utils.rest_utils import http_request

    deadline = time.monotonic() + PATIENCE
    try:
        answer = http_request(
            get_default_host_creds(url),
            PROBE,
            "GET",
            max_retries=0,
            raise_on_status=False,
            timeout=PATIENCE,
            params={"max_results": 1},
            stream=True,
        )
        assert answer is not None
        with answer:
            if answer.status_code != 200:
                raise RegistryError(f"{where}: {_status(answer.status_code)}")
            content = bytearray()
            for chunk in answer.iter_content(2**16):
                content += chunk
                if time.monotonic() > deadline or len(content) > LARGEST_ANSWER:
                    raise RegistryError(f"{where}: sends no end of its answer; is it an MLflow server?")
            if not _is_object(content):
                kind = answer.headers.get("Content-Type", "text").partition(";")[0]
                raise RegistryError(
                    f"{where}: answers with {kind[:40]!r} instead of a JSON object; is it an MLflow server?"
                )
    except requests.RequestException as error:
        raise RegistryError(f"{where}: {_unreachable(error)}") from error
    except Exception as error:
        # MLflow wraps what requests raises; the cause is what says something.
        cause = next((part for part in _chain(error) if isinstance(part, requests.RequestException)), None)
        if cause is None:
            raise
        raise RegistryError(f"{where}: {_unreachable(cause)}") from error


def explanation(error: Exception, text: str) -> str:
    """Return an error of the MLflow client as a short text, without the page that a server sent.

    Args:
        error: of the client.
        text: its text in one line, without passwords.
    """
    if text.startswith("API request to"):
        if (status := STATUS.search(text)) is not None:
            return _status(int(status[1]))
        import requests

        cause = next((part for part in _chain(error) if isinstance(part, requests.RequestException)), None)
        if cause is not None:
            return _unreachable(cause)
        text = text.partition("Response body:")[0]
    return "".join(filter(str.isprintable, text))[:LONGEST_TEXT].strip()


def _status(status: int) -> str:
    if status in (401, 403):
        return f"the server answered {status}, so the login is missing or wrong; {LOGIN}"
    if status == 404:
        return "the server answered 404; is it an MLflow server?"
    return f"the server answered {status}"


def _unreachable(error: Exception) -> str:
    import requests
    import urllib3

    if isinstance(error, requests.exceptions.SSLError):
        found = re.search(r"certificate verify failed: ([^(\"']+)", str(error))
        return f"TLS failed: {found[1].strip() if found else 'the server does not speak it'}"
    # urllib3 counts a refused connection among the timeouts.
    if any(
        isinstance(part, requests.Timeout | urllib3.exceptions.TimeoutError)
        and not isinstance(part, urllib3.exceptions.NewConnectionError)
        for part in _chain(error)
    ):
        return f"does not answer within {PATIENCE:g} seconds"
    reason = next((part for part in _chain(error) if isinstance(part, OSError) and part.strerror), None)
    if isinstance(error, requests.TooManyRedirects):
        return "redirects in a circle; is it an MLflow server?"
    return f"cannot be reached{f': {reason.strerror}' if reason is not None else ''}"


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and what it was raised from, also where a library keeps it as `reason` or among the arguments."""
    parts: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        part = waiting.pop(0)
        if isinstance(part, BaseException) and part not in parts:
            parts.append(part)
            waiting += [part.__cause__, part.__context__, getattr(part, "reason", None), *part.args]
    return parts


def _is_object(content: bytes | bytearray) -> bool:
    try:
        return isinstance(json.loads(content), dict)
    except (ValueError, RecursionError):
        return False

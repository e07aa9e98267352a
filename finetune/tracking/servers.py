"""Where a tracker sends to, and whether that can be reached: asked once, before a training that would take hours."""

import os
import socket
import threading
from netrc import NetrcParseError, netrc
from urllib.parse import urlsplit

from paracosm.foundation.credentials.redaction import redact
from paracosm.foundation.errors import RunError
from paracosm.foundation.extras import require_extra

SECONDS = 4.0
"""How long a server may take to accept a connection."""
WANDB_HOME = "https://api.wandb.ai"
EXTRAS = {"mlflow": "mlflow", "wandb": "wandb", "tensorboard": "tensorboard"}


def check_tracker(track: str) -> None:
    """Check that the tracker of a recipe is installed, may be used, and answers.

    Args:
        track: the recipe's `track`.

    Raises:
        MissingExtraError: its package is not installed.
        RunError: its server does not accept a connection within a few seconds, or it has no key.
    """
    if track == "none":
        return
    require_extra(track, EXTRAS[track], f"track: {track}")
    if track == "mlflow":
        url = os.environ.get("MLFLOW_TRACKING_URI", "")
        if url.startswith(("http://", "https://")):
            _check_connection(url, "mlflow", "MLFLOW_TRACKING_URI")
    elif track == "wandb" and os.environ.get("WANDB_MODE", "online") == "online":
        url = os.environ.get("WANDB_BASE_URL", WANDB_HOME)
        if not (os.environ.get("WANDB_API_KEY") or _in_netrc(urlsplit(url).hostname or "")):
            # Its client would ask for the key on standard input.
            raise RunError(
                "track: wandb needs a key: set WANDB_API_KEY in the environment, or WANDB_MODE=offline to keep everything here"
            )
        _check_connection(url, "wandb", "WANDB_BASE_URL")


def _in_netrc(host: str) -> bool:
    try:
        return netrc().authenticators(host) is not None
    except (OSError, NetrcParseError):
        return False


def _check_connection(url: str, track: str, variable: str) -> None:
    problem = _connection_problem(url)
    if problem is not None:
        raise RunError(f"track: no {track} server answers at {redact(url)} ({variable}): {problem}")


def _connection_problem(url: str) -> str | None:
    """Return why the host of a URL accepts no connection, or None if it accepts one."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError as error:
        return str(error)
    problems: list[str | None] = []

    def connect() -> None:
        try:
            socket.create_connection((host, port), timeout=SECONDS).close()
            problems.append(None)
        except OSError as error:
            problems.append(error.strerror or str(error))

    # A name server that does not answer blocks for longer than any timeout of the socket.
    thread = threading.Thread(target=connect, daemon=True)
    thread.start()
    thread.join(SECONDS + 0.5)
    return problems[0] if problems else f"no answer within {SECONDS:.0f} seconds"

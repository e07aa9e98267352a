"""Whether the Hugging Face Hub answers, found out once and in seconds; without it, this process works from the local cache.

The libraries try every file of a model several times, with growing pauses, before they give up.
"""

import os
from functools import cache

from paracosm.foundation.process.deadline import within

PATIENCE = 5.0
"""Seconds to wait for a connection and for an answer."""
TRIES = 2


@cache
def hub_answers() -> bool:
    """Return whether the Hub can be reached; if not, set the libraries of this process to work without it."""
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE or any(_answers() for _ in range(TRIES)):
        return not constants.HF_HUB_OFFLINE
    os.environ["HF_HUB_OFFLINE"] = "1"
    constants.HF_HUB_OFFLINE = True
    return False


def _answers() -> bool:
    import httpx2
    from huggingface_hub import constants
    from huggingface_hub.utils import get_session

    try:
        # Any answer will do, also that a page does not exist or that a login is needed.
        within(2 * PATIENCE, lambda: get_session().head(constants.ENDPOINT, timeout=PATIENCE))
    except (httpx2.HTTPError, OSError):
        return False
    return True

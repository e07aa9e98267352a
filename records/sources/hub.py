"""Reader of data sets of the package `datasets`: from the Hub, from a local folder, or written by `save_to_disk`."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pandas as pd

from paracosm.foundation.credentials.redaction import redact, without_credentials
from paracosm.foundation.errors import DataError
from paracosm.foundation.process.deadline import within
from paracosm.foundation.process.usage_reports import forbid_usage_reports
from paracosm.recipes.sections.data import Data
from paracosm.records.sources.in_memory import arrow_of
from paracosm.records.sources.parquet import from_arrow
from paracosm.records.sources.selection.row_limit import check_cells, check_columns, check_rows

PATIENCE = 8.0
"""Seconds without a byte after which the Hub counts as silent."""
LONGEST_ANSWER = 15.0
"""Seconds for the whole answer that describes a data set."""
LONGEST_REASON = 300


def read_hub(data: Data) -> pd.DataFrame:
    """Read one split of `hf://ORG/NAME`, or of a folder that `datasets.load_dataset` supports.

    Raises:
        DataError: the data set or the split does not exist, or the Hub cannot be reached.
    """
    forbid_usage_reports()
    import datasets
    from datasets.exceptions import DatasetsError
    from huggingface_hub.errors import HfHubHTTPError

    source, split = data.source, data.hub_split
    name = source.removeprefix("hf://")
    if not name.strip("/ "):
        raise DataError(f"{source}: does not name a data set; write hf://ORG/NAME")
    problem = _problem_of_the_hub(name) if source.startswith("hf://") else None
    try:
        with _offline() if problem else nullcontext():
            dataset = datasets.load_dataset(name, split=split)
    except (DatasetsError, HfHubHTTPError, OSError, ValueError, LookupError, AttributeError) as error:
        reason = problem or next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(
            f"{source}: split {split!r} cannot be loaded: {redact(reason, source)[:LONGEST_REASON]}"
        ) from error
    return _table(dataset, source, data)


def _problem_of_the_hub(name: str) -> str | None:
    """Return why the Hub does not tell of a data set, or None. `datasets` would try again for minutes, and print each try."""
    from httpx2 import HTTPError
    from huggingface_hub import constants
    from huggingface_hub.errors import HfHubHTTPError
    from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

    if constants.is_offline_mode():
        return None
    endpoint = without_credentials(constants.ENDPOINT)
    try:
        url = f"{endpoint}/api/datasets/{quote(name)}"
        answer = within(
            LONGEST_ANSWER, lambda: get_session().get(url, headers=build_hf_headers(), timeout=PATIENCE)
        )
        hf_raise_for_status(answer)
        content = answer.json()
    except HfHubHTTPError as error:
        status = error.response.status_code
        hint = (
            "; if it is private, log in first: hf auth login, or set HF_TOKEN"
            if status in (401, 403, 404)
            else ""
        )
        return f"the Hub answered {status}{hint}"
    except TimeoutError:
        return f"the Hub at {endpoint} does not finish its answer within {LONGEST_ANSWER:g} seconds"
    except HTTPError as error:
        return f"the Hub at {endpoint} cannot be reached: {redact(str(error))}"
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        content = None
    return None if isinstance(content, dict) else f"{endpoint} does not answer as a Hub does"


@contextmanager
def _offline() -> Iterator[None]:
    """Let `datasets` look into its cache alone."""
    from datasets import config
    from huggingface_hub import constants

    places = ((config, "HF_HUB_OFFLINE"), (constants, "HF_HUB_OFFLINE"))
    before = [getattr(*place) for place in places]
    for module, name in places:
        setattr(module, name, True)
    try:
        yield
    finally:
        for (module, name), value in zip(places, before, strict=True):
            setattr(module, name, value)


def read_saved(folder: Path, data: Data) -> pd.DataFrame:
    """Read a folder that `Dataset.save_to_disk` wrote.

    Raises:
        DataError: the folder is damaged, or holds several splits.
    """
    import datasets

    try:
        dataset = datasets.load_from_disk(str(folder))
    except (OSError, ValueError, KeyError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(f"{folder}: cannot be loaded as a saved data set: {reason}") from error
    return _table(dataset, str(folder), data)


def _table(dataset: Any, name: str, data: Data) -> pd.DataFrame:
    if hasattr(dataset, "column_names") and not isinstance(dataset, dict):
        check_columns(len(dataset.column_names), name, data)
        check_rows(len(dataset), name, data)
        check_cells(min(len(dataset), data.limit or len(dataset)), len(dataset.column_names), name, data)
    return from_arrow(arrow_of(dataset), name, drop=data.drop, nested=data.nested)

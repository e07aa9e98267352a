"""Reader of data sets of the package `datasets`: from the Hub, from a local folder, or written by `save_to_disk`."""

from pathlib import Path
from typing import Any

import pandas as pd

from paracosm.foundation.credentials.redaction import redact
from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.sources.in_memory import arrow_of
from paracosm.records.sources.parquet import from_arrow
from paracosm.records.sources.selection.row_limit import check_cells, check_columns, check_rows


def read_hub(data: Data) -> pd.DataFrame:
    """Read one split of `hf://ORG/NAME`, or of a folder that `datasets.load_dataset` supports.

    Raises:
        DataError: the data set or the split does not exist, or the Hub cannot be reached.
    """
    import datasets
    from datasets.exceptions import DatasetsError
    from huggingface_hub.errors import HfHubHTTPError

    source, split = data.source, data.hub_split
    name = source.removeprefix("hf://")
    if not name.strip("/ "):
        raise DataError(f"{source}: does not name a data set; write hf://ORG/NAME")
    try:
        dataset = datasets.load_dataset(name, split=split)
    except (DatasetsError, HfHubHTTPError, OSError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), type(error).__name__)
        raise DataError(f"{source}: split {split!r} cannot be loaded: {redact(reason, source)}") from error
    return _table(dataset, source, data)


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

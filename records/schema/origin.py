"""What a raw table is accompanied by: warnings of its reader, and the types that its columns have in the source."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import pandas as pd

KEY = "paracosm"
"""Key of the origin in `DataFrame.attrs`, which pandas hands on to selections of rows and columns."""


@dataclass(frozen=True)
class Origin:
    """Warnings of a reader, and types of the source.

    Attributes:
        warnings: suspicions about the source, one line each.
        arrow: column -> its Arrow type in the source, as `records.schema.arrow_types` writes it.
        labels: column of class labels -> the names of all labels, in the order of their codes.
    """

    warnings: tuple[str, ...] = ()
    arrow: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


def origin_of(raw: pd.DataFrame) -> Origin:
    """Return the origin of a raw table; an empty one if its reader did not give any."""
    origin = raw.attrs.get(KEY)
    return origin if isinstance(origin, Origin) else Origin()


def with_origin(raw: pd.DataFrame, origin: Origin) -> pd.DataFrame:
    """Return `raw` with its origin."""
    raw.attrs = {KEY: origin}
    return raw


def with_warnings(raw: pd.DataFrame, *warnings: str) -> pd.DataFrame:
    """Return `raw` with further warnings of its reader."""
    origin = origin_of(raw)
    return with_origin(raw, replace(origin, warnings=(*origin.warnings, *warnings)))

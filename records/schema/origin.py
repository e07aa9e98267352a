"""What a raw table is accompanied by: warnings of its reader, and the types that its columns have in the source."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pandas as pd

KEY = "paracosm"
"""Key of the origin in `DataFrame.attrs`, which pandas hands on to selections of rows and columns."""


@dataclass(frozen=True)
class Origin:
    """Warnings of a reader, and types of the source.

    Attributes:
        warnings: suspicions about the source, one line each.
        arrow: column -> its Arrow type in the source, as `records.schema.arrow_types.parse_type` reads it.
        dtypes: column -> its pandas type in the source, where Arrow alone does not say it.
        has_arrays: whether arrays were read as JSON text.
        subject: column that the reader made to tell which rows belong together, such as a document or a conversation; or empty.
        sequence: column that the reader made to order them, or empty.
        documents: whether the rows are text documents.
        keys: columns that the reader made to name rows, such as the names of documents.
        divided: whether lists inside records became rows or columns.
        labels: column of class labels or ordered categories -> their names, in the order of their codes.
    """

    warnings: tuple[str, ...] = ()
    arrow: Mapping[str, str] = field(default_factory=dict)
    dtypes: Mapping[str, str] = field(default_factory=dict)
    labels: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    has_arrays: bool = False
    subject: str = ""
    sequence: str = ""
    documents: bool = False
    keys: tuple[str, ...] = ()
    divided: bool = False

    @property
    def class_labels(self) -> tuple[str, ...]:
        """Columns of class labels."""
        return tuple(name for name in self.labels if not self.arrow.get(name, "").startswith("dictionary"))


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


def with_arrays(raw: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return `raw` with a warning for each column whose arrays were read as JSON text."""
    if not columns:
        return raw
    lines = [
        f"column {name!r}: holds arrays; read as JSON text, and written so (data.nested); or add it to data.drop"
        for name in columns
    ]
    raw = with_warnings(raw, *lines)
    return with_origin(raw, replace(origin_of(raw), has_arrays=True))

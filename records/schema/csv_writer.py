"""CSV writer whose files every reader divides into the same cells."""

from pathlib import Path
from typing import IO

import pandas as pd

from paracosm.foundation.files import replacing


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table as CSV, atomically, with line feeds; cells with a carriage return or line feed are quoted."""
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        table.to_csv(_LineFeeds(file), index=False, lineterminator="\r\n")  # type: ignore[call-overload]  # pandas calls `write` only


class _LineFeeds:
    """Writer that replaces the CRLF at the end of a line by a line feed.

    The csv module quotes a carriage return only if lines end in CRLF, but readers take a bare one for the end of a line.
    """

    def __init__(self, file: IO[str]) -> None:
        self.file = file

    def write(self, line: str) -> int:
        return self.file.write(line.removesuffix("\r\n") + "\n")

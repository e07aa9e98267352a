"""CSV files that every reader divides into the same cells."""

from pathlib import Path
from typing import IO

import pandas as pd

from paracosm.foundation.files import replacing


def write_csv(table: pd.DataFrame, path: Path) -> None:
    """Write a table atomically, its lines ended by a line feed; a cell with any line end in it stands in quotes."""
    with replacing(path) as partial, partial.open("w", encoding="utf-8", newline="") as file:
        table.to_csv(_LineFeeds(file), index=False, lineterminator="\r\n")  # type: ignore[call-overload]  # it has all that is called


class _LineFeeds:
    """Takes lines that end in CRLF and writes them with a line feed.

    The csv module quotes a carriage return only where lines end in one, and readers take a bare one for the end of a line.
    """

    def __init__(self, file: IO[str]) -> None:
        self.file = file

    def write(self, line: str) -> int:
        return self.file.write(line.removesuffix("\r\n") + "\n")

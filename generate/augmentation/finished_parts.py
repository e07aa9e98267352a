"""Finished parts of a long table while it is augmented, so that a killed command goes on where it stopped."""

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from paracosm.foundation.digests import value_digest
from paracosm.foundation.errors import DataError
from paracosm.foundation.files import write_text
from paracosm.foundation.json_files import read_json

PARENT, OPERATIONS = "parent", "operations"
INPUTS = "inputs.json"


@dataclass
class Part:
    """What became of some rows of a table.

    Attributes:
        rows: augmented rows.
        unchanged: rows of the source that no operation could change.
        operations: how often each operation changed a text.
    """

    rows: list[dict[str, Any]] = field(default_factory=list)
    unchanged: int = 0
    operations: Counter[str] = field(default_factory=Counter)

    def add(self, made: Sequence[dict[str, Any]]) -> None:
        """Add the augmented rows of one row."""
        self.rows += made
        self.unchanged += not made
        for row in made:
            self.operations.update(row[OPERATIONS].split())


class FinishedParts:
    """A folder with one file for each part. Created with mode 0700, because it holds texts of real records.

    Attributes:
        folder: of the files.
    """

    def __init__(self, folder: Path, inputs: str) -> None:
        """Open a folder; parts of another table or of other settings are removed.

        Args:
            folder: of the files.
            inputs: digest of everything that the parts depend on.
        """
        self.folder = folder
        known = folder / INPUTS
        if not known.is_file() or read_json(known, DataError, advice=f"; remove {folder}") != {
            "digest": inputs
        }:
            if folder.exists():
                shutil.rmtree(folder)
            folder.mkdir(mode=0o700, parents=True)
            write_text(known, json.dumps({"digest": inputs}))

    def count(self, parts: int) -> int:
        """Return how many of the parts are there."""
        return sum(self._path(number).is_file() for number in range(parts))

    def read(self, number: int) -> Part | None:
        """Return a part; None if it is not there.

        Raises:
            DataError: the file is damaged.
        """
        if not self._path(number).is_file():
            return None
        plain = read_json(
            self._path(number), DataError, advice="; remove it, and its rows are augmented again"
        )
        return Part(plain["rows"], plain["unchanged"], Counter(plain["operations"]))

    def write(self, number: int, part: Part) -> None:
        """Write a part at once."""
        write_text(self._path(number), json.dumps(vars(part), ensure_ascii=False))

    def _path(self, number: int) -> Path:
        return self.folder / f"part-{number:06d}.json"


def cells_digest(cells: pd.DataFrame) -> str:
    """Return a digest of all cells of a table."""
    return value_digest(
        [[None if cell is None else str(cell) for cell in column] for _, column in cells.items()]
    )

"""Published files of a data set: address, size and digest of each, and what is made of them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

HOST = "https://raw.githubusercontent.com"
"""Where GitHub serves the files of a commit."""


@dataclass(frozen=True)
class OriginFile:
    """One published file.

    Attributes:
        repository: `owner/name` on GitHub.
        commit: full name of the commit, so that the file never changes.
        path: inside the repository.
        size: bytes.
        sha256: digest of the content.
    """

    repository: str
    commit: str
    path: str
    size: int
    sha256: str

    @property
    def name(self) -> str:
        """Name without folders."""
        return self.path.rpartition("/")[2]

    def address(self, host: str = HOST) -> str:
        """Return the address of the file on a host that has the same paths as the origin."""
        return f"{host.rstrip('/')}/{quote(f'{self.repository}/{self.commit}/{self.path}')}"


Row = Mapping[str, object]
"""Column -> cell of a converted table; a list becomes an array in JSONL."""


@dataclass(frozen=True)
class DataSet:
    """The data of one or more recipes.

    Attributes:
        target: name of the file that the recipes read, `.csv` or `.jsonl`.
        files: the published files.
        licence: of the data, in words.
        made_by: who made the data, and where that is said.
        convert: makes the rows of the target from the published files, in the order of `files`.
        rows: how many rows the target has to have.
        columns: which columns, in order.
    """

    target: str
    files: tuple[OriginFile, ...]
    licence: str
    made_by: str
    convert: Callable[[Sequence[Path]], Iterable[Row]]
    rows: int
    columns: tuple[str, ...]

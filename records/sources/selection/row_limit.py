"""Rows of a source that is read in chunks: all, the first or a random draw of them, as `data.limit` says, within `data.bounds`."""

from collections.abc import Callable, Sized
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np
import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.formats.cells import to_source_strings

KEY = "paracosm rows 16"
"""Key of the hash of pandas: 16 bytes."""
CHUNK_ROWS, CHUNK_CELLS = 20_000, 2_000_000
"""Most rows and cells of a chunk."""
Chunk = TypeVar("Chunk", bound=Sized)


@dataclass(frozen=True)
class ChunkOperations(Generic[Chunk]):
    """What a collector does with chunks of one type.

    Attributes:
        hashes: returns a number of the content of each row; shape (rows,).
        take: returns the rows at some positions.
        join: returns several chunks below each other.
    """

    hashes: Callable[[Chunk], np.ndarray]
    take: Callable[[Chunk, np.ndarray], Chunk]
    join: Callable[[list[Chunk]], Chunk]


class RowCollector(Generic[Chunk]):
    """Collects the rows of chunks; holds at most about twice `data.limit` of them.

    Args:
        data: its `limit`, `limit_order`, `split.seed` and `bounds` are read.
        name: of the source in error messages.
        operations: on its chunks.
    """

    def __init__(self, data: Data, name: str, operations: ChunkOperations[Chunk]) -> None:
        self._data, self._name, self._operations = data, name, operations
        self._chunks: list[Chunk] = []
        self._kept = 0
        self._seen = 0
        self._repeats = _Repeats()
        self._order: list[np.ndarray] = []

    def add(self, chunk: Chunk, *, columns: int) -> bool:
        """Add the next rows; return whether no more are needed.

        Raises:
            DataError: the source has more rows, columns or cells than `data.bounds` allows.
        """
        data = self._data
        check_columns(columns, self._name, data)
        self._seen += len(chunk)
        if data.limit is None:
            self._keep(chunk)
        elif data.limit_order == "first":
            self._keep(
                self._operations.take(chunk, np.arange(min(len(chunk), max(data.limit - self._kept, 0))))
            )
        else:
            self._draw(chunk, data.limit)
        full = data.limit is not None and data.limit_order == "first" and self._kept >= data.limit
        check_rows(0 if full else self._seen, self._name, data)
        check_cells(self._kept, columns, self._name, data)
        return full

    def next_rows(self, columns: int) -> int:
        """Return how many rows the next chunk should have."""
        rows = max(1, min(CHUNK_ROWS, CHUNK_CELLS // max(columns, 1)))
        if self._data.limit is not None and self._data.limit_order == "first":
            return max(1, min(rows, self._data.limit - self._kept))
        return rows

    def rows(self) -> list[Chunk]:
        """Return the chosen rows in their order: a list of one chunk, or an empty list if there was none."""
        if not self._chunks:
            return []
        if self._order:
            self._compact(smallest(np.concatenate(self._order), self._data.limit or 0, self._data))
        return [self._operations.join(self._chunks)]

    def _keep(self, chunk: Chunk) -> None:
        self._chunks.append(chunk)
        self._kept += len(chunk)

    def _draw(self, chunk: Chunk, limit: int) -> None:
        """Keep the rows of a chunk that may be among the `limit` rows of the smallest hashes."""
        order = draw_order(self._operations.hashes(chunk), self._data, self._repeats)
        self._keep(chunk)
        self._order.append(order)
        if self._kept >= 2 * limit + CHUNK_ROWS:
            # One more row than needed tells whether the last subject is whole.
            order = np.concatenate(self._order)
            self._compact(np.sort(np.argsort(order, kind="stable")[: limit + 1]))

    def _compact(self, chosen: np.ndarray) -> None:
        order = np.concatenate(self._order)
        self._chunks = [self._operations.take(self._operations.join(self._chunks), chosen)]
        self._order, self._kept = [order[chosen]], len(chosen)


def frames(data: Data) -> ChunkOperations[pd.DataFrame]:
    """Return the operations on chunks that are tables."""
    return ChunkOperations(
        hashes=lambda table: row_hashes(table, data),
        take=lambda table, rows: table.iloc[rows],
        join=lambda tables: pd.concat(tables, ignore_index=True) if len(tables) > 1 else tables[0],
    )


class _Repeats:
    """Counts of the hashes seen so far, in sorted arrays whose lengths at least double."""

    def __init__(self) -> None:
        self._sorted: list[np.ndarray] = []

    def number(self, hashes: np.ndarray) -> np.ndarray:
        """Return how many equal hashes came before each one, and remember them."""
        number = pd.Series(hashes).groupby(hashes).cumcount().to_numpy().copy()
        for known in self._sorted:
            number += np.searchsorted(known, hashes, "right") - np.searchsorted(known, hashes, "left")
        newest = np.sort(hashes)
        while self._sorted and len(self._sorted[-1]) < 2 * len(newest):
            newest = np.sort(np.concatenate([self._sorted.pop(), newest]), kind="stable")
        self._sorted.append(newest)
        return number


def limited(table: pd.DataFrame, data: Data) -> pd.DataFrame:
    """Return at most `data.limit` rows, in their order.

    Random rows are those with the smallest hashes of seed and content, so another order of the rows gives the same ones. Equal rows
    are numbered. With `data.sequence`, whole subjects are drawn, so that there may be fewer rows.
    """
    if data.limit is None or len(table) <= data.limit:
        return table
    if data.limit_order == "first":
        return table.head(data.limit).reset_index(drop=True)
    order = draw_order(row_hashes(table, data), data, _Repeats())
    return table.iloc[smallest(order, data.limit, data)].reset_index(drop=True)


def drawn_by(data: Data) -> str | None:
    """Return the column by whose cells rows are drawn: the subject of a sequence, whose rows stay together; else None."""
    return data.subject if data.sequence is not None else None


def smallest(order: np.ndarray, limit: int, data: Data) -> np.ndarray:
    """Return the positions of the `limit` smallest numbers, ascending; without those of a subject that would be cut.

    A single subject of more rows than `limit` is cut all the same.
    """
    ranked = np.argsort(order, kind="stable")
    chosen = ranked[:limit]
    if drawn_by(data) is not None and len(ranked) > limit and order[ranked[limit]] == order[chosen[-1]]:
        whole = chosen[order[chosen] != order[chosen[-1]]]
        chosen = whole if len(whole) else chosen
    return np.sort(chosen)


def row_hashes(table: pd.DataFrame, data: Data) -> np.ndarray:
    """Return a number of the cells of each row, or of its subject under `data.sequence`; columns of `data.drop` have no part in it."""
    subject = drawn_by(data)
    if subject in table.columns:
        table = table[[subject]]
    cells = pd.DataFrame(
        {
            name: to_source_strings(table[name]).astype(object).fillna("\0")
            for name in table.columns
            if name not in data.drop
        },
        index=table.index,
    )
    return pd.util.hash_pandas_object(cells, index=False, hash_key=KEY).to_numpy()


def draw_order(hashes: np.ndarray, data: Data, repeats: _Repeats) -> np.ndarray:
    """Return a pseudo-random number per row, equal for the rows of a subject; the rows of the smallest ones are drawn."""
    number = repeats.number(hashes) if drawn_by(data) is None else 0
    drawn = pd.DataFrame({"hash": hashes, "number": number, "seed": data.split.seed})
    return pd.util.hash_pandas_object(drawn, index=False, hash_key=KEY).to_numpy()


def check_columns(columns: int, name: str, data: Data) -> None:
    """Raise if a source has more columns than `data.bounds` allows."""
    _check("columns", columns, data.bounds.columns, name, "leave columns out of the file")


def check_rows(rows: int, name: str, data: Data) -> None:
    """Raise if a source has more rows than `data.bounds` allows."""
    _check("rows", rows, data.bounds.rows, name, "set data.limit_order: first with a data.limit")


def check_cells(rows: int, columns: int, name: str, data: Data) -> None:
    """Raise if a table has more cells than `data.bounds` allows."""
    if rows * columns > data.bounds.cells:
        raise DataError(
            f"{name}: has more than {data.bounds.cells:,} cells ({columns:,} columns); set data.limit, or raise data.bounds.cells"
        )


def _check(what: str, count: int, most: int, name: str, cure: str) -> None:
    if count > most:
        raise DataError(f"{name}: has more than {most:,} {what}; {cure}, or raise data.bounds.{what}")

"""Values that few subjects have: categories, and numbers and moments beyond what enough subjects reach.

Counted are subjects, not rows: thirty visits of one person are one. Without `data.subject`, each row is a subject. Declared categories and class labels are no data of the records, so they are never rare. The target's
classes are kept, because a model is fitted to them, and so are all values where nearly half of a table would change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from paracosm.recipes.sections.data import Data, FieldOverride
from paracosm.records.schema.schema import Field, Schema, Value

FEW_CLASSES = 10
"""Most values of a whole number that are the classes of a target."""
FEWEST_TIMES = 4
"""Fewest subjects of a table whose values can be suppressed, in multiples of `data.rare.subjects`."""

Outcome = Literal["missing", "merged", "limited", "kept"]


@dataclass(frozen=True)
class RareColumn:
    """The rare values of one column.

    Attributes:
        outcome: what becomes of them.
        values: how many they are.
        cells: in how many cells of the source they are.
        categories: the rare categories.
        low: smallest value that enough subjects reach; None for a category.
        high: largest value that enough subjects reach; None for a category.
    """

    outcome: Outcome
    values: int
    cells: int
    categories: frozenset[str] = frozenset()
    low: Any = None
    high: Any = None


@dataclass(frozen=True)
class RareValues:
    """The rare values of a table.

    Attributes:
        subjects: subjects that a value needs to be common.
        units: number of the subject of each row of the table; shape (rows,).
        table: the typed table in which they are counted.
        columns: name -> its rare values; columns without any are left out.
        kept: names of the columns of which every value is kept.
        keeps_all: whether every value of every column is kept.
        too_small: whether the table has too few subjects, so that all values are kept.
    """

    subjects: int
    units: NDArray[np.int64]
    table: pd.DataFrame
    columns: Mapping[str, RareColumn]
    kept: frozenset[str]
    keeps_all: bool = False
    too_small: bool = False
    _common: dict[str, frozenset[Value]] = field(default_factory=dict, repr=False)

    def is_common(self, name: str, value: Value) -> bool:
        """Return whether a value may be stored: enough subjects have it, or the recipe keeps it. The missing one may."""
        if value is None or name in self.kept:
            return True
        if name not in self._common:
            column = self.table[name]
            codes, values = pd.factorize(column)
            enough = subjects_of_codes(codes, self.units, len(values)) >= self.subjects
            self._common[name] = frozenset(values[enough].tolist())
        return value in self._common[name]

    @property
    def kept_values(self) -> tuple[tuple[str, int], ...]:
        """Columns that keep rare values, each with the number of these values."""
        return tuple((name, one.values) for name, one in self.columns.items() if one.outcome == "kept")

    @property
    def fewest(self) -> int:
        """Fewest subjects that share what is read from all columns together, such as the length of a sequence."""
        return 1 if self.keeps_all else self.subjects


def find_rare(
    table: pd.DataFrame, schema: Schema, units: NDArray[np.int64], data: Data, labelled: frozenset[str]
) -> RareValues:
    """Return the rare values of a table.

    Args:
        table: typed table of all records, before the splits.
        schema: its fields, without domains.
        units: number of the subject of each row; shape (rows,).
        data: the recipe's data section.
        labelled: names of the columns of class labels.
    """
    rare = data.rare
    too_small = int(units.max(initial=-1)) + 1 < FEWEST_TIMES * rare.subjects
    keeps_all = rare.action == "keep" or too_small
    kept, columns = set(), {}
    for one in schema.modelled:
        override = data.fields.get(one.name, FieldOverride())
        if override.categories is not None or one.name in labelled or not _can_be_rare(one):
            kept.add(one.name)
            continue
        is_kept = keeps_all or one.name in rare.keep or _is_class(one, table, data.target)
        if is_kept:
            kept.add(one.name)
        found = _rare_column(table[one.name], one, units, rare.subjects)
        if found is not None:
            columns[one.name] = _with_outcome(found, one, rare.action, is_kept=is_kept)
    return RareValues(rare.subjects, units, table, columns, frozenset(kept), keeps_all, too_small)


def subjects_of_codes(codes: NDArray[np.int64], units: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """Return the number of distinct subjects of each code.

    Args:
        codes: of each row; -1 where the cell is missing.
        units: number of the subject of each row.
        size: number of codes.
    """
    present = codes >= 0
    pairs = np.unique(codes[present].astype(np.int64) * (int(units.max(initial=0)) + 1) + units[present])
    return np.bincount(pairs // (int(units.max(initial=0)) + 1), minlength=size)


def _can_be_rare(one: Field) -> bool:
    """Return whether the values of a field are a range or list that is read from the records; texts and truth are not."""
    return one.ordered or "categories" in one.kind.declared_keys


def _is_class(one: Field, table: pd.DataFrame, target: str | None) -> bool:
    return one.name == target and (
        one.discrete or (one.is_whole and table[one.name].nunique() <= FEW_CLASSES)
    )


def _with_outcome(found: RareColumn, one: Field, action: str, *, is_kept: bool) -> RareColumn:
    if is_kept:
        outcome: Outcome = "kept"
    elif found.outcome == "missing" and one.discrete and action == "merge":
        outcome = "merged"
    else:
        return found
    return RareColumn(outcome, found.values, found.cells, found.categories, found.low, found.high)


def _rare_column(column: pd.Series, one: Field, units: NDArray[np.int64], subjects: int) -> RareColumn | None:
    if one.discrete:
        codes, values = pd.factorize(column)
        few = subjects_of_codes(codes, units, len(values)) < subjects
        cells = int(few[codes[codes >= 0]].sum())
        return RareColumn("missing", int(few.sum()), cells, frozenset(values[few])) if cells else None
    present = column.dropna()
    if present.empty:
        return None
    of_subject = present.groupby(units[present.index.to_numpy()])
    lows, highs = of_subject.min().sort_values(), of_subject.max().sort_values()
    if len(lows) < subjects:
        return RareColumn("missing", int(present.nunique()), len(present))
    low, high = lows.iloc[subjects - 1], highs.iloc[-subjects]
    if low > high:
        low = high = lows.iloc[len(lows) // 2]
    beyond = present[(present < low) | (present > high)]
    return (
        RareColumn("limited", int(beyond.nunique()), len(beyond), low=low, high=high) if len(beyond) else None
    )

"""Smoothed bootstrap: in every epoch, numbers and dates are replaced by values of nearby rank in their column.

The last digits of a column of mostly different numbers identify its records, and a model with many weights memorises
them before it has learnt the relations between columns. Moving each value by a few ranks preserves the distribution
of the column and its relations to others, and leaves no digits to memorise (Silverman & Young 1987, The bootstrap: to
smooth or not to smooth?).

Every relation that holds in all training records holds in the moved records too: of columns that determine each other
all but one are computed from the others, moments that are tied move by the same time, and where a move would still
break a relation, the tied columns of the record stay as they are.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np

from paracosm.records.relations.dependencies import Dependency
from paracosm.records.relations.linear import Linear
from paracosm.records.relations.narrowing import Relations
from paracosm.records.relations.products import Product
from paracosm.records.relations.relation import Relation
from paracosm.records.relations.search import from_plain
from paracosm.records.schema.schema import Field, Record, Schema

MIN_VALUES = 20
"""A column with fewer distinct values is an ordinal scale or a code, and is not smoothed."""
SHARED_BY = 10
"""Fewest training records that share a value which stays, because it identifies none of them."""
ATTEMPTS = 4
"""Moves of tied columns that are tried, each half as far as the one before."""


def default_ranks(records: int) -> int:
    """Return the default of `finetune.smoothing`: the cube root of the number of records."""
    return round(records ** (1 / 3))


@dataclass(frozen=True)
class TiedColumns:
    """Columns that relations tie together, directly or through others; they move together or not at all.

    Attributes:
        fields: the columns.
        relations: the relations between them.
        solved: in order, a field that an equation determines, and the equation.
    """

    fields: tuple[Field, ...]
    relations: tuple[Relation, ...] = ()
    solved: tuple[tuple[Field, Linear | Product], ...] = ()


@dataclass(frozen=True)
class Smoothing:
    """Smooths the training records of an epoch.

    Attributes:
        records: the training records.
        columns: per smoothed field, its training values in ascending order, with repetitions and without missing ones.
        ranks: maximum number of ranks by which a value moves.
        seed: of the random moves.
        groups: the smoothed fields; those that relations tie together form one group.
    """

    records: Sequence[Record]
    columns: dict[Field, list]
    ranks: int
    seed: int
    groups: tuple[TiedColumns, ...] = ()

    @property
    def shared_by(self) -> int:
        """Training records that share a value which stays: more than a value can pass when it moves.

        Below that, as with ages in whole years, a step to the next value costs nothing and prevents memorisation.
        """
        return max(SHARED_BY, 2 * self.ranks + 1)

    @classmethod
    def of(
        cls, records: Sequence[Record], schema: Schema, *, ranks: int, seed: int, target: str | None = None
    ) -> "Smoothing":
        """Choose the columns to smooth: numbers and dates with enough distinct values.

        The target stays, and so do columns that determine another one or are determined by it: a code has no neighbours.
        """
        relations = Relations(schema, from_plain(schema.relations))
        fixed = {target}
        for relation in relations.all:
            if isinstance(relation, Dependency):
                fixed |= relation.fields
        columns = {}
        for one in schema.modelled:
            # Digits padded with zeros are a code (`00501`), whose neighbours are unrelated.
            if not one.ordered or one.width or one.name in fixed:
                continue
            present = sorted(record[one.name] for record in records if record[one.name] is not None)  # type: ignore[type-var]  # one type a column
            if len(set(present)) >= MIN_VALUES:
                columns[one] = present
        return cls(records, columns, ranks, seed, tuple(_groups(list(columns), relations)))

    def __call__(self, index: int, epoch: int) -> Record:
        """Return record `index` as it is in `epoch`.

        All values of a record move by the same number of ranks.
        """
        rng = np.random.default_rng([self.seed, epoch, index])
        shift, within_ties = rng.uniform(-self.ranks, self.ranks), rng.random()
        record = self.records[index]
        moved = dict(record)
        for group in self.groups:
            for attempt in range(ATTEMPTS):
                values = self._moved(group, record, shift / 2**attempt, within_ties)
                if all(relation.holds(moved | values) is not False for relation in group.relations):
                    moved |= values
                    break
        return moved

    def _moved(self, group: TiedColumns, record: Record, shift: float, within_ties: float) -> Record:
        """Return the values of a group, moved; as in the record if one of them cannot follow the others."""
        solved = {one for one, _ in group.solved}
        free = [one for one in group.fields if one not in solved and record[one.name] is not None]
        values: Record = {}
        by = self._time(group, record, shift, within_ties) if group.relations else None
        for one in free:
            value = record[one.name]
            if by is not None and isinstance(value, datetime):
                values[one.name] = one.kind.round_inward(one, value + by, up=False)
            else:
                values[one.name] = self._near(one, value, shift, within_ties)
        for one, equation in group.solved:
            value = record[one.name]
            if value is None:
                continue
            at = equation.solve(one.name, record | values)
            values[one.name] = (
                self._near(one, value, shift, within_ties) if at is None else one.kind.computed(one, at)
            )
            if self._is_shared(one, value) and values[one.name] != value:
                return {}
        unfit = any(not one.allows(values[one.name]) for one in group.fields if one.name in values)
        return {} if unfit else values

    def _time(self, group: TiedColumns, record: Record, shift: float, within_ties: float) -> timedelta | None:
        """Return by what time the moments of a group move, so that the time between them stays; None without moments."""
        moments = {one: value for one in group.fields if isinstance(value := record[one.name], datetime)}
        if not moments:
            return None
        if any(self._is_shared(one, value) for one, value in moments.items()):
            return timedelta(0)
        one, value = next(iter(moments.items()))
        return self._near(one, value, shift, within_ties) - value  # type: ignore[operator, return-value]

    def _is_shared(self, one: Field, value: Any) -> bool:
        column = self.columns[one]
        return bisect_right(column, value) - bisect_left(column, value) >= self.shared_by

    def _near(self, one: Field, value: Any, shift: float, within_ties: float) -> Any:
        column = self.columns[one]
        first, after = bisect_left(column, value), bisect_right(column, value)
        if after - first >= self.shared_by:
            return value
        return _at(column, first + (after - 1 - first) * within_ties + shift, one)


def _groups(fields: Sequence[Field], relations: Relations) -> list[TiedColumns]:
    """Return the smoothed fields in groups that relations tie together."""
    group_of = {one.name: {one.name} for one in fields}
    for relation in relations.all:
        names = [name for name in relation.fields if name in group_of]
        merged = set().union(*(group_of[name] for name in names))
        for name in merged:
            group_of[name] = merged
    groups = {id(names): names for names in group_of.values()}
    made = []
    for names in groups.values():
        own = tuple(one for one in fields if one.name in names)
        tied = tuple(relation for relation in relations.all if relation.fields & names)
        made.append(TiedColumns(own, tied, _solved(own, tied)))
    return made


def _solved(
    fields: Sequence[Field], relations: Sequence[Relation]
) -> tuple[tuple[Field, Linear | Product], ...]:
    """Return the fields that equations determine, in an order in which all that an equation reads is there before it.

    A field moves by its rank or is determined once. Moments are not determined: those of a group move by the same time.
    """
    place = {one.name: number for number, one in enumerate(fields)}
    by_name = {one.name: one for one in fields}
    equations = [
        relation
        for relation in relations
        if isinstance(relation, Product) or (isinstance(relation, Linear) and relation.is_equation)
    ]
    solved: dict[str, tuple[Field, Linear | Product]] = {}
    for relation in sorted(equations, key=_exactness):
        free = [
            name
            for name in relation.fields
            if name in place and name not in solved and not by_name[name].is_moment
        ]
        read = {name for _, other in solved.values() for name in other.fields}
        free = [name for name in free if name not in read]
        if free:
            last = _last(relation, free, place)
            solved[last] = (by_name[last], relation)
    return tuple(solved.values())


def _exactness(relation: Linear | Product) -> tuple[bool, int]:
    """Return a key that puts functions of one column before sums, so that a sum takes what is left."""
    return len(relation.fields) > 2, len(relation.fields)


def _last(relation: Linear | Product, free: Sequence[str], place: Mapping[str, int]) -> str:
    """Return the field that an equation computes: the rounded one of a function, else the last one of the table."""
    computed = relation.computed
    if computed is not None and computed in free:
        return computed
    return max(free, key=lambda name: place[name])


def _at(column: list, rank: float, field: Field) -> int | float:
    """Return the column's value at a fractional rank: interpolated between two values that occur once each, else the nearer one.

    A value that occurs several times may be the only plausible one nearby (120 mmHg, 500 dollars), so no new value is made
    next to it. Dates and numbers in scientific notation are not interpolated, because their format has coarser steps.
    """
    last = len(column) - 1
    # Reflected at both ends; clipping there would make extreme values frequent.
    rank = abs(rank)
    rank = max(0.0, min(rank, 2 * last - rank))
    below = int(rank)
    above = min(below + 1, last)
    low, high, fraction = column[below], column[above], rank - below
    between = None
    if _occurs_once(column, below) and _occurs_once(column, above):
        between = field.kind.between(field, low, high, fraction)
    return between if between is not None else low if fraction < 0.5 else high


def _occurs_once(column: list, at: int) -> bool:
    return (at == 0 or column[at - 1] != column[at]) and (
        at == len(column) - 1 or column[at + 1] != column[at]
    )

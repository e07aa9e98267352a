"""Functional dependencies: a value of one field determines the value of another, as a city determines its state."""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

from paracosm.records.relations.relation import Narrowing, Spans, quoted
from paracosm.records.schema.schema import Value


@dataclass(frozen=True)
class Dependency:
    """Each value of `determinant` has one value of `dependent`.

    A value of the determinant that one training record has is not stored, because what belongs to it would be that
    record's. It is drawn only where a condition asks for it.

    Attributes:
        determinant: a field of closed values, or of whole numbers.
        dependent: a field.
        entries: values of the determinant with the value that belongs to each; None for a missing one.
        lacking: values of the determinant that some records have without a value of the dependent.
        closed: whether the determinant is a closed list; else values between two entries take the value of either.
        both_ways: whether the dependent determines the determinant too.
    """

    kind: ClassVar[str] = "dependency"

    determinant: str
    dependent: str
    entries: tuple[tuple[Value, Value], ...]
    lacking: tuple[Value, ...] = ()
    closed: bool = True
    both_ways: bool = False

    @property
    def text(self) -> str:
        first, second = quoted(self.determinant), quoted(self.dependent)
        return (
            f"{first} and {second} determine each other" if self.both_ways else f"{first} determines {second}"
        )

    @property
    def fields(self) -> frozenset[str]:
        return frozenset((self.determinant, self.dependent))

    def of(self, value: Value) -> frozenset[Value] | None:
        """Return the values of the dependent, missing one included, that belong to a value of the determinant; None for any."""
        if value is None:
            return None
        if value in self._sets or self.closed:
            return self._sets.get(value)
        at = bisect_left(self._sorted, value)
        beside = self._sorted[max(at - 1, 0) : at + 1]
        return frozenset().union(*(self._sets[key] for key in beside)) if beside else None

    @cached_property
    def _sets(self) -> dict[Value, frozenset[Value]]:
        lacking = set(self.lacking)
        return {key: frozenset({value, None} if key in lacking else {value}) for key, value in self.entries}

    @cached_property
    def _sorted(self) -> list[Any]:
        return sorted(key for key, _ in self.entries)  # type: ignore[type-var]  # one type a field

    @cached_property
    def _with(self) -> dict[Value, frozenset[Value]]:
        groups: dict[Value, set[Value]] = {}
        for key, values in self._sets.items():
            for value in values:
                groups.setdefault(value, set()).add(key)
        return {value: frozenset(keys) for value, keys in groups.items()}

    @cached_property
    def _keys(self) -> frozenset[Value]:
        return frozenset(self._sets)

    @cached_property
    def _images(self) -> frozenset[Value]:
        return frozenset(value for _, value in self.entries if value is not None)

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        if self.determinant not in values or self.dependent not in values:
            return None
        allowed = self.of(values[self.determinant])
        return None if allowed is None else values[self.dependent] in allowed

    def narrow(self, name: str, values: Mapping[str, Value], spans: Spans) -> Narrowing | None:
        if name == self.determinant:
            if self.dependent in values:
                return Narrowing(values=self._with.get(values[self.dependent], frozenset()))
            return Narrowing(values=self._keys) if self.closed else None
        if self.determinant not in values:
            return Narrowing(values=self._images) if self.determinant in spans else None
        return allowed_values(self.of(values[self.determinant]))


def allowed_values(allowed: frozenset[Value] | None) -> Narrowing | None:
    """Return the narrowing to some values, of which None is the missing one."""
    if allowed is None:
        return None
    if None not in allowed:
        return Narrowing(values=allowed, missing=False)
    return Narrowing(values=allowed - {None}, missing=True if len(allowed) == 1 else None)

"""Relations of missing cells: fields that are missing together, or wherever another field has certain values."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from paracosm.records.relations.relation import Narrowing, Spans, quoted
from paracosm.records.schema.schema import Value

SHOWN = 4
"""Values that a text lists."""


@dataclass(frozen=True)
class MissingTogether:
    """Two fields are missing in the same records.

    Attributes:
        first: a field.
        second: a field.
    """

    kind: ClassVar[str] = "missing_together"

    first: str
    second: str

    @property
    def text(self) -> str:
        return f"missing({quoted(self.first)}) == missing({quoted(self.second)})"

    @property
    def fields(self) -> frozenset[str]:
        return frozenset((self.first, self.second))

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        if self.first not in values or self.second not in values:
            return None
        return (values[self.first] is None) == (values[self.second] is None)

    def narrow(self, name: str, values: Mapping[str, Value], spans: Spans) -> Narrowing | None:
        other = self.second if name == self.first else self.first
        return Narrowing(missing=values[other] is None) if other in values else None


@dataclass(frozen=True)
class MissingWhere:
    """A field is missing wherever another one has certain values, and present wherever it has certain others.

    Attributes:
        field: the field with missing cells.
        by: a field of closed values.
        absent: values of `by` with which the field is always missing; None for the missing one.
        present: values of `by` with which it never is.
        otherwise: whether it is missing with all other values but the missing one; None if that is open.
    """

    kind: ClassVar[str] = "missing_where"

    field: str
    by: str
    absent: tuple[Value, ...]
    present: tuple[Value, ...]
    otherwise: bool | None = None

    @property
    def text(self) -> str:
        by, parts = quoted(self.by), []
        for values, is_missing in ((self.absent, True), (self.present, False)):
            listed = [*map(_shown, values[:SHOWN]), *(["..."] if len(values) > SHOWN else [])]
            if self.otherwise is is_missing:
                listed.append("another number")
            if listed:
                parts.append(f"{'' if is_missing else 'not '}missing where {by} is {', '.join(listed)}")
        return f"{quoted(self.field)} is {' and '.join(parts)}"

    @property
    def fields(self) -> frozenset[str]:
        return frozenset((self.field, self.by))

    @cached_property
    def _missing(self) -> dict[Value, bool]:
        return dict.fromkeys(self.absent, True) | dict.fromkeys(self.present, False)

    def holds(self, values: Mapping[str, Value]) -> bool | None:
        if self.field not in values or self.by not in values:
            return None
        missing = self._decides(values[self.by])
        return None if missing is None else missing is (values[self.field] is None)

    def narrow(self, name: str, values: Mapping[str, Value], spans: Spans) -> Narrowing | None:
        if name == self.field:
            missing = self._decides(values[self.by]) if self.by in values else None
            return None if missing is None else Narrowing(missing=missing)
        if self.field not in values:
            return None
        is_missing = values[self.field] is None
        if self.otherwise is (not is_missing):
            named = self.absent if is_missing else self.present
            missing = None if None in named else False
            return Narrowing(values=frozenset(named) - {None}, missing=missing)
        excluded = frozenset(self.present if is_missing else self.absent)
        return Narrowing(excluded=excluded) if excluded else None

    def _decides(self, value: Value) -> bool | None:
        if value in self._missing or value is None:
            return self._missing.get(value)
        return self.otherwise


def _shown(value: Value) -> str:
    return "missing" if value is None else repr(value)

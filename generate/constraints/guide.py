"""What conditions and rules leave of a field, and what they refuse: narrowed before a value is drawn where that can be told."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from typing import Protocol

from paracosm.records.codec.automaton import END, Node
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.field_codec import FieldCode
from paracosm.records.codec.restriction import (
    all_values,
    next_value,
    restrict_to_range,
    restrict_to_values,
    without_missing,
)
from paracosm.records.constraints.bounds import Bounds, bounds, intersection
from paracosm.records.constraints.expression import Expression
from paracosm.records.constraints.rules import Rulebook, as_value
from paracosm.records.schema.schema import Field, Record, Value

ENUMERATED = 256
"""Domains up to this size are tried value by value; larger ones by solving the rule for a range."""
REMEMBERED = 4096


@dataclass
class RuleConstraints:
    """Rules and copy filter, the same for all records.

    Attributes:
        codec: of the records.
        rules: checks, derived fields, reference lists.
        copies: says whether a whole record repeats a training record; None lets copies through.
    """

    codec: Codec
    rules: Rulebook
    copies: Callable[[Record], str | None] | None = None
    _parts: dict[object, Node | None] = field(default_factory=dict)

    @cached_property
    def places(self) -> Mapping[str, int]:
        return {each.name: place for place, each in enumerate(self.codec.fields)}

    @cached_property
    def derived(self) -> frozenset[str]:
        return frozenset(name for name, _ in self.rules.derived)

    def part(
        self,
        place: int,
        values: Mapping[str, Value],
        earlier: Mapping[str, Value],
        wanted: frozenset[Value] | None,
        present: bool,
    ) -> Node | None:
        """Return what is left of the closed field at `place`; None when nothing is.

        Args:
            place: of the field.
            values: known so far.
            earlier: of the record before it in a sequence.
            wanted: the values that a condition allows; None for all.
            present: whether the missing value is not allowed.
        """
        each = self.codec.fields[place]
        read = self._reads(each, values)
        floor = self._floor(each, earlier)
        key = (place, wanted, present, floor, tuple((name, values[name]) for name in sorted(read)))
        if key not in self._parts:
            if len(self._parts) >= REMEMBERED:
                self._parts.clear()
            self._parts[key] = self._part(each, place, values, wanted, present, floor)
        return self._parts[key]

    def _floor(self, each: Field, earlier: Mapping[str, Value]) -> Value:
        """Return the least value that keeps a sequence in order, None for no bound."""
        sequence = self.codec.schema.sequence
        return earlier.get(each.name) if sequence is not None and sequence.order_by == each.name else None

    def _reads(self, each: Field, values: Mapping[str, Value]) -> set[str]:
        """Return the known fields on which what is left of this one depends."""
        read = {name for check in self._decidable(each, values) for name in check.fields}
        for name, expression in self.rules.derived:
            if name == each.name and expression.fields <= values.keys():
                read |= expression.fields
        return read - {each.name}

    def _decidable(self, each: Field, values: Mapping[str, Value]) -> list[Expression]:
        """Return the checks that this field decides: all others that they read are known, and none is derived."""
        return [
            check
            for check in self.rules.by_field[each.name]
            if check.fields - {each.name} <= values.keys() and not check.fields & self.derived
        ]

    def _part(
        self,
        each: Field,
        place: int,
        values: Mapping[str, Value],
        wanted: frozenset[Value] | None,
        present: bool,
        floor: Value,
    ) -> Node | None:
        code = self.codec.codes[place]
        if not isinstance(code, FieldCode):
            return None
        allowed = self._listed(each, values, wanted)
        known = {name: value for name, value in values.items() if name != each.name}
        checks = self._decidable(each, values)
        if allowed is None and checks:
            finite = all_values(each, ENUMERATED)
            allowed = None if finite is None else frozenset(finite)
        if allowed is not None:
            kept = [
                value
                for value in sorted(allowed, key=repr)
                if each.allows(value)
                and (floor is None or value >= floor)  # type: ignore[operator]
                and not (present and value is None)
                and all(check.compute({**known, each.name: value}) is not False for check in checks)
            ]
            return restrict_to_values(code, kept)
        limits = [bounds(check, each, known) for check in checks]
        if floor is not None:
            limits.append(Bounds(low=floor))
        return self._ranged(each, code, limits, present)

    def _listed(
        self, each: Field, values: Mapping[str, Value], wanted: frozenset[Value] | None
    ) -> frozenset[Value] | None:
        allowed = wanted
        reference = self.rules.references.get(each.name)
        if reference is not None:
            listed = reference | ({None} if each.nullable else frozenset())
            allowed = listed if allowed is None else allowed & listed
        for name, expression in self.rules.derived:
            if name == each.name and expression.fields <= values.keys():
                computed = frozenset({as_value(each, expression.compute(values))})
                allowed = computed if allowed is None else allowed & computed
        return allowed

    def _ranged(
        self, each: Field, code: FieldCode, found: Sequence[Bounds | None], present: bool
    ) -> Node | None:
        limits = [limit for limit in found if limit is not None]
        if not limits or each.type not in ("integer", "number", "datetime"):
            return without_missing(code) if present else code.root
        limit = limits[0]
        for other in limits[1:]:
            limit = intersection(limit, other)
        low = next_value(limit.low, up=True) if limit.low_strict else limit.low
        high = next_value(limit.high, up=False) if limit.high_strict else limit.high
        return restrict_to_range(each, code, low, high, self.codec.alphabet, missing=not present)

    @staticmethod
    @cache
    def present_text(there: int) -> Node:
        """Return the choice that only a present text is left of."""
        return Node({there: END})

    def refused(self, place: int, values: Mapping[str, Value]) -> str | None:
        """Return the rule that the record breaks, once the field at `place` is known."""
        name = self.codec.fields[place].name
        for check in self.rules.by_field[name]:
            decided = check.fields <= values.keys() and not check.fields & self.derived
            if decided and check.compute(values) is False:
                return f"rule {check.text!r}"
        reference = self.rules.references.get(name)
        if reference is not None and values[name] is not None and values[name] not in reference:
            return f"the reference list of {name!r}"
        return self._refused_whole(values) if len(values) == len(self.codec.fields) else None

    def _refused_whole(self, values: Mapping[str, Value]) -> str | None:
        if self.derived:
            values = self.rules.compute(dict(values))
            for name in self.derived:
                if not self.codec.schema[name].allows(values[name]):
                    return f"the domain of derived field {name!r}"
            for check in self.rules.checks:
                if check.fields & self.derived and check.compute(values) is False:
                    return f"rule {check.text!r}"
        return self.copies(dict(values)) if self.copies is not None else None

    def blame(self, place: int, values: Mapping[str, Value]) -> str:
        """Return what leaves no value at `place`."""
        each = self.codec.fields[place]
        checks = self._decidable(each, values)
        if len(checks) == 1:
            return f"rule {checks[0].text!r}"
        return f"the rules and conditions on {each.name!r}"


@dataclass(frozen=True)
class RecordConstraints:
    """The guide of one record.

    Attributes:
        limits: what holds for all records.
        wanted: per field, the values that a condition allows.
        forced: fields whose condition is met by masking; the others are drawn freely and the record refused if it fails.
        present: fields that may not be missing.
    """

    limits: RuleConstraints
    wanted: Mapping[str, frozenset[Value]] = field(default_factory=dict)
    forced: frozenset[str] = frozenset()
    present: frozenset[str] = frozenset()

    def part(self, place: int, values: Mapping[str, Value], earlier: Mapping[str, Value]) -> Node | None:
        each = self.limits.codec.fields[place]
        if each.type == "text":
            return self._presence(place)
        wanted = self.wanted.get(each.name) if each.name in self.forced else None
        return self.limits.part(place, values, earlier, wanted, each.name in self.present)

    def _presence(self, place: int) -> Node | None:
        """Return the choice of a present text where it may not be missing, None where both are allowed."""
        code = self.limits.codec.codes[place]
        assert not isinstance(code, FieldCode)
        if self.limits.codec.fields[place].name not in self.present or code.missing is None:
            return None
        return self.limits.present_text(code.missing[1])

    def text(self, place: int) -> Value:
        name = self.limits.codec.fields[place].name
        if name not in self.forced or name not in self.wanted:
            return None
        (value,) = self.wanted[name]
        return value

    def refused(self, place: int, values: Mapping[str, Value]) -> str | None:
        name = self.limits.codec.fields[place].name
        wanted = self.wanted.get(name)
        if wanted is not None and values[name] not in wanted:
            return f"the condition on {name!r}"
        return self.limits.refused(place, values)

    def blame(self, place: int, values: Mapping[str, Value]) -> str:
        return self.limits.blame(place, values)


class Guide(Protocol):
    """What a record has to keep beyond its schema: conditions and rules."""

    def part(self, place: int, values: Mapping[str, Value], earlier: Mapping[str, Value]) -> Node | None:
        """Return the automaton of the values that are left at a closed field, its whole root when all are.

        None when nothing is left; `blame` then says why.

        Args:
            place: of the field.
            values: of the record's fields that are known.
            earlier: of the record before it in a sequence; empty at the first.
        """
        ...

    def text(self, place: int) -> Value:
        """Return a given text, None when it is free."""
        ...

    def refused(self, place: int, values: Mapping[str, Value]) -> str | None:
        """Return what refuses the record once the field at `place` is known, or None."""
        ...

    def blame(self, place: int, values: Mapping[str, Value]) -> str:
        """Return what leaves no value at `place`."""
        ...


class NoConstraints:
    """No condition and no rule."""

    def __init__(self, roots: Sequence[Node | None]) -> None:
        self.roots = roots

    def part(self, place: int, values: Mapping[str, Value], earlier: Mapping[str, Value]) -> Node | None:
        return self.roots[place]

    def text(self, place: int) -> Value:
        return None

    def refused(self, place: int, values: Mapping[str, Value]) -> str | None:
        return None

    def blame(self, place: int, values: Mapping[str, Value]) -> str:
        raise AssertionError("a whole domain is never empty")

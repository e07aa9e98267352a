"""Constraints from rules and conditions: which values they leave a field, and which they refuse.

Values are excluded before the draw where that is decidable; whatever is not decidable is checked after it.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from paracosm.generate.constraints.allowed_values import AllowedValues, listed, within
from paracosm.generate.constraints.request import RELATION
from paracosm.records.codec.restriction import all_values
from paracosm.records.constraints.bounds import Bounds, bounds
from paracosm.records.constraints.expression import Expression
from paracosm.records.constraints.rules import Rulebook, as_value
from paracosm.records.relations.narrowing import Relations
from paracosm.records.relations.relation import Narrowing, moment_at
from paracosm.records.schema.schema import Field, Record, Schema, Value

MAX_ENUMERATED = 256
"""Domains up to this size are tested value by value; for larger ones the rule is solved for an interval."""
MAX_CACHED = 4096
"""Sets of allowed values that are kept; the cache is emptied beyond this."""


@dataclass
class RuleConstraints:
    """Rules and copy filter, shared by all records.

    Attributes:
        schema: of the records; its modelled fields in the order in which they are written.
        rules: checks, derived fields and reference lists.
        copy_filter: returns why a whole record counts as a copy of a training record, or None; None accepts copies.
    """

    schema: Schema
    rules: Rulebook
    copy_filter: Callable[[Record], str | None] | None = None
    _allowed: dict[object, AllowedValues | None] = field(default_factory=dict)
    _fewer: dict[object, tuple[Relations, Relations]] = field(default_factory=dict)

    @cached_property
    def fields(self) -> tuple[Field, ...]:
        """The modelled fields of the schema; constraints name a field by its index among them."""
        return self.schema.modelled

    @cached_property
    def field_index(self) -> Mapping[str, int]:
        """The index of each field."""
        return {field.name: index for index, field in enumerate(self.fields)}

    @cached_property
    def derived(self) -> frozenset[str]:
        """The fields that rules compute."""
        return frozenset(name for name, _ in self.rules.derived)

    def allowed(
        self,
        index: int,
        values: Mapping[str, Value],
        previous: Mapping[str, Value],
        condition: frozenset[Value] | None,
        required: bool,
        relations: Relations | None = None,
    ) -> AllowedValues | None:
        """Return the values that rules, relations and a condition leave a field with a closed domain.

        Args:
            index: of the field.
            values: of the fields that are known.
            previous: the record before this one in a sequence.
            condition: the values that a condition allows; None for all.
            required: whether the missing value is excluded.
            relations: relations that the record keeps; those of the rules when absent.

        Returns:
            None if no value is left.
        """
        field = self.fields[index]
        inputs = self._inputs(field, values)
        minimum = self._minimum(field, previous)
        relations = self.rules.relations if relations is None else relations
        if condition is not None and relations.by_field[field.name]:
            # A condition may ask for what relations would not draw, but not for what they exclude.
            condition = frozenset(
                value
                for value in condition
                if relations.violated(field.name, {**values, field.name: value}) is None
            )
            left = None
        else:
            left = relations.narrow(field.name, values)
        known = tuple((name, values[name]) for name in sorted(inputs))
        key = (index, condition, required, minimum, known, left)
        if key not in self._allowed:
            if len(self._allowed) >= MAX_CACHED:
                self._allowed.clear()
            self._allowed[key] = self._restricted(
                field, values, condition, required, minimum, left or Narrowing()
            )
        return self._allowed[key]

    def _minimum(self, field: Field, previous: Mapping[str, Value]) -> Value:
        """Return the smallest value that keeps a sequence in order, None for no bound."""
        sequence = self.schema.sequence
        return previous.get(field.name) if sequence is not None and sequence.order_by == field.name else None

    def _inputs(self, field: Field, values: Mapping[str, Value]) -> set[str]:
        """Return the known fields that determine the allowed values of this one."""
        inputs = {name for check in self._decidable(field, values) for name in check.fields}
        for name, expression in self.rules.derived:
            if name == field.name and expression.fields <= values.keys():
                inputs |= expression.fields
        return inputs - {field.name}

    def _decidable(self, field: Field, values: Mapping[str, Value]) -> list[Expression]:
        """Return the checks that this field's value decides: their other fields are known, and none is derived."""
        return [
            check
            for check in self.rules.by_field[field.name]
            if check.fields - {field.name} <= values.keys() and not check.fields & self.derived
        ]

    def _restricted(
        self,
        field: Field,
        values: Mapping[str, Value],
        condition: frozenset[Value] | None,
        required: bool,
        minimum: Value,
        left: Narrowing,
    ) -> AllowedValues | None:
        if left.empty:
            return None
        required = required or left.missing is False or None in left.excluded
        candidates = self._candidates(field, values, condition, left)
        others = {name: value for name, value in values.items() if name != field.name}
        checks = self._decidable(field, values)
        if candidates is None and (checks or left.excluded):
            domain = all_values(field, MAX_ENUMERATED)
            candidates = None if domain is None else frozenset(domain)
        if candidates is not None:
            valid = [
                value
                for value in sorted(candidates, key=repr)
                if field.allows(value)
                and (minimum is None or value >= minimum)  # type: ignore[operator]
                and not (required and value is None)
                and left.allows(value)
                and all(check.compute({**others, field.name: value}) is not False for check in checks)
            ]
            return listed(field, valid)
        intervals = [bounds(check, field, others) for check in checks]
        if minimum is not None:
            intervals.append(Bounds(low=minimum))
        if left.low is not None or left.high is not None:
            intervals.append(_interval(field, left))
        return within(field, intervals, missing=not required)

    def _candidates(
        self,
        field: Field,
        values: Mapping[str, Value],
        condition: frozenset[Value] | None,
        left: Narrowing,
    ) -> frozenset[Value] | None:
        """Return the values that condition, relations, reference list and derivation leave; None if none of them applies."""
        candidates = condition
        if left.missing is True:
            candidates = frozenset({None})
        elif left.values is not None:
            candidates = left.values | {None} if field.nullable else left.values
        reference = self.rules.references.get(field.name)
        if reference is not None:
            listed = reference | ({None} if field.nullable else frozenset())
            candidates = listed if candidates is None else candidates & listed
        for name, expression in self.rules.derived:
            if name == field.name and expression.fields <= values.keys():
                computed = frozenset({as_value(field, expression.compute(values))})
                candidates = computed if candidates is None else candidates & computed
        return candidates

    def violation(
        self, index: int, values: Mapping[str, Value], relations: Relations | None = None
    ) -> str | None:
        """Return the rule or relation that the record violates now that the field at `index` is known, or None."""
        name = self.fields[index].name
        for check in self.rules.by_field[name]:
            decided = check.fields <= values.keys() and not check.fields & self.derived
            if decided and check.compute(values) is False:
                return f"rule {check.text!r}"
        relations = self.rules.relations if relations is None else relations
        if (violated := relations.violated(name, values)) is not None:
            return f"{RELATION}{violated.text!r}"
        reference = self.rules.references.get(name)
        if reference is not None and values[name] is not None and values[name] not in reference:
            return f"the reference list of {name!r}"
        return self._whole_record_violation(values) if len(values) == len(self.fields) else None

    def _whole_record_violation(self, values: Mapping[str, Value]) -> str | None:
        if self.derived:
            values = self.rules.compute(dict(values))
            for name in self.derived:
                if not self.schema[name].allows(values[name]):
                    return f"the domain of derived field {name!r}"
            for check in self.rules.checks:
                if check.fields & self.derived and check.compute(values) is False:
                    return f"rule {check.text!r}"
        return self.copy_filter(dict(values)) if self.copy_filter is not None else None

    def without(self, relations: Relations, reasons: frozenset[str]) -> Relations:
        """Return relations without those that gave some reasons of refusals."""
        key = (id(relations), reasons)
        if key not in self._fewer:
            kept = tuple(one for one in relations.all if f"{RELATION}{one.text!r}" not in reasons)
            # The relations stay referenced, so that their id is not used again.
            self._fewer[key] = (relations, Relations(relations.schema, kept))
        return self._fewer[key][1]

    def conflict(self, index: int, values: Mapping[str, Value], relations: Relations | None = None) -> str:
        """Return which constraints leave the field at `index` without an allowed value."""
        field = self.fields[index]
        # Rules outrank relations: a relation is named first, and given up first.
        relations = self.rules.relations if relations is None else relations
        for relation in relations.by_field[field.name]:
            if relation.narrow(field.name, values, relations.spans) is not None:
                return f"{RELATION}{relation.text!r}"
        checks = self._decidable(field, values)
        if len(checks) == 1:
            return f"rule {checks[0].text!r}"
        return f"the rules and conditions on {field.name!r}"


def _interval(field: Field, left: Narrowing) -> Bounds:
    """Return the positions that relations leave a field as an interval of its values."""
    if not field.is_moment:
        return Bounds(left.low, left.high)
    return Bounds(
        None if left.low is None else moment_at(left.low, up=False),
        None if left.high is None else moment_at(left.high, up=True),
    )

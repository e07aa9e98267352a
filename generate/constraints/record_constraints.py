"""Constraints on one record: its own conditions, and the rules and relations that all records share."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from paracosm.generate.constraints.allowed_values import EVERYTHING, MISSING, PRESENT, AllowedValues
from paracosm.generate.constraints.request import RELATION
from paracosm.generate.constraints.rule_constraints import RuleConstraints
from paracosm.records.relations.narrowing import Relations
from paracosm.records.relations.relation import Narrowing
from paracosm.records.schema.schema import Value

MOST_REFUSALS = 10
"""Attempts at one record that a relation may refuse."""
Reason = TypeVar("Reason", str, str | None)


@dataclass(frozen=True)
class RecordConstraints:
    """The guide of one record: its own conditions and the rules that all records share.

    Attributes:
        shared: rules and copy filter.
        conditions: per field, the values that a condition allows.
        enforced: fields whose condition restricts the draw. Other conditions are checked after the draw, and the record
            is refused if they fail.
        required: fields that may not be missing.
        present: fields in which a missing value refuses the record, where masking does not exclude it.
        relations: relations that the record keeps; those of the rules when absent. Given values may contradict some.

    A relation that refuses the record too often is given up for it, so that a relation never ends a stage.
    """

    shared: RuleConstraints
    conditions: Mapping[str, frozenset[Value]] = field(default_factory=dict)
    enforced: frozenset[str] = frozenset()
    required: frozenset[str] = frozenset()
    present: frozenset[str] = frozenset()
    relations: Relations | None = None
    _refusals: Counter[str] = field(default_factory=Counter, compare=False)

    @property
    def kept(self) -> Relations:
        """The relations that the record keeps."""
        relations = self.shared.rules.relations if self.relations is None else self.relations
        given_up = {text for text, count in self._refusals.items() if count >= MOST_REFUSALS}
        return self.shared.without(relations, frozenset(given_up)) if given_up else relations

    def allowed(
        self,
        index: int,
        values: Mapping[str, Value],
        previous: Mapping[str, Value],
        *,
        every_condition: bool = False,
    ) -> AllowedValues | None:
        field = self.shared.fields[index]
        if field.is_text:
            return self._presence(index, values)
        restricts = every_condition or field.name in self.enforced
        condition = self.conditions.get(field.name) if restricts else None
        required = field.name in self.required or (every_condition and field.name in self.present)
        return self.shared.allowed(index, values, previous, condition, required, self.kept)

    def is_checked_later(self, index: int) -> bool:
        name = self.shared.fields[index].name
        return name not in self.enforced and (name in self.conditions or name in self.present)

    def _presence(self, index: int, values: Mapping[str, Value]) -> AllowedValues:
        """Return whether a text may be present, missing, or both."""
        name = self.shared.fields[index].name
        if not self.shared.fields[index].nullable:
            return EVERYTHING
        left = self.kept.narrow(name, values) or Narrowing()
        if left.missing is True or (name in self.enforced and self.conditions.get(name) == {None}):
            return MISSING
        return PRESENT if name in self.required or left.missing is False else EVERYTHING

    def given_text(self, index: int) -> Value:
        name = self.shared.fields[index].name
        if name not in self.enforced or name not in self.conditions:
            return None
        (value,) = self.conditions[name]
        return value

    def violation(self, index: int, values: Mapping[str, Value]) -> str | None:
        name = self.shared.fields[index].name
        condition = self.conditions.get(name)
        absent = values[name] is None and name in self.present
        if absent or (condition is not None and values[name] not in condition):
            return f"the condition on {name!r}"
        return self._counted(self.shared.violation(index, values, self.kept))

    def conflict(self, index: int, values: Mapping[str, Value]) -> str:
        return self._counted(self.shared.conflict(index, values, self.kept))

    def _counted(self, reason: Reason) -> Reason:
        """Count a refusal by a relation, and return its reason."""
        if reason is not None and reason.startswith(RELATION):
            self._refusals[reason] += 1
        return reason

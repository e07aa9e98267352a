"""Guide of a record: the protocol of constraints beyond the schema, and the guide without constraints."""

from collections.abc import Mapping, Sequence
from typing import Protocol

from paracosm.records.codec.automata.automaton import Node
from paracosm.records.schema.schema import Record, Value


class Guide(Protocol):
    """Constraints on one record beyond its schema. Fields are named by their index in the codec."""

    def allowed(self, index: int, values: Mapping[str, Value], previous: Mapping[str, Value]) -> Node | None:
        """Return the automaton of the allowed values of a field with a closed domain.

        Args:
            index: of the field.
            values: of the fields that are known.
            previous: the record before this one in a sequence; empty for the first.

        Returns:
            The root of the field's whole automaton if every value is allowed. None if no value is; `conflict` then
            names the reason.
        """
        ...

    def given_text(self, index: int) -> Value:
        """Return the text that a condition sets for a text field; None if the text is sampled."""
        ...

    def violation(self, index: int, values: Mapping[str, Value]) -> str | None:
        """Return the constraint that the record violates now that the field at `index` is known, or None."""
        ...

    def conflict(self, index: int, values: Mapping[str, Value]) -> str:
        """Return which constraints leave the field at `index` without an allowed value."""
        ...


def first_violation(guide: Guide, record: Record) -> str | None:
    """Return the first constraint that a whole record violates, None if it violates none.

    Args:
        guide: constraints on the record.
        record: values of all fields, in the order of the codec's fields.
    """
    violations = (guide.violation(index, record) for index in range(len(record)))
    return next((violation for violation in violations if violation is not None), None)


class NoConstraints:
    """The guide of a record without conditions and rules."""

    def __init__(self, roots: Sequence[Node | None]) -> None:
        self.roots = roots

    def allowed(self, index: int, values: Mapping[str, Value], previous: Mapping[str, Value]) -> Node | None:
        return self.roots[index]

    def given_text(self, index: int) -> Value:
        return None

    def violation(self, index: int, values: Mapping[str, Value]) -> str | None:
        return None

    def conflict(self, index: int, values: Mapping[str, Value]) -> str:
        raise AssertionError("an unrestricted domain is never empty")

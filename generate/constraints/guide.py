"""Guide of a record: the protocol of constraints beyond the schema, and the guide without constraints."""

from collections.abc import Mapping
from typing import Protocol

from paracosm.generate.constraints.allowed_values import EVERYTHING, AllowedValues
from paracosm.records.schema.schema import Record, Value


class Guide(Protocol):
    """Constraints on one record beyond its schema. Fields are named by their index in the order of writing."""

    def allowed(
        self,
        index: int,
        values: Mapping[str, Value],
        previous: Mapping[str, Value],
        *,
        every_condition: bool = False,
    ) -> AllowedValues | None:
        """Return the allowed values of a field; of a text only whether it may be present or missing.

        Args:
            index: of the field.
            values: of the fields that are known.
            previous: the record before this one in a sequence; empty for the first.
            every_condition: whether conditions that are otherwise checked after the draw restrict the values too.

        Returns:
            None if no value is allowed; `conflict` then names the reason.
        """
        ...

    def is_checked_later(self, index: int) -> bool:
        """Return whether a condition on the field is checked after the draw, instead of restricting it."""
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
        record: values of all fields, in the order of writing.
    """
    violations = (guide.violation(index, record) for index in range(len(record)))
    return next((violation for violation in violations if violation is not None), None)


class NoConstraints:
    """The guide of a record without conditions and rules."""

    def allowed(
        self,
        index: int,
        values: Mapping[str, Value],
        previous: Mapping[str, Value],
        *,
        every_condition: bool = False,
    ) -> AllowedValues | None:
        return EVERYTHING

    def is_checked_later(self, index: int) -> bool:
        return False

    def given_text(self, index: int) -> Value:
        return None

    def violation(self, index: int, values: Mapping[str, Value]) -> str | None:
        return None

    def conflict(self, index: int, values: Mapping[str, Value]) -> str:
        raise AssertionError("an unrestricted domain is never empty")

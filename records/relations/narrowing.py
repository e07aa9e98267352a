"""All relations of a schema together: the values that they leave a field, and what a record violates."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from paracosm.records.relations.columns import span_of
from paracosm.records.relations.dependencies import Dependency, allowed_values
from paracosm.records.relations.linear import Linear
from paracosm.records.relations.products import Product
from paracosm.records.relations.relation import Narrowing, Relation, Span
from paracosm.records.schema.schema import Schema, Value


@dataclass(frozen=True)
class Relations:
    """Relations between the fields of a schema.

    Attributes:
        schema: the fields.
        all: the relations.
    """

    schema: Schema
    all: tuple[Relation, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.all)

    @cached_property
    def by_field(self) -> Mapping[str, tuple[Relation, ...]]:
        """Name of each field -> the relations that read it."""
        return {
            name: tuple(relation for relation in self.all if name in relation.fields)
            for name in self.schema.names
        }

    @cached_property
    def spans(self) -> Mapping[str, Span]:
        """Range of each field that is never missing and has one; fields outside it are not drawn."""
        spans = {field.name: span_of(field) for field in self.schema.modelled if not field.nullable}
        # A closed field without an order has no range, but the caller asks whether it can be missing.
        return {name: span or (0.0, 0.0) for name, span in spans.items()}

    @cached_property
    def _determined_by(self) -> Mapping[str, tuple[Dependency, ...]]:
        found: dict[str, tuple[Dependency, ...]] = {}
        for relation in self.all:
            if isinstance(relation, Dependency):
                found[relation.dependent] = (*found.get(relation.dependent, ()), relation)
        return found

    def narrow(self, name: str, values: Mapping[str, Value]) -> Narrowing | None:
        """Return the values that relations leave a field, given the fields that are known; None for all."""
        found: Narrowing | None = None
        for relation in self.by_field[name]:
            one = relation.narrow(name, self._with_implied(relation, name, values), self.spans)
            if one is not None:
                found = one if found is None else found & one
        return found

    def _with_implied(
        self, relation: Relation, name: str, values: Mapping[str, Value]
    ) -> Mapping[str, Value]:
        """Return the known values, with that of a dependent which another known field determines.

        City and branch may both determine the state. A branch must then be one of the city's state, although the state is
        not written yet.
        """
        if (
            not isinstance(relation, Dependency)
            or name != relation.determinant
            or relation.dependent in values
        ):
            return values
        for other in self._determined_by[relation.dependent]:
            if other.determinant in values and other is not relation:
                allowed = allowed_values(other.of(values[other.determinant]))
                if allowed is not None and allowed.values is not None and len(allowed.values) == 1:
                    return {**values, relation.dependent: next(iter(allowed.values))}
        return values

    def violated(self, name: str, values: Mapping[str, Value]) -> Relation | None:
        """Return a relation that reads the field `name` and that known values violate, None if there is none."""
        for relation in self.by_field[name]:
            if relation.holds(values) is False:
                return relation
        return None

    @cached_property
    def lines(self) -> tuple[str, ...]:
        """Texts of the relations for readers, without those that follow from others."""
        orders = {
            (relation.terms[0][0], relation.terms[1][0]): relation
            for relation in self.all
            if isinstance(relation, Linear) and not relation.is_equation
        }
        followed = {
            (high, low)
            for high, middle in orders
            for other, low in orders
            if middle == other and (high, low) in orders
        }
        skipped = {id(orders[pair]) for pair in followed}
        return tuple(
            relation.text
            for relation in self.all
            if id(relation) not in skipped and not (isinstance(relation, Linear) and relation.is_implied)
        )

    def in_order(self, names: Sequence[str]) -> list[str]:
        """Return names of fields with each one that others compute after these; the order stays otherwise.

        A price and a quantity determine an amount, but few amounts are the product of a price and a quantity.
        """
        computed_from: dict[str, set[str]] = {}
        for relation in self.all:
            if isinstance(relation, Product | Linear) and (name := relation.computed) is not None:
                computed_from.setdefault(name, set()).update(relation.fields - {name})
        waiting, ordered = list(names), []
        while waiting:
            ready = (name for name in waiting if not computed_from.get(name, set()) & (set(waiting) - {name}))
            # Where fields compute each other, the first one begins.
            name = next(ready, waiting[0])
            waiting.remove(name)
            ordered.append(name)
        return ordered

    def without_violated(self, given: Mapping[str, Value]) -> "Relations":
        """Return the relations that given values do not violate; a table to complete may contradict the training records."""
        kept = tuple(relation for relation in self.all if relation.holds(given) is not False)
        return self if len(kept) == len(self.all) else Relations(self.schema, kept)

    def counts(self, records: Sequence[Mapping[str, Value]]) -> Mapping[str, int]:
        """Return for each relation the number of records that violate it."""
        return {
            relation.text: sum(relation.holds(record) is False for record in records) for relation in self.all
        }

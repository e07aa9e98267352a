"""The rules of a recipe: checks between fields, derived fields, unique fields and reference lists."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from paracosm.foundation.errors import DataError, RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.rules import Rules
from paracosm.records.constraints.expression import Expression
from paracosm.records.constraints.parser import read_expression
from paracosm.records.relations.narrowing import Relations
from paracosm.records.relations.search import from_plain
from paracosm.records.schema.schema import Field, Record, Schema, Value


@dataclass(frozen=True)
class Rulebook:
    """The rules of a recipe, checked against a schema.

    Attributes:
        schema: the fields.
        checks: expressions that are true for every record.
        derived: name and expression of each derived field, in an order in which every value is known before it is read.
        unique: groups of fields whose values no two records share.
        references: name of a field -> allowed values.
        found: relations that hold in all training records, as far as the recipe keeps them; None for none.
    """

    schema: Schema
    checks: tuple[Expression, ...] = ()
    derived: tuple[tuple[str, Expression], ...] = ()
    unique: tuple[tuple[str, ...], ...] = ()
    references: Mapping[str, frozenset[Value]] = field(default_factory=dict)
    found: Relations | None = None

    @cached_property
    def relations(self) -> Relations:
        """The relations that synthetic records keep; none where nothing was searched."""
        return Relations(self.schema) if self.found is None else self.found

    @cached_property
    def by_field(self) -> Mapping[str, tuple[Expression, ...]]:
        """Name of each field -> the checks that read it."""
        return {
            name: tuple(check for check in self.checks if name in check.fields) for name in self.schema.names
        }

    def __bool__(self) -> bool:
        return bool(self.checks or self.derived or self.unique or self.references)

    def compute(self, record: Record) -> Record:
        """Return the record with its derived fields computed; an unknown value is missing."""
        completed = dict(record)
        for name, expression in self.derived:
            completed[name] = as_value(self.schema[name], expression.compute(completed))
        return completed

    def violations(self, records: Sequence[Record]) -> list[str]:
        """Return a line for every rule that records violate, with the number of these records."""
        lines = []
        of = f"of {len(records):,}"
        for check in self.checks:
            if count := sum(check.compute(record) is False for record in records):
                lines.append(f"rule {check.text!r}: {count:,} {of} violate it")
        for name, expression in self.derived:
            field = self.schema[name]
            if count := sum(
                not _agrees(field, record[name], expression.compute(record)) for record in records
            ):
                lines.append(f"derived field {name!r}: {count:,} {of} have another value")
        for group in self.unique:
            keys = [tuple(record[name] for name in group) for record in records]
            if count := len(keys) - len(set(keys)):
                lines.append(f"unique {', '.join(group)}: {count:,} {of} repeat another record")
        for name, allowed in self.references.items():
            if count := sum(record[name] is not None and record[name] not in allowed for record in records):
                lines.append(f"reference list of {name!r}: {count:,} {of} have a value that is not on it")
        return lines


def read_rules(rules: Rules, schema: Schema, root: Path) -> Rulebook:
    """Check the rules of a recipe against a schema and read its reference lists.

    Args:
        rules: the recipe's section `rules`.
        schema: the fields.
        root: folder for relative paths of reference lists.

    Raises:
        RecipeError: a rule cannot be parsed, or names a field that does not exist.
        DataError: a reference list cannot be read.
    """
    checks = []
    for number, text in enumerate(rules.checks):
        check = read_expression(text, schema, f"rules.checks[{number}]")
        if check.kind != "truth":
            raise RecipeError(
                f"rules.checks[{number}]: {text!r} is a {check.kind}; a check must be true or false, such as a <= b"
            )
        checks.append(check)
    for group in rules.unique:
        for name in group:
            _field_name(name, schema, "rules.unique")
    references = {
        _field_name(name, schema, "rules.references"): _read_list(schema[name], root / path)
        for name, path in rules.references.items()
    }
    derived = _in_order(
        {
            _field_name(name, schema, "rules.derived"): read_expression(text, schema, f"rules.derived.{name}")
            for name, text in rules.derived.items()
        },
        schema,
    )
    return Rulebook(
        schema,
        tuple(checks),
        derived,
        tuple(map(tuple, rules.unique)),
        references,
        kept_relations(rules, schema),
    )


def kept_relations(rules: Rules, schema: Schema) -> Relations:
    """Return the relations of a schema that synthetic records keep.

    A derived field is computed by its own rule, and keeps no relation.

    Raises:
        RecipeError: the recipe ignores a relation that the training records do not have.
    """
    relations = from_plain(schema.relations)
    texts = [relation.text for relation in relations]
    for text in rules.ignored_relations:
        if text not in texts:
            raise RecipeError(
                f"rules.ignored_relations: {text!r} is not a relation of the training records"
                f"{did_you_mean(text, texts) or '; paracosm validate prints them'}"
            )
    ignored = set(texts) if rules.relations == "ignore" else set(rules.ignored_relations)
    return Relations(
        schema,
        tuple(
            relation
            for relation in relations
            if relation.text not in ignored and not relation.fields & rules.derived.keys()
        ),
    )


def _field_name(name: str, schema: Schema, where: str) -> str:
    if name not in schema.names:
        raise RecipeError(f"{where}: there is no field {name!r}{did_you_mean(name, schema.names)}")
    if not schema[name].modelled:
        raise RecipeError(f"{where}: {name!r} is an identifier; identifiers are always unique")
    return name


def _in_order(derived: dict[str, Expression], schema: Schema) -> tuple[tuple[str, Expression], ...]:
    """Return derived fields in topological order.

    Raises:
        RecipeError: fields are derived from each other, or an expression does not have the kind of its field.
    """
    ordered: list[tuple[str, Expression]] = []
    remaining = dict(derived)
    while remaining:
        ready = [name for name, expression in remaining.items() if not expression.fields & remaining.keys()]
        if not ready:
            raise RecipeError(f"rules.derived: {', '.join(sorted(remaining))} are derived from each other")
        for name in ready:
            expression = remaining.pop(name)
            kind = schema[name].kind.expressed_as
            if expression.kind != kind:
                raise RecipeError(
                    f"rules.derived.{name}: {expression.text!r} is a {expression.kind}; the field holds a {kind}"
                )
            ordered.append((name, expression))
    return tuple(ordered)


def _read_list(field: Field, path: Path) -> frozenset[Value]:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise DataError(f"rules.references.{field.name}: {path} cannot be read as text ({error})") from error
    values = set()
    for number, line in enumerate(lines, start=1):
        if line.strip():
            try:
                values.add(field.read(line.strip()))
            except (ValueError, KeyError) as error:
                raise DataError(
                    f"{path}:{number}: is not a value of the {field.type} field {field.name!r}"
                ) from error
    if not values:
        raise DataError(f"rules.references.{field.name}: {path} has no values")
    return frozenset(values)


def as_value(field: Field, computed: Any) -> Value:
    """Return a computed value in the precision of its field; None for unknown and for infinite numbers."""
    return None if computed is None else field.kind.computed(field, computed)


def _agrees(field: Field, value: Value, computed: Any) -> bool:
    expected = as_value(field, computed)
    return value is None or expected is None or value == expected

"""Search of all relations of a table's training records, and their form in the schema.

Relations that hold in every training record are structure (a city has one state, a total is the sum of its parts) where
chance is ruled out; see `evidence.py`. They are searched in training records only, and never under differential
privacy, where every relation has to be declared as a rule.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, replace
from typing import Any

import pandas as pd

from paracosm.records.relations.columns import IsCommon, every_value, number_columns
from paracosm.records.relations.dependencies import Dependency, find_dependencies
from paracosm.records.relations.functions import find_functions
from paracosm.records.relations.linear import Linear
from paracosm.records.relations.missingness import MissingTogether, MissingWhere, find_missing
from paracosm.records.relations.orders import find_orders
from paracosm.records.relations.products import Product, find_products
from paracosm.records.relations.relation import Relation
from paracosm.records.relations.sums import find_sums
from paracosm.records.schema.schema import Schema

KINDS = {kind.kind: kind for kind in (Linear, Product, Dependency, MissingTogether, MissingWhere)}
MOST_COLUMNS = 300
"""Columns of numbers beyond which no sums, products and orders are searched."""
ROUND_DIGITS = 4
"""Most digits of a factor by which a person computes one column from another."""


def find_relations(
    train: pd.DataFrame, schema: Schema, is_common: IsCommon = every_value
) -> tuple[Relation, ...]:
    """Return the relations that hold in all training records.

    Args:
        train: typed table of the training records only.
        schema: its fields, with domains.
        is_common: tells whether a relation may store a value of a column; by default, any.
    """
    numbers = number_columns(train, schema)
    functions = _marked(list(find_functions(numbers))) if len(numbers) <= MOST_COLUMNS else []
    tied = {relation.fields for relation in functions}
    found: list[Relation] = list(find_dependencies(train, schema, tied, is_common))
    if len(numbers) <= MOST_COLUMNS:
        equal = {relation.fields for relation in functions if _is_equality(relation)}
        found += functions
        found += find_sums(numbers, {frozenset(pair) for pair in equal})
        found += find_products(numbers)
        found += find_orders(numbers, tied)
    return (*found, *find_missing(train, schema, is_common))


def _marked(functions: list[Linear]) -> list[Linear]:
    """Return functions of one column, those marked that follow from rounder ones over a third column."""
    rounder = {relation.fields for relation in functions if _digits(relation) <= ROUND_DIGITS}
    columns = {name for pair in rounder for name in pair}

    def follows(relation: Linear) -> bool:
        one, other = relation.fields
        return any({frozenset((one, third)), frozenset((other, third))} <= rounder for third in columns)

    return [
        replace(relation, is_implied=_digits(relation) > ROUND_DIGITS and follows(relation))
        for relation in functions
    ]


def _digits(relation: Linear) -> int:
    return len(f"{abs(relation.terms[1][1]):.8g}".replace(".", "").strip("0"))


def _is_equality(relation: Linear) -> bool:
    return relation.low == relation.high == 0 and relation.terms[1][1] == -1


def to_plain(relations: Iterable[Relation]) -> tuple[dict[str, Any], ...]:
    """Return relations as plain values, for the schema: equal to what is read back from its JSON."""
    plain = [{"kind": relation.kind, **asdict(relation)} for relation in relations]  # type: ignore[call-overload]
    return tuple(json.loads(json.dumps(plain)))


def from_plain(plain: Iterable[Mapping[str, Any]]) -> tuple[Relation, ...]:
    """Return the relations that `to_plain` wrote."""
    relations = []
    for stored in plain:
        attributes = {key: _as_tuple(value) for key, value in stored.items() if key != "kind"}
        relations.append(KINDS[stored["kind"]](**attributes))
    return tuple(relations)


def _as_tuple(value: Any) -> Any:
    return tuple(map(_as_tuple, value)) if isinstance(value, list | tuple) else value

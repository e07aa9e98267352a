"""Quotas: exact shares of the values of a field, assigned to record numbers; and values as a recipe writes them."""

import zlib
from collections.abc import Collection
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paracosm.foundation.errors import RecipeError
from paracosm.recipes.sections.generate import Quota
from paracosm.records.codec.restriction import all_values
from paracosm.records.schema.schema import Field, Value

MAX_CLASSES = 1000
"""Largest domain that a quota can divide."""
MISSING = "null"
"""Key of a quota for the missing cell, unless the field has a category of this name."""
Fractions = dict[frozenset[Value] | None, float]


@dataclass(frozen=True)
class QuotaClasses:
    """The quota of one field, assigned to record numbers.

    Attributes:
        classes: allowed values of each class; None for all values but the missing one. The last class may hold all values
            that the quota does not name.
        class_of: (records,), the class of each record number.
    """

    classes: tuple[frozenset[Value] | None, ...]
    class_of: NDArray[np.int32]


def recipe_value(field: Field, given: Any, where: str) -> Value:
    """Read a value of a recipe: a string as the source writes it, a number without prefix and suffix, None for missing.

    Args:
        field: to which the value belongs.
        given: value of the YAML key.
        where: the key, for error messages.

    Raises:
        RecipeError: the field cannot have this value.
    """
    if given is None:
        if not field.nullable:
            raise RecipeError(f"{where}: null is a missing cell, and no training record lacks {field.name!r}")
        return None
    text = field.kind.recipe_text(field, given)
    try:
        value = _read(field, text, has_unit=isinstance(given, str))
    except (ValueError, KeyError) as error:
        raise RecipeError(
            f"{where}: {given!r} is not a valid value of the {field.type} field {field.name!r}{field.kind.example(field)}"
        ) from error
    if not field.allows(value):
        raise RecipeError(
            f"{where}: {given!r} is outside the domain of the field{field.kind.hint(field, text)}"
        )
    return value


def _read(field: Field, text: str, *, has_unit: bool) -> Value:
    """Read text that can have the unit of the field; a key of a quota is text, but can be a number without unit."""
    with_unit = f"{field.prefix}{text}{field.suffix}"
    if has_unit:
        with suppress(ValueError, KeyError):
            return field.read(text)
    return field.read(with_unit)


def quota_classes(field: Field, quota: Quota, *, count: int, seed: int) -> QuotaClasses:
    """Assign the classes of a quota to record numbers: exact counts (largest remainders) in a random order.

    Args:
        field: to which the quota applies.
        quota: `balanced`, or fractions of the records by value.
        count: number of records.
        seed: of the order.

    Raises:
        RecipeError: the field has no classes, or the fractions add up to more than 1.
    """
    where = f"generate.quotas.{field.name}"
    domain = all_values(field, MAX_CLASSES)
    if quota != "balanced" and quota.keys() == {MISSING} and _key(field, MISSING) is None:
        fractions = _missing_or_present(recipe_value(field, None, where), quota[MISSING])
    elif domain is None:
        raise RecipeError(
            f"{where}: the field is {field.type}; a quota needs categories, a boolean or a few integers"
        )
    elif quota == "balanced":
        present = [value for value in domain if value is not None]
        fractions = {frozenset({value}): 1 / len(present) for value in present}
    else:
        fractions = _fractions(field, quota, domain, where)
    exact = [fraction * count for fraction in fractions.values()]
    counts = [int(number) for number in exact]
    by_remainder = sorted(range(len(exact)), key=lambda index: (counts[index] - exact[index], index))
    for index in by_remainder[: count - sum(counts)]:
        counts[index] += 1
    in_class_order = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    random = np.random.Generator(np.random.Philox(key=[seed % 2**64, zlib.crc32(field.name.encode())]))
    return QuotaClasses(tuple(fractions), random.permutation(in_class_order))


def _key(field: Field, text: str) -> str | None:
    """Return the key of a quota as `recipe_value` reads it: None for the missing cell."""
    return None if text == MISSING and MISSING not in field.categories else text


def _missing_or_present(missing: Value, fraction: float) -> Fractions:
    rest = 1 - fraction
    return {frozenset({missing}): fraction} | ({None: rest} if rest > 1e-9 else {})


def _fractions(field: Field, quota: dict[str, float], domain: Collection[Value], where: str) -> Fractions:
    """Return the share of each value of a quota, and that of all other values together."""
    fractions: Fractions = {}
    named: set[Value] = set()
    for text, fraction in quota.items():
        value = recipe_value(field, _key(field, text), where)
        named.add(value)
        fractions[frozenset({value})] = fraction
    rest = 1 - sum(fractions.values())
    if rest < -1e-9:
        raise RecipeError(f"{where}: the shares add up to {1 - rest:g}; at most 1 is allowed")
    if rest > 1e-9:
        others = frozenset(domain) - named
        if not others:
            raise RecipeError(f"{where}: the shares of all values add up to {1 - rest:g}, not to 1")
        fractions[others] = rest
    return fractions

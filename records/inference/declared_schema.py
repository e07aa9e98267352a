"""Schemas under differential privacy: declared in the recipe by somebody who knows the domain, not inferred from the records.

An inferred range, list of categories or share of missing cells would reveal values of the records without any noise, because
every adapter contains its schema.
"""

from collections.abc import Sequence
from dataclasses import replace

from paracosm.foundation.credentials.redaction import redact_url
from paracosm.foundation.errors import DataError, RecipeError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.data import Data, FieldOverride, FieldType
from paracosm.records.fields.kind import KINDS
from paracosm.records.formats.declared_format import implied_type
from paracosm.records.schema.schema import Field, Schema

SHOWN = 4
FRESH_PATTERN = "9" * 8


def check_declared(recipe: Recipe, columns: Sequence[str]) -> None:
    """Raise if a private recipe leaves a part of its schema to inference.

    Raises:
        RecipeError: something is not declared; the message lists it in one line.
    """
    if recipe.privacy is None:
        return
    data = recipe.data
    undeclared = {name: missing for name in columns if (missing := _undeclared(data, name))}
    if undeclared:
        listed = [f"{name}: {', '.join(missing)}" for name, missing in list(undeclared.items())[:SHOWN]]
        more = f" (and {len(undeclared) - SHOWN} more columns)" if len(undeclared) > SHOWN else ""
        raise RecipeError(
            "privacy: an inferred schema would reveal values of the records, so data.fields has to declare"
            f" {'; '.join(listed)}{more}; or name columns in data.drop."
            f" `paracosm init {redact_url(data.source)} --private` drafts all declarations for somebody who knows the domain to confirm"
        )
    if data.sequence is not None and None in (data.longest_sequence, data.shared):
        key = "longest_sequence" if data.longest_sequence is None else "shared"
        raise RecipeError(
            f"privacy: data.{key} has to be declared, because it must not be inferred from the records"
        )


def refuse_replacement(recipe: Recipe) -> None:
    """Raise if a private recipe replaces personal data: the detection of names uses other records.

    Raises:
        RecipeError: the recipe has both sections, `privacy` and a `data.pii` that changes records.
    """
    pii = recipe.data.pii
    if recipe.privacy is not None and pii is not None and pii.action != "report":
        raise RecipeError(
            f"data.pii: {pii.action} uses all records together, so a record could change the values of another one, which"
            " privacy forbids; set it to report, and replace personal data before the source is exported"
        )


def declared_type(override: FieldOverride) -> FieldType | None:
    """Return the type that an override declares or implies, or None."""
    if override.type is not None:
        return override.type
    if override.categories is not None:
        return "category"
    if override.format is not None:
        return implied_type(override.format)
    return None if override.fresh is None else "identifier"


def without_inferred(schema: Schema) -> Schema:
    """Return a declared schema without what was inferred: units, padding, words for true and false, missing cells."""
    return Schema(tuple(_declared_field(field) for field in schema))


def refuse_empty(names: Sequence[str]) -> None:
    """Raise if a column has no training cells: to leave it out would reveal that in every adapter.

    Raises:
        DataError: `names` is not empty.
    """
    if names:
        raise DataError(f"privacy: no training record has a value of {names[0]!r}; name it in data.drop")


def _undeclared(data: Data, name: str) -> list[str]:
    if name in data.drop:
        return []
    override = data.fields.get(name, FieldOverride())
    kind = "identifier" if name == data.subject and override.type is None else declared_type(override)
    if kind is None:
        return ["type"]
    return [key for key in KINDS[kind].needed_keys if getattr(override, key) is None]


def _declared_field(field: Field) -> Field:
    declared = Field(
        name=field.name,
        type=field.type,
        # An identifier declares no `nullable`, so that of an inferred one would come from the records.
        nullable=field.nullable and field.modelled,
        minimum=field.minimum,
        maximum=field.maximum,
        decimals=field.decimals,
        categories=field.categories,
        format=field.format,
        max_length=field.max_length,
        fresh=field.fresh,
        declared=True,
    )
    return declared if field.modelled else replace(declared, pattern=FRESH_PATTERN)

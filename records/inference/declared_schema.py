"""Schemas under differential privacy: declared by somebody who knows the domain, with nothing read off the records.

A range, a list of categories or a share of missing cells that was read off the records passes their values on without any
noise, and every adapter carries its schema with it.
"""

from collections.abc import Sequence
from dataclasses import replace

from paracosm.foundation.errors import DataError, RecipeError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.data import Data, FieldOverride, FieldType
from paracosm.records.schema.schema import Field, Schema

NEEDED: dict[FieldType, tuple[str, ...]] = {
    "integer": ("minimum", "maximum", "nullable"),
    "number": ("minimum", "maximum", "decimals", "nullable"),
    "category": ("categories", "nullable"),
    "boolean": ("nullable",),
    "datetime": ("minimum", "maximum", "format", "nullable"),
    "text": ("max_length", "nullable"),
    "identifier": (),
}
SHOWN = 4
FRESH_PATTERN = "9" * 8


def check_declared(recipe: Recipe, columns: Sequence[str]) -> None:
    """Refuse a private recipe that leaves anything of its schema to inference.

    Raises:
        RecipeError: in one line, what is not declared.
    """
    if recipe.privacy is None:
        return
    data = recipe.data
    lacking = {name: missing for name in columns if (missing := _lacking(data, name))}
    if lacking:
        told = [f"{name}: {', '.join(missing)}" for name, missing in list(lacking.items())[:SHOWN]]
        more = f" (and {len(lacking) - SHOWN} more columns)" if len(lacking) > SHOWN else ""
        raise RecipeError(
            "privacy: a schema that is read off the records gives them away, so data.fields has to declare"
            f" {'; '.join(told)}{more}; or name columns in data.drop."
            f" `paracosm init {data.source} --private` writes it all for somebody who knows the domain to confirm"
        )
    if data.sequence is not None and None in (data.longest_sequence, data.shared):
        key = "longest_sequence" if data.longest_sequence is None else "shared"
        raise RecipeError(f"privacy: data.{key} has to be declared, not read off the records")


def refuse_replacement(recipe: Recipe) -> None:
    """Refuse to replace personal data of a private recipe: names are found with the help of other records.

    Raises:
        RecipeError: the recipe asks for both.
    """
    pii = recipe.data.pii
    if recipe.privacy is not None and pii is not None and pii.action != "report":
        raise RecipeError(
            f"data.pii: {pii.action} looks at all records together, so one record could change another one's values, which"
            " privacy forbids; take report here, and deal with personal data where the source is made"
        )


def declared_type(override: FieldOverride) -> FieldType | None:
    """Return the type that an override states or implies."""
    if override.type is not None:
        return override.type
    if override.categories is not None:
        return "category"
    if override.format is not None:
        return "datetime"
    return None if override.fresh is None else "identifier"


def bare(schema: Schema) -> Schema:
    """Return a declared schema without what inference found beside it: units, padding, words for true, shares of missing cells."""
    return Schema(tuple(_bare(field) for field in schema))


def refuse_empty(names: Sequence[str]) -> None:
    """Refuse columns without a cell in the training records: leaving them out would say so in every adapter.

    Raises:
        DataError: naming them.
    """
    if names:
        raise DataError(f"privacy: no training record has a value of {names[0]!r}; name it in data.drop")


def _lacking(data: Data, name: str) -> list[str]:
    if name in data.drop:
        return []
    override = data.fields.get(name, FieldOverride())
    kind = "identifier" if name == data.subject and override.type is None else declared_type(override)
    if kind is None:
        return ["type"]
    return [key for key in NEEDED[kind] if getattr(override, key) is None]


def _bare(field: Field) -> Field:
    kept = Field(
        name=field.name,
        type=field.type,
        nullable=field.nullable,
        minimum=field.minimum,
        maximum=field.maximum,
        decimals=field.decimals,
        categories=field.categories,
        format=field.format,
        max_length=field.max_length,
        fresh=field.fresh,
        declared=True,
    )
    return replace(kept, pattern=FRESH_PATTERN) if field.type == "identifier" else kept

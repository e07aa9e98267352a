"""Recipes and overrides as Python values: a dict, a path or a name, and keywords."""

from collections.abc import Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from paracosm.foundation.errors import RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.loading.json_schema import node_at
from paracosm.recipes.loading.load import find_recipe, load_recipe, recipe_of
from paracosm.recipes.loading.overrides import Override
from paracosm.recipes.recipe import Recipe

IN_MEMORY = "table in memory"
"""`data.source` of a recipe whose table was passed from Python."""

KEYWORDS = ("data", "overrides", "profile", "progress", "recipe", "run", "subject", "target")
"""Keywords that are not sections, for suggestions."""

RecipeLike = Recipe | Mapping[str, Any] | PathLike[str] | str
"""A recipe, its keys as a dict, its path, or the name of a shipped recipe."""


def recipe_from(recipe: RecipeLike, overrides: list[Override]) -> tuple[Recipe, Path]:
    """Return a recipe with overrides, and the folder that its relative paths start from.

    Args:
        recipe: a recipe, its keys as a dict, its path, or the name of a shipped one.
        overrides: as `python_overrides` returns them.

    Raises:
        RecipeError: the recipe or an override is not valid, or it is a table.
    """
    if isinstance(recipe, str | PathLike):
        path = Path(recipe)
        return load_recipe(path, overrides), find_recipe(path).resolve().parent
    here = Path().resolve()
    if isinstance(recipe, Recipe):
        return (recipe_of(recipe.model_dump(mode="json"), overrides) if overrides else recipe), here
    if not isinstance(recipe, Mapping):
        raise RecipeError(
            f"recipe: a {type(recipe).__name__} is not a recipe, its path, its name or its keys as a dict; for a table:"
            " paracosm.fit(table, target=...), or paracosm.run(recipe, data=table)"
        )
    plain: dict[str, Any] = {"name": "table"} | {key: _plain(value) for key, value in recipe.items()}
    plain["data"] = {"source": IN_MEMORY} | dict(plain.get("data") or {})
    return recipe_of(plain, overrides), here


def python_overrides(
    overrides: Mapping[str, Any] | None, sections: Mapping[str, Any], *, caller: str
) -> list[Override]:
    """Return overrides of recipe keys.

    Args:
        overrides: dotted keys or sections, such as `{"finetune.epochs": 2}` or `{"finetune": {"epochs": 2}}`.
        sections: the same as keywords, such as `finetune={"epochs": 2}`; they win.
        caller: the function that got them, for errors.

    Raises:
        RecipeError: a keyword is not a section of the recipe.
    """
    for name in sections:
        if name not in Recipe.model_fields:
            raise RecipeError(f"{caller}: {_unknown(name)}")
    merged = list((overrides or {}).items()) + list(sections.items())
    return [override for key, value in merged for override in _flat(tuple(str(key).split(".")), value)]


def _flat(path: tuple[str, ...], value: Any) -> Iterator[Override]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat((*path, str(key)), inner)
        return
    plain = _plain(value)
    yield Override(f"{'.'.join(path)}={plain}", path, plain)


def _plain(value: Any) -> Any:
    """Return a value as YAML would hold it: numbers of numpy as numbers, paths and dates as text."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_plain(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if hasattr(value, "item") and not isinstance(value, PathLike):
        return _plain(value.item())
    isoformat = getattr(value, "isoformat", None)
    return str(value) if isoformat is None else isoformat()


def _unknown(name: str) -> str:
    """Return what to write instead of a keyword that is not a section."""
    sections = [each for each in Recipe.model_fields if node_at((each, name)) is not None]
    if sections:
        instead = " or ".join(f"{section}={{{name!r}: ...}}" for section in sections)
        return f"{name!r} is a key of a section; write {instead}"
    return f"unknown keyword {name!r}{did_you_mean(name, (*KEYWORDS, *Recipe.model_fields))}"

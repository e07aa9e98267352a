"""Licences of the adapter and of the synthetic records: from the recipe, else inherited from the data and the base model."""

from pathlib import Path

from paracosm.finetune.models.bundled_models import ALIASES
from paracosm.recipes.recipe import Recipe
from paracosm.registry.versions.checks import front_matter

UNKNOWN = "other"
"""The Hub's identifier of a licence that is not on its list, or not known."""
LARGEST_CARD = 2**20
"""Number of characters that are read of the card of a base model."""


def trains(recipe: Recipe) -> bool:
    """Return whether a version holds weights that were trained from a base model."""
    return recipe.strategy in ("finetuned", "combined")


def base_licence(base: str) -> str | None:
    """Return the licence of a base model, or None if it is not known. Nothing is downloaded.

    It is read from the table of bundled models, or from the model card in the folder or in the local Hub cache.
    """
    if base in ALIASES:
        return ALIASES[base].licence
    card = Path(base).expanduser() / "README.md"
    if not card.is_file():
        card = _cached_card(base)
    return None if card is None else _declared(card)


def _cached_card(base: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    if base.count("/") != 1 or base.startswith((".", "/", "~")):
        return None
    path = try_to_load_from_cache(base, "README.md")
    return Path(path) if isinstance(path, str) else None


def _declared(card: Path) -> str | None:
    with card.open(encoding="utf-8", errors="replace") as file:
        licence = front_matter(file.read(LARGEST_CARD)).get("license")
    return licence if isinstance(licence, str) and licence != UNKNOWN else None


def records_licence(recipe: Recipe) -> str | list[str]:
    """Return the licence of the synthetic records: `card.licence`, else `card.data_licence`, else `other`."""
    return recipe.card.licence or recipe.card.data_licence or UNKNOWN


def adapter_licence(recipe: Recipe) -> str | list[str]:
    """Return the licence of the adapter: `card.licence`, else those of the data and, if there is one, of the base model together.

    If one of the two inherited licences is unknown, the result is `other`, because the known one alone is not sufficient.
    """
    if recipe.card.licence:
        return recipe.card.licence
    if not trains(recipe):
        return records_licence(recipe)
    inherited = [recipe.card.data_licence, base_licence(recipe.model.base)]
    known = list(dict.fromkeys(licence for licence in inherited if licence))
    if None in inherited or not known:
        return UNKNOWN
    return known[0] if len(known) == 1 else known


def licence_words(recipe: Recipe) -> dict[str, str]:
    """Return the licences of `adapter` and `records` as text for the card, each with its origin."""
    base = base_licence(recipe.model.base)
    from_recipe = "as stated in the recipe" if recipe.card.licence else ""
    from_data = (
        "inherited from the data" if recipe.card.data_licence else "the licence of the data was not stated"
    )
    from_base = (
        f"inherited from the base model ({base})" if base else "the licence of the base model was not checked"
    )
    inherited = from_data if not trains(recipe) else f"{from_data}; {from_base}"
    return {
        "adapter": f"{_shown(adapter_licence(recipe))} ({from_recipe or inherited})",
        "records": f"{_shown(records_licence(recipe))} ({from_recipe or from_data})",
    }


def _shown(licence: str | list[str]) -> str:
    names = [licence] if isinstance(licence, str) else licence
    return "not stated (`other`)" if names == [UNKNOWN] else " and ".join(f"`{name}`" for name in names)

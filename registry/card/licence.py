"""Licences of an adapter and of its synthetic records: what the recipe says, else what base model and data pass on."""

from pathlib import Path

from paracosm.finetune.models.bundled_models import ALIASES
from paracosm.recipes.recipe import Recipe
from paracosm.registry.versions.checks import front_matter

UNKNOWN = "other"
LARGEST_CARD = 2**20


def base_licence(base: str) -> str | None:
    """Return the licence of a base model as its alias or its own card here says, else None; nothing is fetched."""
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
    found = try_to_load_from_cache(base, "README.md")
    return Path(found) if isinstance(found, str) else None


def _declared(card: Path) -> str | None:
    with card.open(encoding="utf-8", errors="replace") as file:
        licence = front_matter(file.read(LARGEST_CARD)).get("license")
    return licence if isinstance(licence, str) and licence != UNKNOWN else None


def records_licence(recipe: Recipe) -> str | list[str]:
    """Return the licence of the synthetic records: as the recipe says, else that of the data; `other` when neither is known."""
    return recipe.card.licence or recipe.card.data_licence or UNKNOWN


def adapter_licence(recipe: Recipe) -> str | list[str]:
    """Return the licence of the adapter: as the recipe says, else those of the data and of the base model together.

    A licence that is inherited and unknown makes the whole `other`: nobody may conclude that the known half is all.
    """
    if recipe.card.licence:
        return recipe.card.licence
    inherited = [recipe.card.data_licence, base_licence(recipe.model.base)]
    known = list(dict.fromkeys(each for each in inherited if each))
    if None in inherited or not known:
        return UNKNOWN
    return known[0] if len(known) == 1 else known


def licence_words(recipe: Recipe) -> dict[str, str]:
    """Return, for the card, the licence of adapter and of records, each with where it comes from."""
    base = base_licence(recipe.model.base)
    said = "as the recipe says" if recipe.card.licence else ""
    from_data = "inherited from the data" if recipe.card.data_licence else "that of the data was not stated"
    from_base = (
        f"inherited from the base model ({base})" if base else "that of the base model was not checked"
    )
    return {
        "adapter": f"{_shown(adapter_licence(recipe))} ({said or f'{from_data}; {from_base}'})",
        "records": f"{_shown(records_licence(recipe))} ({said or from_data})",
    }


def _shown(licence: str | list[str]) -> str:
    names = [licence] if isinstance(licence, str) else licence
    return "not stated (`other`)" if names == [UNKNOWN] else " and ".join(f"`{name}`" for name in names)

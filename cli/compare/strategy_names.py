"""The strategies that can be compared, and the recipe keys that each one sets."""

from collections.abc import Sequence
from typing import get_args

from paracosm.foundation.errors import RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.loading.overrides import Override, read_overrides
from paracosm.recipes.sections.statistical import Method

STRATEGIES: dict[str, tuple[str, ...]] = {
    **{method: ("strategy=statistical", f"statistical.method={method}") for method in get_args(Method)},
    "prompt": ("strategy=prompt",),
    "chain": ("strategy=chain",),
    "finetuned": ("strategy=finetuned",),
    "augment": ("strategy=augment",),
    "combined": ("strategy=combined",),
}
"""Name -> the overrides that make a recipe use it."""
SET_HERE = {("strategy",), ("statistical", "method")}


def read_strategies(text: str) -> tuple[str, ...]:
    """Return the names in a list such as `forest,finetuned`, each once, in order.

    Raises:
        RecipeError: a name is unknown, or there is none.
    """
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if not names:
        raise RecipeError(f"--strategies: names no strategy; allowed: {', '.join(STRATEGIES)}")
    for name in names:
        if name not in STRATEGIES:
            allowed = ", ".join(STRATEGIES)
            raise RecipeError(
                f"--strategies: {name!r} is not a strategy (allowed: {allowed}){did_you_mean(name, STRATEGIES)}"
            )
    return names


def read_train_rows(text: str) -> tuple[int | None, ...]:
    """Return the numbers in a list such as `50,200,all`, ascending and each once, None for `all`, which is always the last.

    Raises:
        RecipeError: an entry is neither a number above 0 nor `all`.
    """
    numbers: set[int] = set()
    for entry in (entry.strip() for entry in text.split(",")):
        if entry == "all":
            continue
        if not entry.isdecimal() or int(entry) < 1:
            raise RecipeError(
                f"--train-rows: {entry!r} is not a number of rows (allowed: numbers above 0, and all)"
            )
        numbers.add(int(entry))
    return (*sorted(numbers), None)


def with_strategy(overrides: Sequence[str | Override], name: str) -> list[Override]:
    """Return the overrides of a run, followed by those of its strategy.

    Raises:
        RecipeError: an override is not valid, or sets what the strategy sets.
    """
    given = read_overrides(overrides)
    for override in given:
        if tuple(override.path) in SET_HERE:
            raise RecipeError(f"{override.label}: is set by each strategy; name strategies with --strategies")
    return [*given, *read_overrides(STRATEGIES[name])]

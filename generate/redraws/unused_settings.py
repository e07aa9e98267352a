"""Refusal of settings of the `generate` section that a strategy without a language model does not have."""

from collections.abc import Iterable

from paracosm.foundation.errors import RecipeError
from paracosm.recipes.sections.generate import Generate


def refuse_unused(settings: Generate, names: Iterable[str], strategy: str, why: str) -> None:
    """Check that the `generate` section sets nothing that a strategy does not have.

    Args:
        settings: the section.
        names: of the settings that have to keep their defaults.
        strategy: without a language model that it decodes.
        why: the end of the error about such a setting.

    Raises:
        RecipeError: it does.
    """
    for name in names:
        if getattr(settings, name) != Generate.model_fields[name].get_default():
            raise RecipeError(f"generate.{name}: {why}")
    if settings.engine == "vllm":
        raise RecipeError(
            f"generate.engine: vllm is for language models; use local or ray with strategy {strategy}"
        )

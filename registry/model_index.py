"""The YAML front matter of a card: Hugging Face metadata, with every measured metric in its `model-index`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paracosm.finetune.base_model import ALIASES
from paracosm.recipes.recipe import Recipe
from paracosm.registry.facts import GROUPS, metric_rows

if TYPE_CHECKING:
    from huggingface_hub import EvalResult, ModelCardData

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
ARGUMENTS = ("interval", "ceiling", "floor", "worst", "normalised")


def hub_id(base: str) -> str | None:
    """Return the Hub id of a base model as a recipe names it, or None for a folder of the user's machine."""
    if base in ALIASES:
        return ALIASES[base].upstream
    if Path(base).expanduser().is_dir() or not HUB_ID.fullmatch(base):
        return None
    return base


def base_name(base: str) -> str:
    """Return how a card calls a base model: its Hub id, or the folder's own name without the way to it."""
    return hub_id(base) or Path(base).name


def base_licence(base: str) -> str | None:
    """Return the licence of a base model that this project has checked itself, else None."""
    return ALIASES[base].licence if base in ALIASES else None


def card_data(recipe: Recipe, metrics: dict[str, Any], verdict: str, *, has_text: bool) -> "ModelCardData":
    """Return the metadata of a run's model card."""
    from huggingface_hub import ModelCardData

    base = hub_id(recipe.model.base)
    source = recipe.data.source
    return ModelCardData(
        license=recipe.card.licence,
        base_model=base,
        base_model_relation="adapter" if base else None,
        datasets=[source.removeprefix("hf://")] if source.startswith("hf://") else None,
        library_name="peft",
        pipeline_tag="text-generation",
        language=recipe.card.language,
        tags=[*_tags(verdict, has_text), *recipe.card.tags],
        model_name=recipe.name,
        eval_results=eval_results(recipe, metrics) or None,
    )


def _tags(verdict: str, has_text: bool) -> list[str]:
    return [
        "paracosm",
        "synthetic-data",
        "text" if has_text else "tabular",
        "lora",
        f"gate-{verdict.lower()}",
    ]


def eval_results(recipe: Recipe, metrics: dict[str, Any]) -> "list[EvalResult]":
    """Return one result per measured metric, its interval and anchors as the metric's arguments."""
    from huggingface_hub import EvalResult

    title = recipe.card.title or recipe.name
    return [
        EvalResult(
            task_type="text-generation",
            task_name=f"Synthetic records: {shown.lower()}",
            dataset_type=recipe.name,
            dataset_name=f"{title} (held-out records)",
            dataset_config=group,
            dataset_split="test" if group == "utility" else "control",
            metric_type=metric["name"],
            metric_name=metric.get("title", metric["name"]),
            metric_value=metric["value"],
            metric_args={key: metric[key] for key in ARGUMENTS if metric.get(key) is not None} or None,
        )
        for group, shown in GROUPS.items()
        for metric in metric_rows(metrics, group)
    ]

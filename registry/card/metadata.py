"""The YAML front matter of a card: Hugging Face metadata, with every measured metric in its `model-index`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paracosm.finetune.models.bundled_models import ALIASES
from paracosm.recipes.recipe import Recipe
from paracosm.records.schema.schema import Schema
from paracosm.registry.card.facts import groups_of, metric_rows
from paracosm.registry.card.licence import adapter_licence, records_licence

if TYPE_CHECKING:
    from huggingface_hub import DatasetCardData, EvalResult, ModelCardData

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
ARGUMENTS = ("interval", "ceiling", "floor", "worst", "normalised")


def hub_id(base: str) -> str | None:
    """Return the Hub id of a base model as a recipe names it, or None for a folder of the user's machine."""
    if base in ALIASES:
        base = ALIASES[base].upstream
    if Path(base).expanduser().is_dir() or not HUB_ID.fullmatch(base):
        return None
    return base


def base_name(base: str) -> str:
    """Return how a card calls a base model: its Hub id, its alias, or the folder's own name without the way to it."""
    return hub_id(base) or Path(base).name


def card_data(recipe: Recipe, metrics: dict[str, Any], verdict: str, *, has_text: bool) -> "ModelCardData":
    """Return the metadata of a run's model card."""
    from huggingface_hub import ModelCardData

    base = hub_id(recipe.model.base)
    source, whole = recipe.data.source, recipe.finetune.method == "full"
    return ModelCardData(
        license=adapter_licence(recipe),  # type: ignore[arg-type]  # a list is allowed, and typed as a string
        base_model=base,
        base_model_relation=("finetune" if whole else "adapter") if base else None,
        datasets=[source.removeprefix("hf://")] if source.startswith("hf://") else None,
        library_name="transformers" if whole else "peft",
        pipeline_tag={"causal": "text-generation", "masked": "fill-mask"}[recipe.finetune.objective],
        language=recipe.card.language,
        tags=[*_tags(verdict, has_text), *recipe.card.tags],
        model_name=recipe.name,
        eval_results=eval_results(recipe, metrics) or None,
    )


def data_card_data(recipe: Recipe, schema: Schema, verdict: str, *, rows: int | None) -> "DatasetCardData":
    """Return the metadata of the card of a run's synthetic records."""
    from huggingface_hub import DatasetCardData

    source = recipe.data.source
    return DatasetCardData(
        license=records_licence(recipe),  # type: ignore[arg-type]  # typed more narrowly than the Hub allows
        language=recipe.card.language,
        pretty_name=recipe.card.title or recipe.name,
        size_categories=None if rows is None else _size_category(rows),
        task_categories=_tasks(recipe, schema) or None,
        source_datasets=[source.removeprefix("hf://")] if source.startswith("hf://") else None,
        tags=data_tags(recipe, schema, verdict),
        configs=[{"config_name": "default", "data_files": "records.parquet"}],
    )


def data_tags(recipe: Recipe, schema: Schema, verdict: str) -> list[str]:
    """Return the tags of a set of synthetic records."""
    kind = "text" if any(field.type == "text" for field in schema) else "tabular"
    return ["paracosm", "synthetic-data", kind, f"gate-{verdict.lower()}", *recipe.card.tags]


def _tasks(recipe: Recipe, schema: Schema) -> list[str]:
    target = next((field for field in schema if field.name == recipe.data.target), None)
    if target is None:
        return []
    if any(field.type == "text" for field in schema):
        return ["text-classification"] if target.type in ("category", "boolean") else ["text-generation"]
    return ["tabular-regression" if target.type == "number" else "tabular-classification"]


def _size_category(rows: int) -> str:
    """Return the Hub's class of size: `n<1K`, `1K<n<10K` and so on."""
    steps = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
    return next((name for limit, name in steps if rows < limit), "1M<n<10M")


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
        for group, shown in groups_of(metrics).items()
        for metric in metric_rows(metrics, group)
    ]

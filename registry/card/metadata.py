"""The YAML front matter of a card: Hugging Face metadata, with every measured metric in its `model-index`."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.eval.results.metric_entry import MeasuredMetric
from paracosm.finetune.models.bundled_models import ALIASES
from paracosm.foundation.credentials.redaction import redact_url
from paracosm.recipes.recipe import Recipe
from paracosm.records.schema.schema import Field, Schema
from paracosm.registry.card.facts import GROUPS
from paracosm.registry.card.licence import adapter_licence, records_licence, trains

if TYPE_CHECKING:
    from huggingface_hub import DatasetCardData, EvalResult, ModelCardData

HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*/[\w.-]+")
ARGUMENTS = ("interval", "ceiling", "floor", "worst", "normalised")
"""What of a measured metric stands in the arguments of its `model-index` entry."""
CLASSIFICATION = {"text": "text-classification", "tabular": "tabular-classification"}
REGRESSION = {"text": "text-generation", "tabular": "tabular-regression"}
GENERATION = {"text": "text-generation", "tabular": "other"}
"""Kind of records -> the Hub's name of a task; it has none for generating tables or for a number read off a text."""
MAX_CLASSES = 20
"""Distinct whole numbers above which predicting a column is regression and not classification."""


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


def model_name(recipe: Recipe) -> str:
    """Return how a card calls what generates the records: the base model, or the statistical method where there is none."""
    if recipe.strategy == "statistical":
        return f"statistics ({recipe.statistical.method})"
    if recipe.strategy == "combined":
        return f"statistics ({recipe.statistical.method}) and {base_name(recipe.model.base)}"
    if recipe.strategy in ("prompt", "chain"):
        return prompted_models(recipe)
    if recipe.strategy == "augment":
        return "augmentation of training records"
    return base_name(recipe.model.base)


def prompted_models(recipe: Recipe) -> str:
    """Return the names of the models that a recipe prompts."""
    from paracosm.generate.chains.prompt_plan import bases, servers

    names = [*(base_name(base) for base in bases(recipe)), *(server.model for _, server in servers(recipe))]
    return ", ".join(dict.fromkeys(names)) or "no language model"


def card_data(recipe: Recipe, schema: Schema, evaluation: EvaluationFile, verdict: str) -> "ModelCardData":
    """Return the metadata of a run's model card."""
    from huggingface_hub import ModelCardData

    untrained = not trains(recipe)
    base = None if untrained else hub_id(recipe.model.base)
    source, whole = redact_url(recipe.data.source), recipe.finetune.method == "full"
    task = {"causal": "text-generation", "masked": "fill-mask"}[recipe.finetune.objective]
    return ModelCardData(
        license=adapter_licence(recipe),  # type: ignore[arg-type]  # a list is allowed, and typed as a string
        base_model=base,
        base_model_relation=("finetune" if whole else "adapter") if base else None,
        datasets=[source.removeprefix("hf://")] if source.startswith("hf://") else None,
        library_name="paracosm" if untrained else "transformers" if whole else "peft",
        pipeline_tag=None if untrained else task,
        language=recipe.card.language,
        tags=_model_tags(recipe, schema, verdict),
        model_name=recipe.name,
        eval_results=eval_results(recipe, schema, evaluation) or None,
    )


def data_card_data(recipe: Recipe, schema: Schema, verdict: str, *, rows: int | None) -> "DatasetCardData":
    """Return the metadata of the card of a run's synthetic records."""
    from huggingface_hub import DatasetCardData

    source = redact_url(recipe.data.source)
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
    return ["paracosm", "synthetic-data", _kind(schema), f"gate-{verdict.lower()}", *recipe.card.tags]


def _model_tags(recipe: Recipe, schema: Schema, verdict: str) -> list[str]:
    method = "full-finetune" if recipe.finetune.method == "full" else "lora"
    if recipe.strategy == "statistical":
        method = recipe.statistical.method
    elif recipe.strategy == "combined":
        method = f"{recipe.statistical.method}-and-{method}"
    elif recipe.strategy == "augment":
        method = "data-augmentation"
    elif recipe.strategy in ("prompt", "chain"):
        method = "prompting"
    own = ["paracosm", "synthetic-data", _kind(schema), method, f"gate-{verdict.lower()}"]
    return [*own, *recipe.card.tags]


def _kind(schema: Schema) -> Literal["text", "tabular"]:
    return "text" if any(field.is_text for field in schema) else "tabular"


def _tasks(recipe: Recipe, schema: Schema) -> list[str]:
    """Return the Hub's name of the task that the target sets: classification, or regression for many numeric values."""
    target = next((field for field in schema if field.name == recipe.data.target), None)
    if target is None:
        return []
    return [(REGRESSION if _is_regression(target) else CLASSIFICATION)[_kind(schema)]]


def _is_regression(target: Field) -> bool:
    if target.is_whole:
        low, high = target.minimum, target.maximum
        return not (isinstance(low, int) and isinstance(high, int) and high - low < MAX_CLASSES)
    return target.ordered


def _size_category(rows: int) -> str:
    """Return the Hub's class of size: `n<1K`, `1K<n<10K` and so on."""
    steps = [(1_000, "n<1K"), (10_000, "1K<n<10K"), (100_000, "10K<n<100K"), (1_000_000, "100K<n<1M")]
    return next((name for limit, name in steps if rows < limit), "1M<n<10M")


def eval_results(recipe: Recipe, schema: Schema, evaluation: EvaluationFile) -> "list[EvalResult]":
    """Return one `model-index` entry for each measured metric, with its interval and anchors as arguments."""
    from huggingface_hub import EvalResult

    title = recipe.card.title or recipe.name
    return [
        EvalResult(
            task_type=GENERATION[_kind(schema)],
            task_name=f"Synthetic records: {section_title.lower()}",
            dataset_type=recipe.name,
            dataset_name=f"{title} (held-out records)",
            dataset_config=section,
            dataset_split="test" if section == "utility" else "control",
            metric_type=metric.name,
            metric_name=metric.title,
            metric_value=metric.value,
            metric_args=_arguments(metric),
        )
        for section, section_title in GROUPS.items()
        for metric in evaluation.measured.values()
        if metric.section == section
    ]


def _arguments(metric: MeasuredMetric) -> dict[str, Any]:
    plain = metric.model_dump(mode="json", include=set(ARGUMENTS))
    return {name: plain[name] for name in ARGUMENTS if plain.get(name) is not None}

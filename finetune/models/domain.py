"""A base model that was trained on a corpus of its domain: where its weights lie, and how they are loaded.

The folder of such weights holds a LoRA adapter, which is merged into the base model when that is loaded, or a whole model.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from paracosm.finetune.models.adapter_files import CONFIG, WEIGHTS, check_adapter, check_fits
from paracosm.finetune.models.base_model import base_digest, load_base, load_for_training
from paracosm.finetune.models.pretrained import load_pretrained_adapter
from paracosm.finetune.models.weight_files import has_weights
from paracosm.foundation.digests import folder_digest
from paracosm.foundation.errors import ModelError
from paracosm.recipes.sections.model import Model
from paracosm.recipes.sections.section import Objective

if TYPE_CHECKING:
    from transformers import PreTrainedModel

DOMAIN = "domain"
"""Folder of the weights of the domain inside the folder of a trained model."""


def domain_of(folder: Path) -> Path | None:
    """Return the folder of the domain's weights of a trained model; None if it stands on the base model as it was published."""
    return folder / DOMAIN if (folder / DOMAIN).is_dir() else None


def load_domain_base(
    model: Model, domain: Path | None, *, objective: Objective = "causal", short_sequences: bool = False
) -> "PreTrainedModel":
    """Load a base model as `load_base` does, with the weights of its domain.

    Raises:
        ModelError: the base model is missing or unsuitable, or the weights of the domain are damaged or do not fit it.
    """
    if domain is None:
        return load_base(model, objective=objective, short_sequences=short_sequences)
    return _with_domain(model, domain, objective, short_sequences)


def load_domain_base_for_training(
    model: Model, domain: Path | None, *, objective: Objective = "causal", short_sequences: bool = False
) -> "PreTrainedModel":
    """Load a base model as `load_for_training` does, with the weights of its domain; see `load_domain_base`."""
    if domain is None:
        return load_for_training(model, objective=objective, short_sequences=short_sequences)
    return _with_domain(model, domain, objective, short_sequences)


def domain_digest(model: Model, domain: Path | None) -> str:
    """Return an identifier of the weights that a record adapter stands on."""
    base = base_digest(model)
    return base if domain is None else f"{base}+sha256:{folder_digest(domain)}"


def _with_domain(
    model: Model, domain: Path, objective: Objective, short_sequences: bool
) -> "PreTrainedModel":
    if has_weights(domain):
        # Layers were removed before the training on the corpus.
        whole = Model(base=str(domain.resolve()), dtype=model.dtype)
        return load_base(whole, objective=objective, short_sequences=short_sequences)
    for name in (CONFIG, WEIGHTS):
        if not (domain / name).is_file():
            raise ModelError(f"{domain}: lacks {name}; repeat the stage with `paracosm run`")
    adapter = check_adapter(domain)
    base = load_base(model, objective=objective, short_sequences=short_sequences)
    check_fits(adapter, base)
    merged = load_pretrained_adapter(base, domain, adapter.lora_config()).merge_and_unload()
    return merged.requires_grad_(False)

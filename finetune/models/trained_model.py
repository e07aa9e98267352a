"""Load a trained model from its folder: an adapter over its base, or a fully fine-tuned model, with its codec."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from paracosm.finetune.models.adapter_files import CONFIG, WEIGHTS, check_adapter, check_fits
from paracosm.finetune.models.base_model import base_digest, load_base
from paracosm.finetune.models.domain import domain_of, load_domain_base
from paracosm.finetune.models.library_logging import quiet_libraries
from paracosm.finetune.models.pretrained import (
    load_errors,
    load_pretrained_adapter,
    load_pretrained_tokenizer,
)
from paracosm.finetune.models.weight_files import has_weights, write_errors
from paracosm.foundation.errors import ModelError, ParacosmError
from paracosm.foundation.json_files import read_json
from paracosm.recipes.sections.finetune import Finetune
from paracosm.recipes.sections.model import Model
from paracosm.recipes.sections.section import Objective
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.stored_codec import codec_from_json
from paracosm.records.codec.token_masks import TokenMasks

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel

ADAPTER = (WEIGHTS, CONFIG)
"""Files of an adapter."""
FULL_MODEL = "config.json"
"""File of a fully fine-tuned model, beside its weights."""
CODEC = "codec.json"
BASE = "base.json"
DIGEST = "digest"
"""Key of `base.json`: digest of the base weights, where these lie in a local folder."""


def is_trained(folder: Path) -> bool:
    """Return whether a folder holds an adapter or a fully fine-tuned model."""
    return all((folder / name).is_file() for name in ADAPTER) or is_full_model(folder)


def is_full_model(folder: Path) -> bool:
    """Return whether a folder holds a fully fine-tuned model."""
    return (folder / FULL_MODEL).is_file() and has_weights(folder)


def objective_of(folder: Path) -> Objective:
    """Return the training objective of the model in a folder, from its codec."""
    layout = read_json(folder / CODEC, ModelError).get("layout")
    return "masked" if layout == "slots" else "causal"


def base_settings(folder: Path) -> dict[str, Any]:
    """Return the recipe's section `model` with which the model in a folder was trained, as plain values."""
    plain = read_json(folder / BASE, ModelError)
    return {key: value for key, value in plain.items() if key != DIGEST}


def load_codec(folder: Path) -> tuple[Codec, TokenMasks]:
    """Load the codec of a trained model, and the token masks of its grammar.

    Args:
        folder: written by the finetune stage.

    Raises:
        ModelError: a file of a trained model is missing.
    """
    for name in (CODEC, BASE):
        if not (folder / name).is_file():
            raise ModelError(f"{folder}: has no adapter (no {name}); run the finetune stage first")
    if not is_trained(folder):
        raise ModelError(f"{folder}: has no adapter (no {ADAPTER[0]}); run the finetune stage first")
    with load_errors("tokenizer", str(folder)):
        tokenizer: Any = load_pretrained_tokenizer(folder)
    text = json.dumps(read_json(folder / CODEC, ModelError))
    try:
        codec = codec_from_json(text, tokenizer)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # A DataError of the codec says what the tokenizer cannot encode.
        if isinstance(error, ParacosmError):
            raise
        raise ModelError(f"{folder / CODEC}: is not the codec of a model that Paracosm trained") from error
    return codec, TokenMasks(codec)


@quiet_libraries()
def load_trained(
    folder: Path,
    vocabulary: "Sequence[int] | None",
    *,
    dtype: Literal["float32", "bfloat16"] | None = None,
    short_sequences: bool = False,
) -> "PreTrainedModel":
    """Load a trained model with frozen weights, its adapter merged into the base.

    A base that was quantized in training is quantized and dequantized again, so that the adapter is merged into the
    weights that it was trained on.

    Args:
        folder: written by the finetune stage.
        vocabulary: token ids to which the head is restricted; None keeps the full head.
        dtype: precision of the weights; None for the recipe's.
        short_sequences: see `load_base`.

    Raises:
        ModelError: the base model is missing, or the adapter is not complete or does not fit it.
    """
    from paracosm.finetune.models.restricted_head import restrict_head

    objective = objective_of(folder)
    if is_full_model(folder):
        section = _model_section(folder, dtype)
        model = load_base(_as_base(folder, section), objective=objective, short_sequences=short_sequences)
        restrict_head(model, vocabulary)
    else:
        adapter = check_adapter(folder)
        base = load_domain_base(
            _base_section(folder, dtype),
            domain_of(folder),
            objective=objective,
            short_sequences=short_sequences,
        )
        restrict_head(base, vocabulary)
        check_fits(adapter, base)
        model = load_pretrained_adapter(base, folder, adapter.lora_config()).merge_and_unload()
    model.requires_grad_(False)
    model.eval()
    return model


@quiet_libraries()
def load_untrained(
    folder: Path, vocabulary: "Sequence[int] | None", *, short_sequences: bool = False
) -> "PreTrainedModel":
    """Load the base model of a trained model without its adapter, and with the weights of its domain where it was adapted to one.

    See `load_trained` for the arguments.
    """
    from paracosm.finetune.models.restricted_head import restrict_head

    base = load_domain_base(
        _base_section(folder, None),
        domain_of(folder),
        objective=objective_of(folder),
        short_sequences=short_sequences,
    )
    restrict_head(base, vocabulary)
    base.eval()
    return base


@quiet_libraries()
def load_trainable(
    folder: Path, vocabulary: "Sequence[int] | None", *, short_sequences: bool = False
) -> "PreTrainedModel":
    """Load a trained model for further training: with its own adapter, or a new adapter over a fully fine-tuned model."""
    from peft import get_peft_model

    from paracosm.finetune.models.lora import lora_config

    if is_full_model(folder):
        model = load_trained(folder, vocabulary, short_sequences=short_sequences)
        return get_peft_model(model, lora_config(Finetune(objective=objective_of(folder))))  # type: ignore[return-value]
    adapter = check_adapter(folder)
    base = load_untrained(folder, vocabulary, short_sequences=short_sequences)
    check_fits(adapter, base)
    return load_pretrained_adapter(base, folder, adapter.lora_config(), trainable=True)


@quiet_libraries()
def export(adapter: Path, folder: Path, dtype: Literal["float32", "bfloat16"] | None = None) -> None:
    """Write a trained model as one merged model with the full head, which transformers loads without peft.

    Args:
        adapter: folder written by the finetune stage.
        folder: where to write; replaced if it exists.
        dtype: of the weights; None for the recipe's.

    Raises:
        ModelError: `adapter` holds no trained model, or the base model is missing.
    """
    from paracosm.foundation.files import replacing

    if not is_trained(adapter):
        raise ModelError(f"{adapter}: has no adapter; run the finetune stage first")
    merged = load_trained(adapter, None, dtype=dtype)
    with replacing(folder) as partial, write_errors(folder):
        merged.save_pretrained(partial)
        load_pretrained_tokenizer(adapter).save_pretrained(partial)


def _base_section(folder: Path, dtype: str | None) -> Model:
    """Return the section of the base model, after comparing its weights with those that were trained on."""
    section = _model_section(folder, dtype)
    digest = read_json(folder / BASE, ModelError).get(DIGEST)
    if digest is not None and base_digest(section) != digest:
        raise ModelError(
            f"{folder / BASE}: the weights of {section.base!r} are not those that this adapter was trained on"
        )
    return section


def _model_section(folder: Path, dtype: str | None) -> Model:
    try:
        section = Model.model_validate(base_settings(folder))
    except ValidationError as error:
        raise ModelError(f"{folder / BASE}: is not the `model` section of a recipe") from error
    return section if dtype is None else section.model_copy(update={"dtype": dtype})


def _as_base(folder: Path, section: Model) -> Model:
    # Without `layers`: they were removed before training.
    return Model(base=str(folder.resolve()), dtype=section.dtype)

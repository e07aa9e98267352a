"""A model as it was trained, from the adapter folder: an adapter over its base, or weights of its own."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from paracosm.finetune.models.base_model import load_base
from paracosm.foundation.errors import ModelError
from paracosm.recipes.sections.finetune import Finetune
from paracosm.recipes.sections.model import Model
from paracosm.recipes.sections.section import Objective

if TYPE_CHECKING:
    from collections.abc import Sequence

    from transformers import PreTrainedModel

    from paracosm.records.codec.codec import Codec
    from paracosm.records.codec.token_masks import TokenMasks

ADAPTER = ("adapter_model.safetensors", "adapter_config.json")
WHOLE = "config.json"


def is_tuned(folder: Path) -> bool:
    """Return whether a folder holds an adapter, or a whole model under `finetune.method: full`."""
    return all((folder / name).is_file() for name in ADAPTER) or is_whole(folder)


def is_whole(folder: Path) -> bool:
    """Return whether a folder holds a model whose own weights were trained."""
    return (folder / WHOLE).is_file() and any(folder.glob("model*.safetensors"))


def objective_of(folder: Path) -> Objective:
    """Return what the model in a folder was trained for, by the codec beside it."""
    layout = json.loads((folder / "codec.json").read_text(encoding="utf-8"))["layout"]
    return "masked" if layout == "slots" else "causal"


def load_codec(folder: Path) -> "tuple[Codec, TokenMasks]":
    """Return the codec of an adapter folder and its token masks."""
    from transformers import AutoTokenizer

    from paracosm.records.codec.codec import Codec
    from paracosm.records.codec.token_masks import TokenMasks

    tokenizer = AutoTokenizer.from_pretrained(folder)
    codec = Codec.from_json((folder / "codec.json").read_text(encoding="utf-8"), tokenizer)
    return codec, TokenMasks(codec)


def load_tuned(
    folder: Path,
    vocabulary: "Sequence[int] | None",
    *,
    dtype: Literal["float32", "bfloat16"] | None = None,
    short_sequences: bool = False,
) -> "PreTrainedModel":
    """Load the model with its adapter merged into the weights, frozen.

    A base that was packed in few bits while the adapter trained is packed and unpacked again, so that the adapter is
    merged into the weights that it was trained on.

    Args:
        folder: that `finetune` wrote.
        vocabulary: what the head is restricted to; None keeps it whole.
        dtype: precision of the weights; the recipe's choice when absent.
        short_sequences: see `load_base`.

    Raises:
        ModelError: the base model is missing.
    """
    from paracosm.finetune.models.restricted_head import restrict_head

    described, objective = _described(folder, dtype), objective_of(folder)
    if is_whole(folder):
        model = load_base(_as_base(folder, described), objective=objective, short_sequences=short_sequences)
        restrict_head(model, vocabulary)
    else:
        from peft import PeftModel

        base = load_base(described, objective=objective, short_sequences=short_sequences)
        restrict_head(base, vocabulary)
        model = PeftModel.from_pretrained(base, str(folder)).merge_and_unload()
    model.requires_grad_(False)
    model.eval()
    return model


def load_untrained(
    folder: Path, vocabulary: "Sequence[int] | None", *, short_sequences: bool = False
) -> "PreTrainedModel":
    """Load the base model that the adapter in a folder was trained on, without it; arguments as for `load_tuned`."""
    from paracosm.finetune.models.restricted_head import restrict_head

    base = load_base(
        _described(folder, None), objective=objective_of(folder), short_sequences=short_sequences
    )
    restrict_head(base, vocabulary)
    base.eval()
    return base


def load_trainable(
    folder: Path, vocabulary: "Sequence[int] | None", *, short_sequences: bool = False
) -> "PreTrainedModel":
    """Load the model so that it can go on learning: its own adapter, or a fresh one over weights of its own."""
    from peft import PeftModel, get_peft_model

    from paracosm.finetune.models.lora import lora_config

    if is_whole(folder):
        model = load_tuned(folder, vocabulary, short_sequences=short_sequences)
        return get_peft_model(model, lora_config(Finetune(objective=objective_of(folder))))  # type: ignore[return-value]
    base = load_untrained(folder, vocabulary, short_sequences=short_sequences)
    return PeftModel.from_pretrained(base, str(folder), is_trainable=True)  # type: ignore[return-value]


def export(adapter: Path, folder: Path, dtype: Literal["float32", "bfloat16"] | None = None) -> None:
    """Write an adapter folder as one plain model with the whole head, which transformers alone can load.

    Args:
        adapter: that `finetune` wrote.
        folder: is made, or replaced as a whole.
        dtype: of the weights; the recipe's choice when absent.
    """
    from transformers import AutoTokenizer

    from paracosm.foundation.files import replacing

    if not is_tuned(adapter):
        raise ModelError(f"{adapter}: holds no adapter; run the finetune stage first")
    whole = load_tuned(adapter, None, dtype=dtype)
    with replacing(folder) as partial:
        whole.save_pretrained(partial)
        AutoTokenizer.from_pretrained(adapter).save_pretrained(partial)


def _described(folder: Path, dtype: str | None) -> Model:
    described = Model.model_validate(json.loads((folder / "base.json").read_text(encoding="utf-8")))
    return described if dtype is None else described.model_copy(update={"dtype": dtype})


def _as_base(folder: Path, described: Model) -> Model:
    # The layers were cut before training.
    return Model(base=str(folder.resolve()), dtype=described.dtype)

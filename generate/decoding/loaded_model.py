"""A trained adapter, ready to sample: base model, merged adapter, restricted head, codec."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from paracosm.finetune.models.base_model import processor
from paracosm.finetune.models.trained_model import ADAPTER, is_tuned, load_codec, load_tuned
from paracosm.foundation.errors import ModelError
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.token_masks import TokenMasks

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class AdaptedModel:
    """What generation needs.

    Attributes:
        model: the base with the adapter merged into its weights and the head restricted to `codec.vocabulary`.
        codec: of the records that the adapter was trained on.
        masks: token masks of the codec's grammar.
    """

    model: "PreTrainedModel"
    codec: Codec
    masks: TokenMasks


def load_adapted(folder: Path) -> AdaptedModel:
    """Load an adapter folder that `finetune` wrote.

    Args:
        folder: holds the adapter, `codec.json`, `base.json` and the tokenizer.

    Raises:
        ModelError: the folder is no such adapter, or the base model is missing.
    """
    for name in ("codec.json", "base.json"):
        if not (folder / name).is_file():
            raise ModelError(f"{folder}: holds no adapter (no {name}); run the finetune stage first")
    if not is_tuned(folder):
        raise ModelError(f"{folder}: holds no adapter (no {ADAPTER[0]}); run the finetune stage first")
    codec, masks = load_codec(folder)
    # Fused attention: one query token a row reads the cache without a copy per query head.
    merged = load_tuned(folder, codec.vocabulary)
    return AdaptedModel(merged.to(processor()), codec, masks)  # type: ignore[arg-type]  # typed as unbound

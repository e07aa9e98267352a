"""A trained adapter, ready to sample: base model, merged adapter, restricted head, codec."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from paracosm.finetune.models.base_model import device_type
from paracosm.finetune.models.trained_model import load_codec, load_trained
from paracosm.generate.constraints.request import Abilities
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
    """Load a trained model for sampling.

    Args:
        folder: written by the finetune stage: adapter or full model, `codec.json`, `base.json` and the tokenizer.

    Raises:
        ModelError: a file of a trained model is missing, or the base model is.
    """
    codec, masks = load_codec(folder)
    # Fused attention reads the cache without a copy per query head when each row has one query token.
    merged = load_trained(folder, codec.vocabulary)
    return AdaptedModel(merged.to(device_type()), codec, masks)  # type: ignore[arg-type]  # typed as unbound


def abilities_of(codec: Codec) -> Abilities:
    """Return what a model that was trained on a codec's records can be asked for."""
    masked = codec.objective == "masked"
    return Abilities(codec.schema, bool(codec.markers), random_order=masked, rewrites_texts=masked)

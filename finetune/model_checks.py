"""What a local base model must be, found without its weights in memory: architecture, shapes and kinds of its tensors."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paracosm.finetune.models.weight_files import tensor_kinds, tensor_shapes, weight_files
from paracosm.foundation.errors import ModelError

if TYPE_CHECKING:
    from transformers import PretrainedConfig, PreTrainedModel

LAYER = re.compile(r"\.(\d+)\.")
"""Number of the layer in the name of a tensor."""
TRAINABLE_KINDS = ("F64", "F32", "F16", "BF16", "BOOL", "I64", "I32", "U8")
"""Types of values in a folder of weights: floats, and integers that tables of positions have."""


def check_weights(name: str, folder: Path, config: "PretrainedConfig", model: "PreTrainedModel") -> None:
    """Check the head, the layers, the shapes and the types of the stored tensors against the configuration.

    Args:
        name: of the model, for messages.
        folder: holds config.json and the weights.
        config: of the model.
        model: built from it on torch's meta device.

    Raises:
        ModelError: the weights are not those of this model.
    """
    files = weight_files(folder)
    stored = {tensor: shape for file in files for tensor, shape in tensor_shapes(file).items()}
    kinds = {tensor: kind for file in files for tensor, kind in tensor_kinds(file).items()}
    expected = {tensor: tuple(weights.shape) for tensor, weights in model.named_parameters()}
    _check_kinds(name, kinds, stored)
    for tensor in sorted(stored.keys() & expected.keys()):
        if stored[tensor] != expected[tensor]:
            raise ModelError(
                f"model.base: {name!r} has the tensor {tensor!r} in the shape {_shape(stored[tensor])}, and its config.json says"
                f" {_shape(expected[tensor])}; take both from the same model"
            )
    layers, wanted = (
        {int(found[1]) for tensor in tensors if (found := LAYER.search(tensor))}
        for tensors in (stored, expected)
    )
    if missing := wanted - layers:
        raise ModelError(
            f"model.base: {name!r} lacks the weights of layer {min(missing)}; its config.json has {len(wanted)} layers here, and its weights"
            f" {len(layers)}"
        )
    _check_head(name, config, model, stored)


def _check_head(
    name: str, config: "PretrainedConfig", model: "PreTrainedModel", stored: dict[str, tuple[int, ...]]
) -> None:
    prefix = f"{model.base_model_prefix}."
    # Tied weights are one tensor, so `named_parameters` lists them once, below the prefix.
    head = {
        tensor: tuple(weights.shape)
        for tensor, weights in model.named_parameters()
        if not tensor.startswith(prefix)
    }
    tied = getattr(config, "tie_word_embeddings", False)
    lacking = {
        tensor: shape for tensor, shape in head.items() if not (tied and tensor.endswith("decoder.weight"))
    }
    # Some families store the head under another name, in the same shape. A file without a head has names without the prefix.
    inside = {tensor.removeprefix(prefix) for tensor, _ in model.named_parameters()} - lacking.keys()
    outside = {
        shape
        for tensor, shape in stored.items()
        if len(shape) == 2 and tensor.removeprefix(prefix) not in inside
    }
    if lacking and not stored.keys() & lacking.keys() and not outside & set(lacking.values()):
        raise ModelError(
            f"model.base: {name!r} has no weights for its language-model head ({min(lacking)}); choose a checkpoint that has them"
        )


def _check_kinds(name: str, kinds: dict[str, str], stored: dict[str, tuple[int, ...]]) -> None:
    for tensor, kind in sorted(kinds.items()):
        matrix = len(stored[tensor]) >= 2 and not kind.startswith(("F", "BF"))
        if kind not in TRAINABLE_KINDS or (matrix and "position_ids" not in tensor and "bias" not in tensor):
            raise ModelError(
                f"model.base: {name!r} has the tensor {tensor!r} stored as {kind}; floats of 16, 32 or 64 bits are allowed"
            )


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "of a single value"


def built(auto_class: Any, config: "PretrainedConfig", name: str) -> "PreTrainedModel":
    """Build a model on torch's meta device, where it takes no memory.

    Raises:
        ModelError: its configuration describes no model.
    """
    import torch

    from paracosm.finetune.models.pretrained import build_from_config, load_errors

    with load_errors("model.base", name), torch.device("meta"):
        return build_from_config(auto_class, config)

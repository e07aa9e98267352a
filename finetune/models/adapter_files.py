"""Checks the files of a LoRA adapter: configuration, names, shapes and values of its tensors.

peft loads the tensors that fit and warns about the others, so that an incomplete adapter generates like the base model.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paracosm.finetune.models.weight_files import check_finite, tensor_shapes
from paracosm.foundation.errors import ModelError

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel

WEIGHTS = "adapter_model.safetensors"
CONFIG = "adapter_config.json"
PREFIX = "base_model.model."
"""Before the name of a layer in the names of its tensors."""
HIGHEST_RANK = 65_536
IGNORED = ("base_model_name_or_path", "inference_mode", "peft_version", "revision")
"""Keys of the configuration that change nothing when the adapter is loaded."""
INERT = {
    "bias": "none",
    "init_lora_weights": True,
    "megatron_core": "megatron.core",
    "peft_type": "LORA",
    "qalora_group_size": 16,
}
"""Keys of the configuration that must have peft's default; every other key that is not read must be empty."""


@dataclass(frozen=True)
class Adapter:
    """The settings of an adapter, as its configuration states them."""

    path: Path
    rank: int
    alpha: float
    dropout: float
    targets: frozenset[str]
    rslora: bool
    dora: bool
    task: str | None

    def targets_of(self, layer: str) -> frozenset[str]:
        """Return the targets that select a layer: its whole name, or the end of it after a dot."""
        parts = layer.split(".")
        return self.targets.intersection(".".join(parts[index:]) for index in range(len(parts)))

    def lora_config(self) -> "LoraConfig":
        """Return the configuration of peft, with nothing in it but the checked settings."""
        from peft import LoraConfig

        return LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,  # type: ignore[arg-type]
            lora_dropout=self.dropout,
            target_modules=sorted(self.targets),
            use_rslora=self.rslora,
            use_dora=self.dora,
            task_type=self.task,  # type: ignore[arg-type]
        )


def read_adapter(folder: Path) -> Adapter:
    """Read the configuration of an adapter, and check that it is a plain LoRA adapter.

    Raises:
        ModelError: the file is damaged, or has a setting that Paracosm does not write.
    """
    path = folder / CONFIG
    try:
        plain = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{path}: is not valid JSON") from error
    if not isinstance(plain, dict):
        raise ModelError(f"{path}: is not a JSON object")
    if plain.get("peft_type") != "LORA":
        raise ModelError(f"{path}: is not the configuration of a LoRA adapter (peft_type LORA)")

    def checked(key: str, default: Any, allowed: Any, rule: str) -> Any:
        value = plain.pop(key, default)
        if not allowed(value):
            raise ModelError(f"{path}: {key!r} must be {rule}")
        return value

    def is_number(value: Any) -> bool:
        return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)

    adapter = Adapter(
        path=folder / WEIGHTS,
        rank=checked(
            "r",
            None,
            lambda value: type(value) is int and 1 <= value <= HIGHEST_RANK,
            f"a rank from 1 to {HIGHEST_RANK}",
        ),
        alpha=checked(
            "lora_alpha", None, lambda value: is_number(value) and value > 0, "a number greater than 0"
        ),
        dropout=checked(
            "lora_dropout", 0.0, lambda value: is_number(value) and 0 <= value < 1, "from 0 to below 1"
        ),
        targets=frozenset(checked("target_modules", None, _are_layers, "a list of layer names")),
        rslora=checked("use_rslora", False, lambda value: isinstance(value, bool), "true or false"),
        dora=checked("use_dora", False, lambda value: isinstance(value, bool), "true or false"),
        task=checked("task_type", None, lambda value: value in (None, "CAUSAL_LM"), "CAUSAL_LM or null"),
    )
    for key, value in plain.items():
        if not (key in IGNORED or not value or INERT.get(key) == value or _is_class_note(key, value)):
            raise ModelError(
                f"{path}: {key[:80]!r} has a value that a LoRA adapter of Paracosm does not have"
            )
    if any(key in plain and plain[key] != value for key, value in INERT.items()):
        key = next(key for key, value in INERT.items() if key in plain and plain[key] != value)
        raise ModelError(f"{path}: {key!r} must be {INERT[key]!r}")
    return adapter


def _are_layers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(name, str) and name for name in value)


def _is_class_note(key: str, value: Any) -> bool:
    """Return whether a value is peft's note of the class of the base model, in a module of transformers."""
    return (
        key == "auto_mapping"
        and isinstance(value, dict)
        and str(value.get("parent_library")).startswith("transformers.")
    )


def check_adapter(folder: Path, *, trained_weights: int | None = None) -> Adapter:
    """Check the files of an adapter as far as that is possible without its base model.

    Args:
        folder: holds the adapter.
        trained_weights: number of weights that training reported; None if it is not known.

    Raises:
        ModelError: a tensor is missing, is not part of a LoRA adapter, has another rank or shape than the configuration
            states, or holds NaN or infinite values.
    """
    adapter = read_adapter(folder)
    shapes = tensor_shapes(adapter.path)
    layers: dict[str, frozenset[str]] = {}
    for name in sorted(shapes):
        layer = _layer(name)
        layers[layer or ""] = targets = adapter.targets_of(layer or "")
        if layer is None or not targets or name not in _names(adapter, layer):
            raise ModelError(f"{adapter.path}: tensor {name[:200]!r} does not belong to this adapter")
    if missing := adapter.targets.difference(*layers.values()):
        raise ModelError(f"{adapter.path}: has no tensor for the layer {min(missing)[:200]!r} of {CONFIG}")
    for layer in layers:
        _check_layer(adapter, layer, shapes)
    count = sum(math.prod(shape) for shape in shapes.values())
    if trained_weights is not None and count != trained_weights:
        raise ModelError(
            f"{adapter.path}: has {count:,} weights, and training reported {trained_weights:,}; tensors are missing or were added"
        )
    check_finite(adapter.path)
    return adapter


def check_fits(adapter: Adapter, base: "PreTrainedModel") -> None:
    """Check that an adapter has exactly the tensors that its base model needs, in their shapes.

    Args:
        adapter: checked by `check_adapter`.
        base: the base model, before the adapter is added.

    Raises:
        ModelError: a tensor is missing, has no layer in the base model, or has another shape.
    """
    import torch

    expected: dict[str, tuple[int, ...]] = {}
    for layer, module in base.named_modules():
        if adapter.targets_of(layer) and isinstance(module, torch.nn.Linear):
            names = _names(adapter, layer)
            sizes = ((adapter.rank, module.in_features), (module.out_features, adapter.rank))
            expected |= dict(zip(names, (*sizes, (module.out_features,)), strict=False))
    shapes = tensor_shapes(adapter.path)
    if missing := expected.keys() - shapes.keys():
        raise ModelError(f"{adapter.path}: lacks the tensor {min(missing)!r}, which its base model needs")
    if added := shapes.keys() - expected.keys():
        raise ModelError(
            f"{adapter.path}: the base model has no linear layer for the tensor {min(added)[:200]!r}; it is not the base of this adapter"
        )
    for name in sorted(expected):
        if shapes[name] != expected[name]:
            raise ModelError(
                f"{adapter.path}: tensor {name!r} has the shape {_shape(shapes[name])}, and the base model needs {_shape(expected[name])}"
            )


def _check_layer(adapter: Adapter, layer: str, shapes: dict[str, tuple[int, ...]]) -> None:
    names = _names(adapter, layer)
    for name in names:
        if name not in shapes:
            raise ModelError(f"{adapter.path}: lacks the tensor {name[:200]!r}")
    first, second = shapes[names[0]], shapes[names[1]]
    for name, shape, side in ((names[0], first, 0), (names[1], second, 1)):
        if len(shape) != 2 or shape[side] != adapter.rank:
            raise ModelError(
                f"{adapter.path}: tensor {name[:200]!r} has the shape {_shape(shape)}, which does not have the rank {adapter.rank} of {CONFIG}"
            )
    for name in names[2:]:
        if shapes[name] != second[:1]:
            raise ModelError(
                f"{adapter.path}: tensor {name[:200]!r} has the shape {_shape(shapes[name])} instead of {_shape(second[:1])}"
            )


def _layer(tensor: str) -> str | None:
    """Return the layer that a tensor of an adapter belongs to; None if its name is not that of such a tensor."""
    for end in (".lora_A.weight", ".lora_B.weight", ".lora_magnitude_vector"):
        if tensor.startswith(PREFIX) and tensor.endswith(end):
            return tensor.removeprefix(PREFIX).removesuffix(end)
    return None


def _names(adapter: Adapter, layer: str) -> tuple[str, ...]:
    """Return the names of the tensors of a layer: A, B, and under DoRA the magnitudes."""
    stem = f"{PREFIX}{layer}"
    names = (f"{stem}.lora_A.weight", f"{stem}.lora_B.weight")
    return (*names, f"{stem}.lora_magnitude_vector") if adapter.dora else names


def _shape(shape: Iterable[int]) -> str:
    return " x ".join(map(str, shape)) or "of a single value"

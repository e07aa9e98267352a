"""Fine-tuning: train a LoRA adapter or a full model on a run's records."""

from typing import TYPE_CHECKING

from paracosm.foundation.lazy import lazy_names

if TYPE_CHECKING:
    from paracosm.finetune.stage import train

__all__ = ["train"]

__getattr__, __dir__ = lazy_names(__name__, {"train": "stage"})

"""Exponential moving average (EMA) of the trained weights: the weights that are evaluated and saved.

The average has at any moment the effect that a decaying learning rate has at its end, so training can stop at the minimum
of the control loss whenever that is reached (Polyak and Juditsky 1992; Morales-Brotons et al. 2024, arXiv 2411.18704).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from paracosm.finetune.distributed.processes import training_barrier
from paracosm.finetune.distributed.sharding import gathered, local_part, shard_like, unshard
from paracosm.finetune.models.weight_files import write_errors
from paracosm.finetune.training.checkpoint import seal
from paracosm.foundation.files import replacing

AVERAGE = "average.safetensors"
"""File of the average in a checkpoint."""


class ExponentialMovingAverage(TrainerCallback):
    """Averages the trainable weights after every step: `average += (1 - decay) * (weights - average)`.

    In the first steps the decay is lower, (1 + step) / (10 + step), so that the initial weights lose their influence soon;
    torch.optim.swa_utils and diffusers use the same formula. Unlike theirs, this average works on sharded weights: each
    rank averages its own part.

    Attributes:
        decay: 0 makes the average equal to the last weights.
        weights: the trainable weights by name.
        average: their average by name; on each rank its own part.
    """

    def __init__(self, model: torch.nn.Module, decay: float) -> None:
        self.decay = decay
        self.model = model
        self.weights = self._trainable()
        self.average = {name: local_part(weights).clone() for name, weights in self.weights.items()}

    def _trainable(self) -> dict[str, torch.Tensor]:
        return {name: weights for name, weights in self.model.named_parameters() if weights.requires_grad}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        # The trainer has sharded the weights by now if it shards them; the average is still a full tensor.
        self.weights = self._trainable()
        with gathered(self.weights.values()):
            self.average = {
                name: shard_like(self.average[name], weights) for name, weights in self.weights.items()
            }

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.update(state.global_step)

    def update(self, step: int) -> None:
        """Update the average with the weights after step number `step`."""
        decay = min(self.decay, (1 + step) / (10 + step))
        with torch.no_grad(), gathered(self.weights.values()):
            for name, average in self.average.items():
                weights = local_part(self.weights[name])
                # The trainer may have moved the model to another device since this object was made.
                self.average[name] = average.to(weights.device).lerp_(weights, 1 - decay)

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        full = {name: unshard(self.average[name], weights) for name, weights in self.weights.items()}
        # The seal covers the files of all ranks, so every rank must have written its part before.
        training_barrier()
        if state.is_world_process_zero:
            checkpoint = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
            with replacing(checkpoint / AVERAGE) as partial, write_errors(checkpoint / AVERAGE):
                save_file({name: average.cpu().contiguous() for name, average in full.items()}, partial)
            seal(checkpoint)

    def load(self, checkpoint: Path) -> None:
        """Continue from the average in a checkpoint."""
        saved = self.read(checkpoint)
        self.average = {name: shard_like(saved[name], weights) for name, weights in self.weights.items()}

    @staticmethod
    def read(checkpoint: Path) -> dict[str, torch.Tensor]:
        """Return the average in a checkpoint, as full tensors."""
        return load_file(checkpoint / AVERAGE)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Use the average as the model's weights inside the context."""
        with gathered(self.weights.values()):
            saved = {name: local_part(weights).clone() for name, weights in self.weights.items()}
        self.set_weights()
        try:
            yield
        finally:
            self._set(saved)

    def set_weights(self) -> None:
        """Set the model's weights to the average."""
        self._set(self.average)

    def _set(self, values: dict[str, torch.Tensor]) -> None:
        with torch.no_grad(), gathered(self.weights.values(), modified=True):
            for name, weights in self.weights.items():
                local_part(weights).copy_(values[name])

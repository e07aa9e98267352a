"""The exponential moving average of the adapter's weights: what is evaluated, kept and released.

The average does at any moment what a decaying learning rate does only at its end, so training can stop at the minimum of
the control loss wherever that lies (Polyak and Juditsky 1992; Morales-Brotons et al. 2024, arXiv 2411.18704).
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from paracosm.finetune.distributed.processes import all_here
from paracosm.finetune.distributed.sharding import lent, own_part, part_of, whole
from paracosm.foundation.files import replacing

AVERAGE = "average.safetensors"


class ExponentialMovingAverage(TrainerCallback):
    """Averages the trainable weights after every step: `average += (1 - decay) * (weights - average)`.

    Early on the decay is lower, (1 + step) / (10 + step), so that the random start is soon forgotten. Where the weights
    are sharded, each process averages its own part.

    Attributes:
        decay: 0 keeps the last weights.
    """

    def __init__(self, model: torch.nn.Module, decay: float) -> None:
        self.decay = decay
        self.model = model
        self.weights = self._trainable()
        self.average = {name: own_part(weights).clone() for name, weights in self.weights.items()}

    def _trainable(self) -> dict[str, torch.Tensor]:
        return {name: weights for name, weights in self.model.named_parameters() if weights.requires_grad}

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        # The trainer has divided the weights by now where it divides them; the average is still whole.
        self.weights = self._trainable()
        with lent(self.weights.values()):
            self.average = {
                name: part_of(self.average[name], weights) for name, weights in self.weights.items()
            }

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.update(state.global_step)

    def update(self, step: int) -> None:
        """Take in the weights after step number `step`."""
        decay = min(self.decay, (1 + step) / (10 + step))
        with torch.no_grad(), lent(self.weights.values()):
            for name, average in self.average.items():
                weights = own_part(self.weights[name])
                # A trainer may have moved the model after this was made.
                self.average[name] = average.to(weights.device).lerp_(weights, 1 - decay)

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        found = {name: whole(self.average[name], weights) for name, weights in self.weights.items()}
        # What is written here says that the checkpoint is whole, so that every process has written its part.
        all_here()
        if state.is_world_process_zero:
            checkpoint = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
            with replacing(checkpoint / AVERAGE) as partial:
                save_file({name: average.cpu().contiguous() for name, average in found.items()}, partial)

    def load(self, checkpoint: Path) -> None:
        """Take up the average that was kept in a checkpoint."""
        found = self.read(checkpoint)
        self.average = {name: part_of(found[name], weights) for name, weights in self.weights.items()}

    @staticmethod
    def read(checkpoint: Path) -> dict[str, torch.Tensor]:
        """Return the average that was kept in a checkpoint, whole."""
        return load_file(checkpoint / AVERAGE)

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the average in the place of the weights for a while."""
        with lent(self.weights.values()):
            kept = {name: own_part(weights).clone() for name, weights in self.weights.items()}
        self.put()
        try:
            yield
        finally:
            self._put(kept)

    def put(self) -> None:
        """Put the average in the place of the weights for good."""
        self._put(self.average)

    def _put(self, values: dict[str, torch.Tensor]) -> None:
        with torch.no_grad(), lent(self.weights.values(), changed=True):
            for name, weights in self.weights.items():
                own_part(weights).copy_(values[name])

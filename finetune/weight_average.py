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

from paracosm.recipes.atomic import replacing

AVERAGE = "average.safetensors"


class WeightAverage(TrainerCallback):
    """Averages the trainable weights after every step: `average += (1 - decay) * (weights - average)`.

    Early on the decay is lower, (1 + step) / (10 + step), so that the random start is soon forgotten.

    Attributes:
        decay: 0 keeps the last weights.
    """

    def __init__(self, model: torch.nn.Module, decay: float) -> None:
        self.decay = decay
        self.weights = {name: weights for name, weights in model.named_parameters() if weights.requires_grad}
        self.average = {name: weights.detach().clone() for name, weights in self.weights.items()}

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.update(state.global_step)

    def update(self, step: int) -> None:
        """Take in the weights after step number `step`."""
        decay = min(self.decay, (1 + step) / (10 + step))
        with torch.no_grad():
            for name, average in self.average.items():
                weights = self.weights[name].detach()
                # A trainer may have moved the model after this was made.
                self.average[name] = average.to(weights.device).lerp_(weights, 1 - decay)

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if state.is_world_process_zero:
            checkpoint = Path(str(args.output_dir)) / f"checkpoint-{state.global_step}"
            with replacing(checkpoint / AVERAGE) as partial:
                save_file(
                    {name: average.cpu().contiguous() for name, average in self.average.items()}, partial
                )

    def load(self, checkpoint: Path) -> None:
        """Take up the average that was kept in a checkpoint."""
        found = load_file(checkpoint / AVERAGE)
        self.average = {name: found[name].to(weights.device) for name, weights in self.weights.items()}

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the average in the place of the weights for a while."""
        kept = {name: weights.detach().clone() for name, weights in self.weights.items()}
        self.put()
        try:
            yield
        finally:
            with torch.no_grad():
                for name, weights in self.weights.items():
                    weights.copy_(kept[name])

    def put(self) -> None:
        """Put the average in the place of the weights for good."""
        with torch.no_grad():
            for name, weights in self.weights.items():
                weights.copy_(self.average[name])

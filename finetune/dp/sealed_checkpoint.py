"""The checkpoint of a private training, sealed with the training's secret: a damaged or foreign one is not continued from."""

import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from paracosm.finetune.dp.secret_rng import MAC_BYTES, SecretRng
from paracosm.finetune.training.ema import ExponentialMovingAverage
from paracosm.foundation.files import replacing
from paracosm.foundation.progress import Progress
from paracosm.recipes.run.directory import Run

STATE = "private.pt"
"""File of the checkpoint."""


@dataclass
class TrainingState:
    """Progress of a training.

    Attributes:
        step: number of completed steps.
        curve: the evaluations.
        losses: mean loss per decision of each sampled record since the last evaluation.
    """

    step: int = 0
    curve: list[dict[str, Any]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class SealedCheckpoint:
    """What a checkpoint keeps of a training, and the secret that seals it.

    Attributes:
        weights: the trained tensors.
        average: of the weights.
        optimizer: the one below Opacus's.
        rng: has the secret.
    """

    weights: Sequence[torch.nn.Parameter]
    average: ExponentialMovingAverage
    optimizer: torch.optim.Optimizer
    rng: SecretRng

    def save(self, path: Path, state: TrainingState) -> None:
        """Write a checkpoint atomically."""
        checkpoint = {
            "progress": asdict(state),
            "weights": [weights.detach().cpu() for weights in self.weights],
            "average": {name: average.cpu() for name, average in self.average.average.items()},
            "optimizer": self.optimizer.state_dict(),
        }
        content = io.BytesIO()
        torch.save(checkpoint, content)
        with replacing(path) as partial:
            partial.write_bytes(self.rng.mac(content.getvalue()) + content.getvalue())

    def load(self, path: Path) -> TrainingState:
        """Continue from a checkpoint that `save` wrote, and return its progress."""
        checkpoint = torch.load(
            io.BytesIO(path.read_bytes()[MAC_BYTES:]),
            map_location=self.weights[0].device,
            weights_only=True,
        )
        with torch.no_grad():
            for weights, saved in zip(self.weights, checkpoint["weights"], strict=True):
                weights.copy_(saved)
        self.average.average = checkpoint["average"]
        self.optimizer.load_state_dict(checkpoint["optimizer"])
        return TrainingState(**checkpoint["progress"])


def secret_rng(run: Run, progress: Progress) -> tuple[SecretRng, bool]:
    """Return the random generator of this training, and whether the training is resumed; count a new one in `run.json`."""
    existing, checkpoint = SecretRng.load(run.checkpoints), run.checkpoints / STATE
    if existing is not None:
        if not checkpoint.exists():
            return existing, False
        content = checkpoint.read_bytes()
        if existing.mac(content[MAC_BYTES:]) == content[:MAC_BYTES]:
            return existing, True
    # A checkpoint whose secret is lost cannot be continued.
    if checkpoint.exists():
        progress(
            f"warning: {checkpoint}: it, or its secret, is damaged; the training starts again with another secret"
        )
        checkpoint.unlink()
    run.journal.note(private_trainings=run.journal.read().get("private_trainings", 0) + 1)
    return SecretRng.create(run.checkpoints), False

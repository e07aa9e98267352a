"""Opacus's optimizer, with noise from the secret of the run instead of a generator."""

from typing import Any

from opacus.optimizers import DPOptimizer
from opacus.optimizers.optimizer import _check_processed_flag, _mark_as_processed

from paracosm.finetune.dp.secret_rng import SecretRng


class SecretNoise(DPOptimizer):
    """Clips and accumulates as Opacus does; the noise of a step is a function of the secret and the step's number."""

    def __init__(self, *given: Any, chance: SecretRng, **named: Any) -> None:
        super().__init__(*given, **named)
        self.chance = chance
        self.number = 0
        """Of the step whose noise is added next, from 0."""

    def add_noise(self) -> None:
        """Put the noisy sum of the clipped gradients in `grad`."""
        std = self.noise_multiplier * self.max_grad_norm
        for place, weights in enumerate(self.params):
            summed = weights.summed_grad  # type: ignore[attr-defined]  # Opacus's attribute
            _check_processed_flag(summed)
            # Added in float64, so that rounding comes after the noise and shows nothing of what is under it.
            noisy = summed.cpu().double() + std * self.chance.noise(self.number, place, summed.shape)
            weights.grad = noisy.to(summed.dtype).to(summed.device).view_as(weights)
            _mark_as_processed(summed)

"""DP optimizer of Opacus, with noise derived from the run's secret instead of a random generator."""

from typing import Any

from opacus.optimizers import DPOptimizer
from opacus.optimizers.optimizer import _check_processed_flag, _mark_as_processed

from paracosm.finetune.dp.secret_rng import SecretRng


class SecretNoise(DPOptimizer):
    """Clips and accumulates gradients as Opacus does; the noise is a function of the secret and the step index.

    Attributes:
        rng: source of the noise.
        step_index: of the step whose noise is added next, from 0.
    """

    def __init__(self, *args: Any, rng: SecretRng, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.rng = rng
        self.step_index = 0

    def add_noise(self) -> None:
        """Set `grad` to the sum of the clipped gradients with noise."""
        std = self.noise_multiplier * self.max_grad_norm
        for parameter, weights in enumerate(self.params):
            summed = weights.summed_grad  # type: ignore[attr-defined]  # Opacus's attribute
            _check_processed_flag(summed)
            # Added in float64 and rounded afterwards, so that rounding reveals nothing about the sum under the noise.
            noisy = summed.cpu().double() + std * self.rng.noise(self.step_index, parameter, summed.shape)
            weights.grad = noisy.to(summed.dtype).to(summed.device).view_as(weights)
            _mark_as_processed(summed)

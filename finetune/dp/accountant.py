"""What private training may spend and what it spent: noise, sampling rate and steps by Opacus's PRV accountant."""

import math
import warnings
from dataclasses import dataclass
from functools import cache

from paracosm.foundation.errors import RecipeError
from paracosm.recipes.sections.privacy import Privacy

FEWEST_UNITS = 10
TOLERANCE = 0.01
"""Share of the budget that the search for the noise may leave unspent."""


@dataclass(frozen=True)
class Budget:
    """The privacy of a training run: add or remove one unit, and the adapter's distribution hardly changes.

    Attributes:
        epsilon: what all steps spend, by the accountant; at most what the recipe allows.
        delta: chance with which the bound may fail.
        noise_multiplier: deviation of the noise on the summed gradients, in units of the clipping length.
        sampling_rate: chance of a unit to join a step.
        steps: all of them are done.
        units: how many there are.
        unit: `record` or `subject`.
        max_grad_norm: the clipping length.
    """

    epsilon: float
    delta: float
    noise_multiplier: float
    sampling_rate: float
    steps: int
    units: int
    unit: str
    max_grad_norm: float

    @property
    def expected_batch(self) -> float:
        """Units in a step, on average."""
        return self.sampling_rate * self.units


def budget_of(privacy: Privacy, units: int, unit: str) -> Budget:
    """Plan the noise that keeps a budget.

    Raises:
        RecipeError: there are too few units, delta is too large for them, or no noise keeps the budget.
    """
    if units < FEWEST_UNITS:
        raise RecipeError(
            f"privacy: {units} training {unit}s are too few to hide one of them among the others"
        )
    delta = privacy.delta or 1 / (units * math.log(units))
    if delta >= 1 / units:
        raise RecipeError(
            f"privacy.delta: must be below 1/{units}, or giving a whole {unit} away would be allowed; got {delta:g}"
        )
    rate = min(1.0, privacy.batch_size / units)
    steps = math.ceil(privacy.epochs / rate)
    noise = noise_for(privacy.epsilon, delta, rate, steps)
    spent = spent_epsilon(noise, rate, steps, delta)
    return Budget(spent, delta, noise, rate, steps, units, unit, privacy.max_grad_norm)


def budget_words(budget: Budget) -> str:
    """Return a budget in one line."""
    return (
        f"epsilon {budget.epsilon:.2f} at delta {budget.delta:.1e} per {budget.unit} · noise {budget.noise_multiplier:.3f}"
        f" · {budget.steps} steps, each of {budget.units:,} {budget.unit}s joins one with chance {budget.sampling_rate:.4f}"
    )


@cache
def noise_for(epsilon: float, delta: float, rate: float, steps: int) -> float:
    """Return the least noise multiplier, to a hundredth of the budget, with which `steps` steps spend at most `epsilon`.

    Raises:
        RecipeError: no noise keeps the budget.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from opacus.accountants.utils import get_noise_multiplier

        try:
            return float(
                get_noise_multiplier(
                    target_epsilon=epsilon,
                    target_delta=delta,
                    sample_rate=rate,
                    steps=steps,
                    accountant="prv",
                    epsilon_tolerance=TOLERANCE * epsilon,
                )
            )
        except (ValueError, OverflowError) as fault:
            raise RecipeError(
                f"privacy.epsilon: the accountant finds no noise that keeps {epsilon:g} over {steps} steps ({fault})"
            ) from fault


@cache
def spent_epsilon(noise: float, rate: float, steps: int, delta: float) -> float:
    """Return the upper bound of the epsilon that `steps` steps of the Poisson-subsampled Gaussian mechanism spend.

    Gopi, Lee & Wutschitz 2021, Numerical Composition of Differential Privacy; neighbours differ by one unit more or less.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from opacus.accountants import PRVAccountant

        accountant = PRVAccountant()
        accountant.history = [(noise, rate, steps)]
        return float(accountant.get_epsilon(delta))

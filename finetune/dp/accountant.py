"""Privacy accounting: the noise that keeps a budget and the epsilon that training spends, by the PRV accountant of Opacus."""

import math
import warnings
from dataclasses import dataclass
from functools import cache

from paracosm.foundation.errors import RecipeError
from paracosm.recipes.sections.privacy import Privacy

MIN_UNITS = 10
TOLERANCE = 0.01
"""Fraction of the budget that the search for the noise may leave unspent."""
CORPUS_SHARE = 0.05
"""Fraction of the budget for the search for private texts in the corpus of a domain (`adapt`)."""


@dataclass(frozen=True)
class Budget:
    """(epsilon, delta) of a training, for neighbours that differ by one unit more or less, and the settings that achieve it.

    Attributes:
        epsilon: spent by all steps, according to the accountant, and by the search in a corpus; at most that of the recipe.
        delta: of the guarantee.
        noise_multiplier: standard deviation of the noise on the summed gradients, in units of the clipping norm.
        sampling_rate: probability of a unit to be sampled in a step.
        steps: number of steps; training does all of them.
        units: number of units.
        unit: `record` or `subject`.
        max_grad_norm: clipping norm.
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
        """Expected number of units in a step."""
        return self.sampling_rate * self.units


def budget_of(privacy: Privacy, units: int, unit: str, *, with_corpus: bool = False) -> Budget:
    """Return the noise, sampling rate and steps that keep the budget of a recipe.

    Args:
        privacy: section of the recipe.
        units: number of units.
        unit: `record` or `subject`.
        with_corpus: whether records are searched in the corpus of a domain, which spends `CORPUS_SHARE` of epsilon.

    Raises:
        RecipeError: there are too few units, delta is too large for them, or no noise keeps the budget.
    """
    if units < MIN_UNITS:
        raise RecipeError(
            f"privacy: {units} training {unit}s are too few to hide one of them among the others"
        )
    delta = privacy.delta or 1 / (units * math.log(units))
    if delta >= 1 / units:
        raise RecipeError(
            f"privacy.delta: must be below 1/{units}, because a larger delta allows publishing a whole {unit}; got {delta:g}"
        )
    rate = min(1.0, privacy.batch_size / units)
    steps = math.ceil(privacy.epochs / rate)
    searched = CORPUS_SHARE * privacy.epsilon if with_corpus else 0.0
    noise = noise_for(privacy.epsilon - searched, delta, rate, steps)
    # Basic composition: the search is (epsilon, 0) differentially private.
    spent = spent_epsilon(noise, rate, steps, delta) + searched
    return Budget(spent, delta, noise, rate, steps, units, unit, privacy.max_grad_norm)


def budget_words(budget: Budget) -> str:
    """Describe a budget in one line."""
    return (
        f"epsilon {budget.epsilon:.2f} at delta {budget.delta:.1e} per {budget.unit} · noise {budget.noise_multiplier:.3f}"
        f" · {budget.steps} steps, each sampling every one of {budget.units:,} {budget.unit}s with probability {budget.sampling_rate:.4f}"
    )


@cache
def noise_for(epsilon: float, delta: float, rate: float, steps: int) -> float:
    """Return the smallest noise multiplier with which `steps` steps spend at most `epsilon`, up to `TOLERANCE`.

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
        except (ValueError, OverflowError) as error:
            raise RecipeError(
                f"privacy.epsilon: the accountant finds no noise that keeps {epsilon:g} over {steps} steps ({error})"
            ) from error


@cache
def spent_epsilon(noise: float, rate: float, steps: int, delta: float) -> float:
    """Return an upper bound of the epsilon that `steps` steps of the Poisson-subsampled Gaussian mechanism spend.

    Gopi, Lee & Wutschitz 2021, Numerical Composition of Differential Privacy; for neighbours that differ by one unit.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from opacus.accountants import PRVAccountant

        accountant = PRVAccountant()
        accountant.history = [(noise, rate, steps)]
        return float(accountant.get_epsilon(delta))

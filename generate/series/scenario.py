"""Scenarios: what happens to the paths of a series beside what the method draws."""

import re
from dataclasses import dataclass

import numpy as np

from paracosm.foundation.errors import RecipeError

PART = re.compile(r"(level|trend|volatility|shock)=([+-]?[0-9.]+(?:[eE][+-]?[0-9]+)?)(%?)(?:@([0-9]+))?")


@dataclass(frozen=True)
class Change:
    """A change of the values: an amount in the units of the column, or a share of its last value before the path."""

    amount: float = 0.0
    relative: bool = False

    def of(self, base: np.ndarray) -> np.ndarray:
        """Return the change for each column, from its value before the path."""
        return self.amount / 100 * np.abs(base) if self.relative else np.full(len(base), self.amount)


@dataclass(frozen=True)
class Scenario:
    """What is changed.

    Attributes:
        level: is added at every step.
        trend: is added once more at each step.
        volatility: factor of the deviations from the middle of the path.
        shock: is added from step `at` on.
        at: number of the step of the shock, from 1.
    """

    level: Change = Change()
    trend: Change = Change()
    volatility: float = 1.0
    shock: Change = Change()
    at: int = 1

    @classmethod
    def read(cls, text: str) -> "Scenario":
        """Read a scenario such as `trend=0.5,volatility=2,shock=-20%@12`.

        Raises:
            RecipeError: a part is not of this form.
        """
        found: dict[str, object] = {}
        for part in filter(None, (part.strip() for part in text.split(","))):
            match = PART.fullmatch(part)
            if match is None or (match[4] is not None) != (match[1] == "shock"):
                raise RecipeError(
                    f"--scenario: {part!r} cannot be read; allowed: level=5, trend=0.1, volatility=2, shock=-20%@12, with commas between"
                    " them (% of the value before the path)"
                )
            number = float(match[2])
            if match[1] == "volatility":
                if number < 0 or match[3]:
                    raise RecipeError(f"--scenario: {part!r}: volatility is a factor of at least 0")
                found["volatility"] = number
                continue
            found[match[1]] = Change(number, bool(match[3]))
            if match[1] == "shock":
                found["at"] = int(match[4])
        return cls(**found)  # type: ignore[arg-type]  # the keys are those of the pattern

    def scaled(self, middle: np.ndarray, path: np.ndarray) -> np.ndarray:
        """Return a path with its deviations from the middle multiplied, on the scale of the method."""
        return middle + self.volatility * (path - middle)

    def applied(self, values: np.ndarray, base: np.ndarray) -> np.ndarray:
        """Return the values of a path with level, trend and shock.

        Args:
            values: (steps, columns).
            base: (columns,) values before the path.
        """
        steps = np.arange(1, len(values) + 1)[:, None]
        changed = values + self.level.of(base) + self.trend.of(base) * steps
        return changed + self.shock.of(base) * (steps >= self.at)

"""What attacks need to train models of their own."""

from dataclasses import dataclass
from pathlib import Path

from paracosm.foundation.progress import Progress, silent
from paracosm.recipes.recipe import Recipe


@dataclass(frozen=True)
class AttackSettings:
    """With what an evaluation trains adapters for its attacks.

    Attributes:
        recipe: how the attacked adapter was trained, or would be.
        folder: where adapters are trained and what was read off them is kept.
        progress: takes progress lines.
        pace: seconds that a record took in an epoch of the run's own training; None where none was measured.
    """

    recipe: Recipe
    folder: Path
    progress: Progress = silent
    pace: float | None = None

"""Settings for attacks that train models of their own: the recipe, the folder and the expected pace."""

from dataclasses import dataclass
from pathlib import Path

from paracosm.foundation.progress import Progress, silent
from paracosm.recipes.recipe import Recipe


@dataclass(frozen=True)
class AttackSettings:
    """What an evaluation needs to train adapters for its attacks.

    Attributes:
        recipe: how the attacked adapter was trained, or would be.
        folder: where attack models are trained and their scores are kept.
        progress: takes progress lines.
        pace: seconds per record and epoch of the run's own training; None where none was measured.
    """

    recipe: Recipe
    folder: Path
    progress: Progress = silent
    pace: float | None = None

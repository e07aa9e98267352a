"""What to do where a gate fails: advice that depends on how the records were made, and on why their training ended."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from paracosm.eval.measuring.gate import Question
from paracosm.recipes.recipe import Recipe

Ending = Literal["memorisation", "time", "planned"]
COMPARE = "compare other strategies on the same splits (`paracosm compare`)"
LOOK = "Look first at the columns and pairs that the report names."


@dataclass(frozen=True)
class Making:
    """How synthetic records were made.

    Attributes:
        strategy: of the recipe; None for a table from elsewhere.
        method: of the strategy `statistical`.
        ending: why training ended; None where nothing was trained. `memorisation`: the loss on control records turned. `time`: the
            time limit. `planned`: all epochs, while that loss still fell.
    """

    strategy: str | None = None
    method: str | None = None
    ending: Ending | None = None

    @classmethod
    def of(cls, recipe: Recipe, finetune: Mapping[str, Any]) -> "Making":
        """Return how a run made its records.

        Args:
            recipe: of the run.
            finetune: facts of its finetune stage.
        """
        stopped = finetune.get("stopped")
        ending: Ending | None = None
        if stopped:
            by_time = "time" if stopped.get("minutes") is not None else "planned"
            ending = "memorisation" if stopped.get("turned") else by_time
        return cls(
            recipe.strategy, recipe.statistical.method if recipe.strategy == "statistical" else None, ending
        )


ELSEWHERE = Making()
"""Records from elsewhere, of whose making nothing is known."""


def advice_after_fail(question: Question, making: Making) -> str:
    """Return what to do where a gate of a question fails."""
    if question == "adapter":
        if making.strategy == "statistical":
            return (
                "Keep the fitted statistics in the building: release.what=records releases the records alone. With method=copula or "
                "method=marginals they hold less of single records."
            )
        return (
            "Keep the adapter in the building: release.what=records releases the records alone. An adapter that may leave is "
            "trained under differential privacy (privacy.epsilon)."
        )
    if question == "records":
        return _less_leakage(making)
    if question == "utility":
        return f"Raise fidelity first. {_more_fidelity(making)} Until then do not train models on these records alone."
    return f"{_more_fidelity(making)} {LOOK}"


def _more_fidelity(making: Making) -> str:
    """Return how the records of this strategy can come closer to real ones."""
    if making.strategy is None:
        return "Ask the maker of the records for ones that are closer, or make them again with another generator."
    if making.strategy == "statistical":
        if making.method == "forest":
            return f"Lower statistical.leaf, which follows the records more closely, give it more records, or {COMPARE}."
        return f"Use statistical.method=forest, which keeps more than ranks or single columns, or {COMPARE}."
    if making.strategy == "augment":
        return "Change less of each text (generate.augment.share, generate.augment.operations)."
    if making.strategy in ("prompt", "chain"):
        return f"Use a larger model, show it more of the table (section `{making.strategy}`), or {COMPARE}."
    if making.ending == "memorisation":
        return (
            "Training ended because the model began to memorise, so that more epochs do not help: give it more records, "
            f"or {COMPARE}."
        )
    if making.ending == "time":
        return f"Training ran out of time while it still learnt: raise finetune.max_minutes, or {COMPARE}."
    return (
        "Training ended while it still learnt: raise finetune.epochs, or use more of the model (finetune.rank, model.layers); "
        f"or {COMPARE}."
    )


def _less_leakage(making: Making) -> str:
    """Return how the records of this strategy can reveal less."""
    persons = "replace what names persons (data.pii)"
    if making.strategy is None:
        return "Do not use them outside; ask their maker for records that repeat nobody, and what was done about it."
    if making.strategy == "statistical":
        return f"Raise statistical.leaf, so that more people share every value that is drawn; {persons}."
    if making.strategy == "augment":
        return (
            "Augmented texts are texts of training records with changed words, so that they repeat them by construction: keep them "
            f"inside, or make records with another strategy; {persons}."
        )
    if making.strategy in ("prompt", "chain"):
        return f"Show the model fewer real records (section `{making.strategy}`), or none; {persons}."
    return f"Make new ones with less memorisation: fewer epochs, or differential privacy (privacy.epsilon); {persons}."

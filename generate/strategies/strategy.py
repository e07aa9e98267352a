"""Protocol of a strategy, a way of making records, and the strategy that a run was prepared for.

A strategy draws records for requests. What must be the same for all strategies lives above it, once: conditions and quotas
become requests, and rules, relations and the copy filter the guide of each request (`generate.constraints`); numbered
blocks, redraws of repeated records, identifiers, shards and resumption follow in `generate.engines` and `generate.stage`.
"""

from collections.abc import Sequence
from typing import Any, Protocol

from paracosm.foundation.digests import folder_digest
from paracosm.foundation.errors import ModelError
from paracosm.generate.constraints.request import Abilities, Request, Tally
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Record


class Strategy(Protocol):
    """Draws records for requests."""

    @property
    def abilities(self) -> Abilities:
        """What it can be asked for, and the fields of its records."""
        ...

    @property
    def batch_size(self) -> int:
        """Records that are drawn at once."""
        ...

    def records(self, requests: Sequence[Request], *, seed: int, tally: Tally) -> list[list[Record]]:
        """Return one record per request, in order; for sequences, all records of a subject per request.

        The same requests give the same records in any batch, since the random numbers of a record follow from its request.

        Args:
            requests: for the records.
            seed: of the random numbers.
            tally: counts attempts, accepted records and refusals.

        Raises:
            DataError: conditions and rules refuse nearly every attempt; the message gives the share that each refuses.
        """
        ...

    def facts(self) -> dict[str, Any]:
        """Return what `run.json` keeps about the records that were made, such as what the answers of a server cost."""
        ...


def strategy_of(recipe: Recipe, run: Run) -> Strategy:
    """Return the strategy that the finetune stage prepared the run for, with the settings of the recipe.

    Raises:
        ModelError: what the stage left is missing or damaged, or is that of another strategy.
        RecipeError: a setting of `generate` is not one of this strategy.
    """
    if recipe.strategy in ("prompt", "chain"):
        return _prompting(recipe, run)
    if recipe.strategy == "statistical":
        from paracosm.generate.strategies.statistical import StatisticalStrategy

        if run.adapter.is_dir():
            raise ModelError(
                f"{run.root}: holds an adapter and no statistics; leave out strategy, or run the recipe with strategy=statistical"
            )
        return StatisticalStrategy(run.statistics, recipe.generate)
    if recipe.strategy == "augment":
        from paracosm.generate.augmentation.strategy import AugmentedRecords

        return AugmentedRecords(run, recipe.generate)
    from paracosm.generate.strategies.combined import CombinedStrategy, holds_columns
    from paracosm.generate.strategies.language_model import LanguageModel

    if run.statistics.is_dir():
        raise ModelError(
            f"{run.root}: holds statistics and no adapter; set strategy=statistical, or run the recipe with strategy=finetuned"
        )
    if holds_columns(run.adapter) != (recipe.strategy == "combined"):
        made = "combined" if recipe.strategy == "finetuned" else "finetuned"
        raise ModelError(
            f"{run.adapter}: was made with strategy={made}; set it, or run the recipe with strategy={recipe.strategy}"
        )
    if recipe.strategy == "combined":
        return CombinedStrategy(run.adapter, recipe.generate)
    return LanguageModel(run.adapter, recipe.generate)


def _prompting(recipe: Recipe, run: Run) -> Strategy:
    if run.adapter.is_dir():
        raise ModelError(
            f"{run.root}: holds an adapter; leave out strategy, or run the recipe with strategy={recipe.strategy}"
        )
    if recipe.strategy == "chain":
        from paracosm.generate.strategies.chained import ChainStrategy

        return ChainStrategy(recipe, run)
    from paracosm.generate.strategies.prompted import PromptStrategy

    return PromptStrategy(recipe, run)


def strategy_inputs(recipe: Recipe, run: Run) -> dict[str, Any]:
    """Return the digest of what the finetune stage left for the strategy, by its name."""
    if recipe.strategy in ("statistical", "augment"):
        return {"statistics": folder_digest(run.statistics)}
    if recipe.strategy in ("prompt", "chain"):
        from paracosm.generate.chains.prompt_plan import result_settings

        return {"prepared": folder_digest(run.statistics), "prompting": result_settings(recipe)}
    return {"adapter": folder_digest(run.adapter)}

"""Rehearsal: how wide the intervals of fidelity and usefulness are on a table, measured with training records in place of synthetic ones."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pandas as pd

from paracosm.recipes.recipe import Recipe
from paracosm.records.schema.schema import Schema

if TYPE_CHECKING:
    from paracosm.eval.measuring.context import Context
    from paracosm.eval.measuring.gate import Gate
    from paracosm.eval.measuring.metric import Anchor, Estimate, Result

REHEARSED = ("marginals", "pairs", "triples", "utility_skill")
"""Metrics whose interval depends on the table itself, and whose gate is 1 where synthetic records are as good as real ones."""
AS_GOOD_AS_REAL = 1.0
MOST_ROWS = 2000
"""Training records that are drawn; with more, an interval depends on the control and test records alone."""
RESAMPLES = 200
SEED = 0


@dataclass(frozen=True)
class Margin:
    """How far from its limit the value of a gate has to lie, so that its whole interval keeps the limit.

    Attributes:
        gate: that is meant.
        limit: of the release.
        half_width: from the value to the end of the interval that has to keep the limit.
        data: the kind of records that narrows the interval.
        factor: how many times as many of them the best records need; None where no number is advised.
    """

    gate: "Gate"
    limit: float
    half_width: float
    data: str
    factor: float | None

    @property
    def required(self) -> float:
        """The smallest value that passes."""
        return self.limit + self.half_width

    @property
    def can_pass(self) -> bool:
        """Whether records that are as good as real ones pass."""
        return self.required <= AS_GOOD_AS_REAL


def rehearse(recipe: Recipe, schema: Schema, splits: Mapping[str, pd.DataFrame]) -> list[Margin]:
    """Return the margin of each gate that the profile demands proof of.

    Training records that are drawn with replacement stand for synthetic records as good as real ones. Their values are not used, only
    the widths of their intervals.

    Args:
        recipe: the target, the seed and limits on rows, and the gates.
        schema: of the records.
        splits: the typed tables.
    """
    from paracosm.eval.catalogue import MEASURES
    from paracosm.eval.measure_tables import measure_all

    names = [field.name for field in schema.modelled]
    context = _context(recipe, schema, {name: table[names] for name, table in splits.items()})
    drawn = context.train.sample(len(context.train), replace=True, random_state=SEED).reset_index(drop=True)
    measures = [
        # Usefulness is limited as it is, the others between their anchors.
        replace(measure, candidates=_drawn_alone) if measure.metrics[0].section == "utility" else measure
        for measure in MEASURES
        if any(metric.name in REHEARSED for metric in measure.metrics)
    ]
    results, _ = measure_all(context, drawn, measures)
    return [
        margin
        for result in results
        for gate in result.metric.gates
        if gate.metric in REHEARSED and (margin := _margin(gate, result, recipe)) is not None
    ]


def _drawn_alone(context: "Context", drawn: pd.DataFrame) -> "dict[Anchor, tuple[Context, pd.DataFrame]]":
    return {"synthetic": (context, drawn)}


def _context(recipe: Recipe, schema: Schema, splits: Mapping[str, pd.DataFrame]) -> "Context":
    from paracosm.eval.measuring.context import Context, subsample
    from paracosm.eval.measuring.metric import FEWEST_ROWS

    settings = recipe.eval.model_copy(update={"bootstrap": RESAMPLES})
    train = subsample(splits["train"], MOST_ROWS, SEED).reset_index(drop=True)
    control, test = (splits[name].reset_index(drop=True) for name in ("control", "test"))
    held_out = len(control) + (len(test) if len(test) >= FEWEST_ROWS else 0)
    made = recipe.generate.records or len(splits["train"])
    size = min(held_out, made, settings.max_rows)
    return Context(
        schema, train, control, test if len(test) >= FEWEST_ROWS else None, recipe.data.target, settings, size
    )


def _margin(gate: "Gate", result: "Result", recipe: Recipe) -> Margin | None:
    """Return the margin of a gate; None where it is not demanded, or where its metric is undefined here."""
    from paracosm.eval.gates.reasons import remedy_of

    estimate: Estimate | None = (
        result.synthetic if gate.quantity == "value" else getattr(result, gate.quantity)
    )
    if estimate is None or gate.side != "at least" or not gate.demands_proof(recipe.release):
        return None
    limit, half_width = gate.limit(recipe.release), estimate.value - estimate.low
    best = replace(estimate, value=AS_GOOD_AS_REAL, low=AS_GOOD_AS_REAL - half_width)
    data, factor = remedy_of(gate, best, limit, result)
    return Margin(gate, limit, half_width, data, factor)

"""Rare values: how many values that few subjects have can be in the adapter and in the synthetic records."""

import math

import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import Gate
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import Anchor, Estimate, Metric, Obstacle, Result


def _interpret(result: Result) -> str:
    count = int(result.synthetic.value)
    if not count:
        return (
            "No value that only few subjects have was kept: data.rare suppressed all of them before training."
        )
    names = ", ".join(repr(name) for name in result.synthetic.breakdown)
    return (
        f"{count:,} value{'s' * (count != 1)} that only few subjects have {'was' if count == 1 else 'were'} kept in {names}, and can"
        " point to one person; data.rare suppresses them."
    )


RARE_VALUES = Metric(
    name="rare_values",
    title="Rare categories and extremes: values of few subjects that were kept",
    section="privacy",
    goal="down",
    range=(0.0, math.inf),
    source="Threshold rule and top-coding: Hundepool et al. 2012, Statistical Disclosure Control",
    what="How many categories and extremes of fewer than `data.rare.subjects` subjects the generator was allowed to learn.",
    formula="number of values that `data.rare` kept, counted over all records before the split",
    read=_interpret,
    zero=None,
    unit="plain",
    gates=(
        Gate(
            "at most",
            math.inf,
            0.0,
            0.0,
            settled_by="subjects",
            why="A value that few subjects have can point to one of them, and readers outside may know who it is.",
        ),
    ),
)


def rare_values(context: Context, _: pd.DataFrame) -> dict[str, Estimate]:
    """Return the number of rare values that the schema states as kept; it is a count, so its interval has no width."""
    kept = {name: float(count) for name, count in context.schema.rare or () if count}
    count = sum(kept.values())
    return {"rare_values": Estimate(count, count, count, breakdown=kept)}


def _obstacle(context: Context) -> Obstacle | None:
    if context.schema.rare is None:
        return Obstacle("the schema does not state which values few subjects have", curable=False)
    return None


def _synthetic_alone(context: Context, synthetic: pd.DataFrame) -> dict[Anchor, tuple[Context, pd.DataFrame]]:
    return {"synthetic": (context, synthetic)}


MEASURE = Measure(rare_values, (RARE_VALUES,), _synthetic_alone, _obstacle)

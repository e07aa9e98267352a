"""Measures: a function, the metrics that it computes, and the anchors that it is also computed on.

How to add a metric, in one file:

1. Make a module beside the others of its section, for example `eval/fidelity/missing_cells.py`. Import pandas and numpy
   at its top, and scikit-learn, SciPy or torch inside functions: listing metrics must stay fast.
2. Declare the metric:

       MISSING_CELLS = Metric(
           name="missing_cells",
           title="Missing cells: total variation distance",
           section="fidelity",
           goal="down",
           range=(0.0, 1.0),
           source="Who defined it",
           what="How far the share of missing cells is from that of the training records.",
           formula="mean over columns of |share missing in the candidate - share missing in train|",
           read=interpret_distance,
           gates=(Gate("at most", 0.05, 0.05, 0.05, settled_by=HELD_OUT),),
       )

   A gate is optional. A sentence that no other metric needs is a function beside the declaration.
3. Write the function. It gets the context (the real records, the seed) and one candidate, and returns the estimates with
   their 95% intervals by metric name. What depends on the real records alone goes through `context.once`.

       def missing_cells(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
           ...
           return {"missing_cells": around(value, variance, (0.0, 1.0))}

4. Join both, with the anchors and the reason for which these data may not allow it:

       MEASURE = Measure(missing_cells, (MISSING_CELLS,), same_context(fidelity_candidates), too_few)

5. Add one line to the tuple of the section in `eval/catalogue/measures.py`, and run `python docs/tables.py`.

Another package does the same in its own module, and instead of step 5 names the measure in its `pyproject.toml`:

       [project.entry-points."paracosm.metrics"]
       missing_cells = "my_package.missing_cells:MEASURE"

The entry point names a `Measure` or a tuple of them. Its metrics come after those of Paracosm, and its gates decide like any
other gate. A module with metrics must not import `paracosm.eval.catalogue`, which is what loads it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import FEWEST_ROWS, Anchor, Estimate, Metric, Obstacle

NOT_ALLOWED = Obstacle("the data do not allow it", curable=False)
Function = Callable[[Context, Any], dict[str, Estimate]]
Candidates = Callable[[Context, pd.DataFrame], dict[Anchor, tuple[Context, Any]]]


NO_CONTROL = Obstacle("there are no control records")
"""The reason where a recipe keeps no control records out of training."""


@dataclass(frozen=True)
class Measure:
    """A function, the metrics that it computes, and the candidates that it is computed on."""

    function: Function
    metrics: tuple[Metric, ...]
    candidates: Candidates
    obstacle: Callable[[Context], Obstacle | None]
    """Returns why it cannot be measured on these tables, or None."""
    absent: Obstacle = NOT_ALLOWED
    """The reason that is given where the function leaves a metric out although there was no obstacle."""
    own_threads: bool = False
    """Whether the function keeps every core busy by itself."""


def same_context(make: Callable[[Context, pd.DataFrame], dict[Anchor, pd.DataFrame]]) -> Candidates:
    """Return candidates that are all measured in the same context."""
    return lambda context, synthetic: {
        name: (context, table) for name, table in make(context, synthetic).items()
    }


def quicker_anchors(make: Callable[[Context, pd.DataFrame], dict[Anchor, pd.DataFrame]]) -> Candidates:
    """Return candidates of which the anchors get one fit of each classifier.

    For metrics whose gates read the synthetic records alone: anchors only show the reader where a value lies, so that they need
    no average over seeds.
    """

    def candidates(context: Context, synthetic: pd.DataFrame) -> dict[Anchor, tuple[Context, pd.DataFrame]]:
        once = context.with_one_fit
        return {
            name: (context if name == "synthetic" else once, table)
            for name, table in make(context, synthetic).items()
        }

    return candidates


def too_few(context: Context) -> Obstacle | None:
    """Return an obstacle where a side has too few records for fidelity, or None."""
    if context.held_out.empty:
        return Obstacle("there are no control and no test records")
    if context.size < FEWEST_ROWS:
        return Obstacle(
            f"only {context.size} records on the smallest side; at least {FEWEST_ROWS} are needed"
        )
    return None


def too_few_control(context: Context, needed: int = FEWEST_ROWS) -> Obstacle | None:
    """Return an obstacle where there are too few control records, or None."""
    if context.control.empty:
        return NO_CONTROL
    if len(context.control) < needed:
        return Obstacle(f"only {len(context.control)} control records; at least {needed} are needed")
    return None


def too_few_subjects(context: Context, *sides: tuple[str, ...]) -> Obstacle | None:
    """Return an obstacle where one side of an attack has too few subjects for a bootstrap over them, or None.

    Args:
        context: of the tables.
        sides: the splits that make up each side.
    """
    for side in sides:
        subjects = [context.subjects[name] for name in side if name in context.subjects]
        count = len(np.unique(np.concatenate(subjects))) if subjects else FEWEST_ROWS
        if count < FEWEST_ROWS:
            return Obstacle(
                f"only {count} subjects in {' and '.join(side)}; at least {FEWEST_ROWS} are needed"
            )
    return None


def text_obstacle(context: Context) -> Obstacle | None:
    """Return an obstacle where texts cannot be compared, or None."""
    if not any(field.is_text for field in context.fields):
        return Obstacle("there is no text column", curable=False)
    return too_few_control(context)


def membership_obstacle(context: Context) -> Obstacle | None:
    """Return an obstacle where membership cannot be attacked, or None."""
    return too_few_control(context, 3 * FEWEST_ROWS) or too_few_subjects(context, ("train",), ("control",))

"""A measure: one function that measures one or several metrics, and what it is handed as if synthetic."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import FEWEST_ROWS, Anchor, Estimate, Metric, Obstacle

NOT_ALLOWED = Obstacle("the data do not allow it", curable=False)
Function = Callable[[Context, Any], dict[str, Estimate]]
Candidates = Callable[[Context, pd.DataFrame], dict[Anchor, tuple[Context, Any]]]


@dataclass(frozen=True)
class Measure:
    """One function, the metrics that it gives, and the candidates it is tried on."""

    function: Function
    metrics: tuple[Metric, ...]
    candidates: Candidates
    obstacle: Callable[[Context], Obstacle | None]
    """Why it cannot be measured on these tables, or None."""
    absent: Obstacle = NOT_ALLOWED
    """Why a metric is missing although there was no obstacle."""
    own_threads: bool = False
    """Whether it keeps every core busy by itself."""


def lazy(module: str, name: str) -> Callable[..., Any]:
    """Return a function of a room's module that is imported when it is first called: listing metrics stays fast."""
    return lambda *arguments: getattr(import_module(f"paracosm.eval.{module}"), name)(*arguments)


def same_context(make: Callable[[Context, pd.DataFrame], dict[Anchor, pd.DataFrame]]) -> Candidates:
    """Return candidates that are all measured in the same context."""
    return lambda context, synthetic: {
        name: (context, table) for name, table in make(context, synthetic).items()
    }


def too_few(context: Context) -> Obstacle | None:
    """Return that there are too few records, or None."""
    if context.size < FEWEST_ROWS:
        return Obstacle(
            f"only {context.size} records on the smallest side; at least {FEWEST_ROWS} are needed"
        )
    return None


def too_few_control(context: Context) -> Obstacle | None:
    """Return that there are too few control records, or None."""
    if len(context.control) < FEWEST_ROWS:
        return Obstacle(f"only {len(context.control)} control records; at least {FEWEST_ROWS} are needed")
    return None


def too_few_subjects(context: Context, *sides: tuple[str, ...]) -> Obstacle | None:
    """Return that one side of an attack is about a handful of persons, or None: a bootstrap over them says nothing.

    Args:
        context: of the tables.
        sides: the splits that make up each side.
    """
    for side in sides:
        known = [context.subjects[name] for name in side if name in context.subjects]
        persons = len(np.unique(np.concatenate(known))) if known else FEWEST_ROWS
        if persons < FEWEST_ROWS:
            return Obstacle(
                f"only {persons} subjects in {' and '.join(side)}; at least {FEWEST_ROWS} are needed"
            )
    return None


def text_obstacle(context: Context) -> Obstacle | None:
    """Return why texts cannot be compared, or None."""
    if all(each.type != "text" for each in context.fields):
        return Obstacle("there is no text column", curable=False)
    if len(context.control) < FEWEST_ROWS:
        return Obstacle(f"only {len(context.control)} control records; at least {FEWEST_ROWS} are needed")
    return None


def membership_obstacle(context: Context) -> Obstacle | None:
    """Return why membership cannot be attacked, or None."""
    if len(context.control) < 3 * FEWEST_ROWS:
        return Obstacle(f"only {len(context.control)} control records; at least {3 * FEWEST_ROWS} are needed")
    return too_few_subjects(context, ("train",), ("control",))

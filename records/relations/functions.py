"""Search of linear functions between two columns: equalities, offsets, proportions within rounding, ages and years."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from paracosm.records.relations.columns import NumberColumn
from paracosm.records.relations.evidence import FEWEST_RECORDS, has_evidence
from paracosm.records.relations.linear import Linear
from paracosm.records.relations.relation import quoted, slack

LEAST_CORRELATION = 0.99
"""Below it, rounding cannot be the only difference between a column and a linear function of another."""
FEWEST_VALUES = 5
"""Fewest distinct values of a column that is a function of another."""
DIGITS = 8
"""Most significant digits of a factor."""
LEAP = 1.02
"""Width in units of the differences between an age in whole years and a number of days, because of leap years."""


def find_functions(columns: Sequence[NumberColumn]) -> Iterator[Linear]:
    """Yield `column = factor * other + constant`, each pair once, with the finer column as the other."""
    for index, one in enumerate(columns):
        for other in columns[index + 1 :]:
            both = ~(np.isnan(one.values) | np.isnan(other.values))
            if int(both.sum()) < FEWEST_RECORDS:
                continue
            first, second = one.values[both], other.values[both]
            if min(len(np.unique(first[:2000])), len(np.unique(second[:2000]))) < FEWEST_VALUES:
                continue
            if abs(_correlation(first, second)) < LEAST_CORRELATION:
                continue
            found = (_function(one, other, first, second), _function(other, one, second, first))
            # Of two directions, that with the rounder factor is the one by which the column was computed.
            yield from sorted(filter(None, found), key=lambda relation: len(f"{relation.terms[1][1]:g}"))[:1]


def _correlation(first: NDArray[np.float64], second: NDArray[np.float64]) -> float:
    one, other = first - first.mean(), second - second.mean()
    size = float(np.sqrt((one @ one) * (other @ other)))
    return float(one @ other) / size if size else 0.0


def _function(
    result: NumberColumn,
    argument: NumberColumn,
    results: NDArray[np.float64],
    arguments: NDArray[np.float64],
) -> Linear | None:
    """Return `result` as a linear function of `argument`, None if it is not one within rounding."""
    if not result.unit and not result.is_moment:
        return None
    middle = arguments.mean()
    spread = arguments - middle
    slope = float(spread @ (results - results.mean())) / float(spread @ spread)
    error = slack(float(np.abs(results).max() + np.abs(slope * arguments).max()))
    allowed = (
        result.unit * (LEAP if argument.is_moment else 1.0) if not result.is_moment else 0.0
    ) + 2 * error
    for digits in range(1, DIGITS + 1):
        factor = float(f"{slope:.{digits - 1}e}")
        rest = results - factor * arguments
        low, high = float(rest.min()), float(rest.max())
        if factor and high - low <= allowed:
            break
    else:
        return None
    if result.is_moment and factor != 1:
        return None

    def holds(pair: tuple[NDArray[np.float64], ...]) -> NDArray[np.bool_]:
        values = pair[0] - factor * pair[1]
        return (values >= low - error) & (values <= high + error)

    if not has_evidence((results, arguments), holds):
        return None
    decimals = 12 if result.is_moment else max(0, round(-np.log10(result.unit))) + 3
    exact = high - low <= 2 * error
    if exact:
        low = high = round(float(np.median(rest)), decimals)
        if np.abs(rest - low).max() > error:
            low, high = float(rest.min()), float(rest.max())
    else:
        low, high = _rounding_band(low, high, result.unit, error)
    terms = ((result.name, 1.0), (argument.name, -factor))
    return Linear(terms, low, high, _text(result, argument, factor, low, high, exact=exact))


def _rounding_band(low: float, high: float, unit: float, error: float) -> tuple[float, float]:
    """Return the band of a rounded result: half a unit on both sides of a constant, where the differences allow it."""
    for half in (unit / 2, unit):
        constant = round((low + high) / 2 / unit) * unit
        for centre in (0.0, constant):
            if centre - half - error <= low and high <= centre + half + error:
                return centre - half, centre + half
    return low, high


def _text(
    result: NumberColumn, argument: NumberColumn, factor: float, low: float, high: float, *, exact: bool
) -> str:
    name, other = quoted(result.name), quoted(argument.name)
    if not exact:
        if argument.is_moment:
            return f"{name} follows from {other}, within rounding"
        product = f"{factor:.{DIGITS}g} * {other}"
        centre = (low + high) / 2
        shift = "" if abs(centre) < 1e-9 else f" - {centre:.10g}" if centre > 0 else f" + {-centre:.10g}"
        return f"abs({name} - {product}{shift}) <= {(high - low) / 2:.6g}"
    if abs(low) < 1e-9:
        constant = ""
    elif low > 0:
        constant = f" + {low:.12g}"
    else:
        constant = f" - {-low:.12g}"
    if factor == -1:
        return f"{name} + {other} == {low:.12g}"
    times = other if factor == 1 else f"{factor:.{DIGITS}g} * {other}"
    return f"{name} == {times}{constant}"

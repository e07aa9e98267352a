"""Fitting of domains: range, categories, lengths and share of missing cells of every field, from the training records alone.

A minimum or maximum that fewer than ten training records share is rounded outward, so that the grammar does not publish it.
"""

import math
from calendar import monthrange
from dataclasses import replace
from datetime import datetime
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal, InvalidOperation
from typing import Any

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data, FieldOverride
from paracosm.records.schema.datetime_format import read_datetime
from paracosm.records.schema.number_format import INT64
from paracosm.records.schema.schema import Field, Schema

SHARED_BY = 10
"""Fewest training records that share a minimum or maximum which is published as it is."""
NARROW = 10
"""Span in units of the last digit below which a range is not rounded."""
LARGEST_FLOAT = 1.7976931348623157e308


def fit_domains(schema: Schema, train: pd.DataFrame, data: Data) -> Schema:
    """Return `schema` with domains: those that the recipe declares, else those of the training records.

    Args:
        schema: an inferred schema without domains.
        train: typed table of the training records only.
        data: the recipe's data section.

    Raises:
        DataError: a training value lies outside a declared domain, or a column has no training value.
    """
    return Schema(
        tuple(
            _fit(field, train[field.name], data.fields.get(field.name, FieldOverride())) for field in schema
        )
    )


def _fit(field: Field, column: pd.Series, override: FieldOverride) -> Field:
    present = column.dropna()
    field = replace(field, nullable=_nullable(field, column, override), missing=float(column.isna().mean()))
    if field.type in ("identifier", "boolean"):
        return field
    if field.type == "category":
        return _fit_categories(field, present, override)
    if field.type == "text":
        return _fit_lengths(field, present, override)
    return _fit_range(field, present, override)


def _nullable(field: Field, column: pd.Series, override: FieldOverride) -> bool:
    absent = int(column.isna().sum())
    if override.nullable is False and absent and field.modelled:
        raise DataError(f"data.fields.{field.name}.nullable: {absent} training records have no value")
    return absent > 0 if override.nullable is None else override.nullable


def _fit_categories(field: Field, present: pd.Series, override: FieldOverride) -> Field:
    values = sorted(present.unique())
    if override.categories is None:
        return replace(field, categories=tuple(values))
    extra = [value for value in values if value not in override.categories]
    if extra:
        raise DataError(
            f"data.fields.{field.name}.categories: {len(extra)} values of training records are not among them"
        )
    return replace(field, categories=tuple(dict.fromkeys(override.categories)), declared=True)


def _fit_lengths(field: Field, present: pd.Series, override: FieldOverride) -> Field:
    lengths = present.str.len()
    shortest, longest = (int(lengths.min()), int(lengths.max())) if len(present) else (1, 1)
    if override.max_length is None:
        return replace(field, min_length=min(shortest, 1), max_length=max(longest, 1))
    if longest > override.max_length:
        raise DataError(
            f"data.fields.{field.name}.max_length: a training record has {longest} characters, more"
            f" than {override.max_length}"
        )
    return replace(field, min_length=min(shortest, 1), max_length=override.max_length, declared=True)


def _fit_range(field: Field, present: pd.Series, override: FieldOverride) -> Field:
    declared = {key: _bound(field, key, getattr(override, key)) for key in ("minimum", "maximum")}
    if present.empty and None in declared.values():
        raise DataError(
            f"column {field.name!r}: has no value in any training record; drop it, or declare its"
            " minimum and maximum"
        )
    low, high = (
        (None, None) if present.empty else (_value(field, present.min()), _value(field, present.max()))
    )
    if low is not None and declared["minimum"] is not None and low < declared["minimum"]:
        raise DataError(
            f"data.fields.{field.name}.minimum: {override.minimum} is above the smallest value of the"
            " training records"
        )
    if high is not None and declared["maximum"] is not None and high > declared["maximum"]:
        raise DataError(
            f"data.fields.{field.name}.maximum: {override.maximum} is below the largest value of the"
            " training records"
        )
    minimum, maximum = (None, None) if low is None else rounded_outward(field, present, low, high)
    minimum = declared["minimum"] if declared["minimum"] is not None else minimum
    maximum = declared["maximum"] if declared["maximum"] is not None else maximum
    if minimum > maximum:  # type: ignore[operator]
        raise DataError(f"data.fields.{field.name}.minimum: {minimum} is above the maximum, {maximum}")
    return replace(field, minimum=minimum, maximum=maximum, declared=None not in declared.values())


def _value(field: Field, cell: Any) -> Any:
    return {"integer": int, "number": float, "datetime": lambda moment: moment.to_pydatetime()}[field.type](
        cell
    )


def _bound(field: Field, key: str, bound: int | float | str | None) -> Any:
    if bound is None:
        return None
    try:
        if field.type == "datetime":
            return _declared_moment(field, str(bound))
        exact = Decimal(str(bound))
    except (ValueError, InvalidOperation) as error:
        expected = (
            f"a date or time such as 2024-12-31 or one in the format {field.format!r}"
            if field.type == "datetime"
            else "a number"
        )
        raise DataError(f"data.fields.{field.name}.{key}: {bound!r} is not {expected}") from error
    if field.type == "integer":
        return _whole_bound(field, key, exact)
    number = float(exact)
    if not math.isfinite(number):
        raise DataError(f"data.fields.{field.name}.{key}: {bound!r} is not a finite number")
    return number if field.scientific else round(number, field.decimals)


def _whole_bound(field: Field, key: str, exact: Decimal) -> int:
    if not exact.is_finite() or exact != exact.to_integral_value():
        raise DataError(f"data.fields.{field.name}.{key}: {exact} is not an integer")
    if not -INT64 <= exact < INT64:
        raise DataError(
            f"data.fields.{field.name}.{key}: {exact} needs more than 64 bits; allowed: {-INT64} to {INT64 - 1}"
        )
    return int(exact)


def _declared_moment(field: Field, bound: str) -> datetime:
    try:
        return read_datetime(bound, field.format)
    except ValueError:
        return _to_precision(field, datetime.fromisoformat(bound).replace(tzinfo=None))


def rounded_outward(field: Field, present: pd.Series, low: Any, high: Any) -> tuple[Any, Any]:
    """Return the range [low, high] of training values, rounded outward at an extreme that few records share."""
    if field.type == "datetime":
        return _outward_moments(field, low, high)
    if field.type == "number" and field.scientific:
        rounded = _to_one_digit(low, ROUND_FLOOR), _to_one_digit(high, ROUND_CEILING)
    else:
        rounded = _outward_numbers(field, low, high)
    keep_low, keep_high = (int((present == extreme).sum()) >= SHARED_BY for extreme in (low, high))
    return low if keep_low else rounded[0], high if keep_high else rounded[1]


def _outward_numbers(field: Field, low: Any, high: Any) -> tuple[Any, Any]:
    """Return a range rounded to the leading digit of its span: step = 10 ** floor(log10(high - low))."""
    unit = Decimal(1).scaleb(-field.decimals) if field.type == "number" else Decimal(1)
    bottom, top = (Decimal(str(bound)) for bound in (low, high))
    span = top - bottom
    if span < NARROW * unit:
        return low, high
    step = Decimal(1).scaleb(span.adjusted())
    first, last = (
        (bottom / step).to_integral_value(ROUND_FLOOR) * step,
        (top / step).to_integral_value(ROUND_CEILING) * step,
    )
    if field.type == "number":
        return float(first), float(last)
    minimum, maximum = -_without_extra_digit(-int(first), -low), _without_extra_digit(int(last), high)
    # A typed table holds 64 bits.
    return max(minimum, -INT64), min(maximum, INT64 - 1)


def _without_extra_digit(rounded: int, extreme: int) -> int:
    """Return `rounded`, or the largest number with as many digits as `extreme` if rounding added a digit."""
    return min(rounded, 10 ** len(str(extreme)) - 1) if extreme > 0 else rounded


def _to_one_digit(bound: float, rounding: str) -> float:
    if bound == 0:
        return 0.0
    exact = Decimal(bound)
    rounded = float(exact.quantize(Decimal(1).scaleb(exact.adjusted()), rounding=rounding))
    return max(-LARGEST_FLOAT, min(LARGEST_FLOAT, rounded))


def _outward_moments(field: Field, low: datetime, high: datetime) -> tuple[datetime, datetime]:
    """Return a range rounded to whole years if it spans a year or more, to whole months from a month on, else to days."""
    days = (high - low).days
    first = low.replace(hour=0, minute=0, second=0, microsecond=0)
    last = high.replace(hour=23, minute=59, second=59, microsecond=999_999)
    if days >= 365:
        first, last = first.replace(month=1, day=1), last.replace(month=12, day=31)
    elif days >= 31:
        first, last = first.replace(day=1), last.replace(day=monthrange(last.year, last.month)[1])
    return first, max(_to_precision(field, last), high)


def _to_precision(field: Field, moment: datetime) -> datetime:
    return read_datetime(moment.strftime(field.format), field.format)

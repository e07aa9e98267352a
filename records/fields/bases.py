"""What kinds of fields share: defaults of every kind, and the range of ordered kinds."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar, Literal

import numpy as np
import pandas as pd
import pyarrow as pa

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import FieldOverride
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, Tokenizer
from paracosm.records.fields.field import Field
from paracosm.records.fields.kind import FieldKind, Numbering, Value

SHARED_BY = 10
"""Fewest training records that share a minimum or maximum which is published as it is."""


class Kind(FieldKind[Field]):
    """Defaults of a kind: strings without an order."""

    dtype: ClassVar[str] = "string"
    arrow: ClassVar[pa.DataType] = pa.string()
    croissant: ClassVar[str] = "sc:Text"
    declared_keys: ClassVar[tuple[str, ...]] = ()
    needed_keys: ClassVar[tuple[str, ...]] = ("nullable",)
    ordered: ClassVar[bool] = False
    discrete: ClassVar[bool] = False
    modelled: ClassVar[bool] = True
    words: ClassVar[bool] = True
    widened_by: ClassVar[tuple[str, ...]] = ()
    json_value: ClassVar[bool] = False
    dated: ClassVar[bool] = False
    expressed_as: ClassVar[Literal["number", "text", "truth", "moment"]] = "text"

    def format_of(self, cells: Sequence[str], override: FieldOverride) -> dict[str, Any] | None:
        return {}

    def misfit(self, cells: Collection[str]) -> str:
        return ""

    def fit(self, field: Field, present: pd.Series, override: FieldOverride) -> Field:
        return field

    def declaration(self, field: Field) -> dict[str, Any]:
        return {}

    def read(self, field: Field, text: str) -> Value:
        return text

    def write(self, field: Field, value: Any) -> str:
        return str(value)

    def allows(self, field: Field, value: Value) -> bool:
        return isinstance(value, str)

    def plain(self, cell: Any) -> Any:
        return str(cell)

    def column(self, values: Sequence[Any]) -> pd.Series:
        return pd.Series(values, dtype=self.dtype)  # type: ignore[call-overload]

    def to_json(self, bound: Any) -> Any:
        return bound

    def from_json(self, bound: Any) -> Any:
        return bound

    def code(self, field: Field, tokenizer: Tokenizer, alphabet: SymbolTokens) -> FieldCode:
        raise DataError(f"field {field.name!r} of type {field.type} has no closed encoding")

    def values(self, field: Field, at_most: int) -> list[Value] | None:
        return None

    def draw(self, field: Field, rng: np.random.Generator) -> Value:
        raise DataError(f"field {field.name!r} of type {field.type} has no closed list or range to draw from")

    def summary(self, field: Field) -> str:
        return ""

    def recipe_text(self, field: Field, given: Any) -> str:
        return {True: field.true, False: field.false}[given] if isinstance(given, bool) else str(given)

    def example(self, field: Field) -> str:
        return ""

    def hint(self, field: Field, text: str) -> str:
        return ""

    def computed(self, field: Field, value: Any) -> Value:
        return value

    def in_rules(self, value: Any) -> Any:
        return value

    def round_inward(self, field: Field, bound: Any, *, up: bool) -> Any:
        raise NotImplementedError(f"{self.name} has no order")

    def exactly(self, number: float) -> Any:
        return None

    def between(self, field: Field, low: Any, high: Any, fraction: float) -> Any:
        return None

    def numbering(self, field: Field) -> Numbering:
        raise NotImplementedError(f"{self.name} has no order")

    def floats(self, column: pd.Series) -> np.ndarray:
        return column.astype("Float64").to_numpy(dtype=np.float64, na_value=np.nan)

    def label(self, number: float) -> str:
        return f"{number:,.6g}"


class OrderedKind(Kind):
    """A kind whose domain is a range. A bound that fewer than ten training records share is rounded outward."""

    needed_keys: ClassVar[tuple[str, ...]] = ("minimum", "maximum", "nullable")
    declared_keys: ClassVar[tuple[str, ...]] = ("minimum", "maximum")
    ordered: ClassVar[bool] = True
    words: ClassVar[bool] = False
    expressed_as: ClassVar[Literal["number", "text", "truth", "moment"]] = "number"
    bound_words: ClassVar[str] = "a number"
    """What a declared bound has to be, for error messages."""

    def fit(self, field: Field, present: pd.Series, override: FieldOverride) -> Field:
        where = f"data.fields.{field.name}"
        declared = {key: self._declared(field, key, getattr(override, key)) for key in ("minimum", "maximum")}
        if present.empty and None in declared.values():
            raise DataError(
                f"column {field.name!r}: has no value in any training record; drop it, or declare its"
                " minimum and maximum"
            )
        low, high = (None, None) if present.empty else (self.plain(present.min()), self.plain(present.max()))
        if low is not None and declared["minimum"] is not None and low < declared["minimum"]:
            raise DataError(
                f"{where}.minimum: {override.minimum} is above the smallest value of the training records"
            )
        if high is not None and declared["maximum"] is not None and high > declared["maximum"]:
            raise DataError(
                f"{where}.maximum: {override.maximum} is below the largest value of the training records"
            )
        minimum, maximum = (None, None) if low is None else self.rounded_outward(field, present, low, high)
        minimum = declared["minimum"] if declared["minimum"] is not None else minimum
        maximum = declared["maximum"] if declared["maximum"] is not None else maximum
        if minimum > maximum:  # type: ignore[operator]  # both are known here
            raise DataError(f"{where}.minimum: {minimum} is above the maximum, {maximum}")
        return replace(field, minimum=minimum, maximum=maximum, declared=None not in declared.values())

    def _declared(self, field: Field, key: str, bound: int | float | str | None) -> Any:
        if bound is None:
            return None
        try:
            return self.bound(field, f"data.fields.{field.name}.{key}", bound)
        except DataError:
            raise
        except (ValueError, InvalidOperation) as error:
            expected = self.bound_words.format(field.format)
            raise DataError(f"data.fields.{field.name}.{key}: {bound!r} is not {expected}") from error

    def bound(self, field: Field, where: str, bound: int | float | str) -> Any:
        """Return a declared bound as a value.

        Raises:
            ValueError: it is not a value of this kind.
            DataError: it is a value that the field cannot have.
        """
        raise NotImplementedError

    def rounded_outward(self, field: Field, present: pd.Series, low: Any, high: Any) -> tuple[Any, Any]:
        """Return the range [low, high] of training values, rounded outward at an extreme that few records share."""
        rounded = self.outward(field, low, high)
        keep_low, keep_high = (int((present == extreme).sum()) >= SHARED_BY for extreme in (low, high))
        return low if keep_low else rounded[0], high if keep_high else rounded[1]

    def outward(self, field: Field, low: Any, high: Any) -> tuple[Any, Any]:
        """Return a range rounded outward."""
        raise NotImplementedError

    def declaration(self, field: Field) -> dict[str, Any]:
        return {key: self.declared_bound(field, getattr(field, key)) for key in ("minimum", "maximum")}

    def declared_bound(self, field: Field, bound: Any) -> Any:
        """Return a bound as a recipe states it."""
        return bound

    def allows(self, field: Field, value: Any) -> bool:
        return field.minimum <= value <= field.maximum

    def example(self, field: Field) -> str:
        return f" (expected, for example, {field.write(field.minimum)!r})"

    def hint(self, field: Field, text: str) -> str:
        return f"; allowed: {field.write(field.minimum)} to {field.write(field.maximum)}"


def span_step(low: Decimal, high: Decimal) -> Decimal:
    """Return the unit of the leading digit of a span: 10 ** floor(log10(high - low))."""
    return Decimal(1).scaleb((high - low).adjusted())


def declared_format(form: str) -> dict[str, str]:
    """Return the key of a notation as a recipe declares it; none for the plain notation."""
    return {"format": form} if form else {}

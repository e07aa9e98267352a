"""The kind `number`: decimal numbers with a unit, as fixed point or with significant digits."""

import math
from collections.abc import Sequence
from decimal import ROUND_CEILING, ROUND_FLOOR, Decimal
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import FieldOverride
from paracosm.records.codec.automata.automaton import TokenPath
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.automata.number_automata import scientific_code, whole_number_code
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, Tokenizer
from paracosm.records.fields.bases import OrderedKind, declared_format, span_step
from paracosm.records.fields.field import Field
from paracosm.records.fields.kind import Numbering, Value
from paracosm.records.formats.numbers.detection import number_format
from paracosm.records.formats.numbers.scientific_numbering import scientific_numbering
from paracosm.records.formats.numbers.written import notation_error, read_number, unit_words, write_number

NARROW = 10
"""Span in units of the last digit below which a range is not rounded."""
LARGEST_FLOAT = 1.7976931348623157e308


class Number(OrderedKind):
    """Floats with a fixed number of decimals, or of significant digits where the magnitudes vary too much."""

    name = "number"
    dtype: ClassVar[str] = "Float64"
    arrow: ClassVar[pa.DataType] = pa.float64()
    croissant: ClassVar[str] = "sc:Float"
    declared_keys: ClassVar[tuple[str, ...]] = ("minimum", "maximum", "decimals", "format")
    needed_keys: ClassVar[tuple[str, ...]] = ("minimum", "maximum", "decimals", "nullable")
    json_value: ClassVar[bool] = True

    def format_of(self, cells: Sequence[str], override: FieldOverride) -> dict[str, Any] | None:
        if override.format is not None and (error := notation_error(override.format)):
            raise ValueError(error)
        return number_format(cells, override.format)

    def declaration(self, field: Field) -> dict[str, Any]:
        return super().declaration(field) | {"decimals": field.decimals} | declared_format(field.format)

    def bound(self, field: Field, where: str, bound: int | float | str) -> float:
        number = float(Decimal(str(bound)))
        if not math.isfinite(number):
            raise DataError(f"{where}: {bound!r} is not a finite number")
        return number if field.scientific else round(number, field.decimals)

    def outward(self, field: Field, low: float, high: float) -> tuple[float, float]:
        if field.scientific:
            return _to_one_digit(low, ROUND_FLOOR), _to_one_digit(high, ROUND_CEILING)
        bottom, top = Decimal(str(low)), Decimal(str(high))
        if top - bottom < NARROW * Decimal(1).scaleb(-field.decimals):
            return low, high
        step = span_step(bottom, top)
        first = (bottom / step).to_integral_value(ROUND_FLOOR) * step
        last = (top / step).to_integral_value(ROUND_CEILING) * step
        return float(first), float(last)

    def read(self, field: Field, text: str) -> float:
        return read_number(field, text)

    def write(self, field: Field, value: Any) -> str:
        return write_number(field, value)

    def allows(self, field: Field, value: Any) -> bool:
        return (
            isinstance(value, float)
            and math.isfinite(value)
            and _rounded(field, value) == value
            and super().allows(field, value)
        )

    def plain(self, cell: Any) -> float:
        return float(cell)

    def code(self, field: Field, tokenizer: Tokenizer, alphabet: SymbolTokens) -> FieldCode:
        if field.scientific:
            return scientific_code(field.minimum, field.maximum, field.scientific, alphabet)  # type: ignore[arg-type]
        return _fixed_point_code(field, alphabet)

    def draw(self, field: Field, rng: np.random.Generator) -> float:
        value = _rounded(field, float(rng.uniform(field.minimum, field.maximum)))  # type: ignore[arg-type]
        return value if field.allows(value) else float(field.minimum)  # type: ignore[arg-type]

    def summary(self, field: Field) -> str:
        digits = (
            f"{field.scientific} significant digits"
            if field.scientific
            else f"{field.decimals} decimal{'s' * (field.decimals != 1)}"
        )
        return digits + unit_words(field)

    def computed(self, field: Field, value: Any) -> float | None:
        rounded = _rounded(field, float(value))
        return rounded if math.isfinite(rounded) else None

    def round_inward(self, field: Field, bound: Any, *, up: bool) -> float:
        exact = Decimal(repr(float(bound)))
        exponent = exact.adjusted() - field.scientific + 1 if field.scientific else -field.decimals
        rounding = ROUND_CEILING if up else ROUND_FLOOR
        return float(exact.quantize(Decimal(1).scaleb(exponent), rounding=rounding)) + 0.0

    def numbering(self, field: Field) -> Numbering:
        if field.scientific:
            return scientific_numbering(field.scientific)
        unit = 10**field.decimals
        # The quotient of two exact integers is the float nearest to the decimal, as parsing its text gives.
        return (lambda value: round(value * unit)), (lambda number: number / unit + 0.0)

    def between(self, field: Field, low: float, high: float, fraction: float) -> float | None:
        # Numbers in scientific notation have coarser steps.
        return None if field.scientific else round(low + (high - low) * fraction, field.decimals) + 0.0


def _rounded(field: Field, value: float) -> float:
    """Return a number in the precision of the field; zero has one form."""
    if field.scientific:
        return float(f"{value:.{field.scientific - 1}e}") + 0.0
    return round(value, field.decimals) + 0.0


def _to_one_digit(bound: float, rounding: str) -> float:
    if bound == 0:
        return 0.0
    exact = Decimal(bound)
    rounded = float(exact.quantize(Decimal(1).scaleb(exact.adjusted()), rounding=rounding))
    return max(-LARGEST_FLOAT, min(LARGEST_FLOAT, rounded))


def _fixed_point_code(field: Field, alphabet: SymbolTokens) -> FieldCode:
    """Return the encoding of a number as an integer: its multiple of the last decimal."""
    unit = 10**field.decimals
    low, high = math.ceil(_scaled(field.minimum, unit)), math.floor(_scaled(field.maximum, unit))
    root, path, value = whole_number_code(low, high, alphabet)

    def whole(number: Value) -> list[int]:
        return path(round(_scaled(number, unit)))

    def number(tokens: TokenPath) -> float:
        # The quotient of two exact integers is the float nearest to the decimal, as parsing its text gives.
        return value(tokens) / unit

    return FieldCode(root, whole, number, None)


def _scaled(number: Value, unit: int) -> Decimal:
    # Decimals, because a product of doubles can differ from the integer that it represents.
    return Decimal(repr(number)) * unit

"""The protocol of a field kind: all that the product asks about a type of field. One module of this package implements one kind."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, time, timedelta
from typing import Any, ClassVar, Literal, Protocol, TypeVar

import numpy as np
import pandas as pd
import pyarrow as pa

from paracosm.recipes.sections.data import FieldOverride
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, Tokenizer

Value = int | float | str | bool | datetime | time | timedelta | None
"""A cell as a Python object; None is a missing cell."""
Record = dict[str, Value]
Numbering = tuple[Callable[[Any], int], Callable[[int], Value]]
"""Value -> its number, and number -> its value."""
F = TypeVar("F")
"""The class `Field`, whose module reads the registry below."""


class FieldKind(Protocol[F]):
    """A type of field. Its methods get the field, which holds the domain and the format of one column."""

    name: ClassVar[str]
    """The type as a recipe names it."""
    dtype: ClassVar[str]
    """Type of a column in a typed table, as pandas names it."""
    arrow: ClassVar[pa.DataType]
    """Type of a column in Parquet."""
    croissant: ClassVar[str]
    """Type of a column in the metadata of a data set (schema.org)."""
    declared_keys: ClassVar[tuple[str, ...]]
    """Keys of `data.fields` that belong to this kind, besides `type` and `nullable`."""
    needed_keys: ClassVar[tuple[str, ...]]
    """Keys of `data.fields` that a private recipe has to declare."""
    ordered: ClassVar[bool]
    """Whether values have an order and differences, so that a range restricts them."""
    discrete: ClassVar[bool]
    """Whether values come from a closed list without an order."""
    modelled: ClassVar[bool]
    """Whether the language model sees the field."""
    words: ClassVar[bool]
    """Whether values are strings."""
    widened_by: ClassVar[tuple[str, ...]]
    """Types whose values include those of this kind."""
    json_value: ClassVar[bool]
    """Whether JSON has a type for the values, other than text."""
    dated: ClassVar[bool]
    """Whether values have a date."""
    expressed_as: ClassVar[Literal["number", "text", "truth", "moment"]]
    """Kind of the values in expressions of rules."""

    def format_of(self, cells: Sequence[str], override: FieldOverride) -> dict[str, Any] | None:
        """Return the `Field` attributes of the format of a column that is declared of this kind; None if a cell does not fit.

        Args:
            cells: the distinct cells.
            override: properties that the recipe declares.

        Raises:
            ValueError: the override holds a format that is not supported.
        """
        ...

    def misfit(self, cells: Collection[str]) -> str:
        """Return why the cells of a declared column do not fit; empty where a single cell or the mix of formats tells enough."""
        ...

    def fit(self, field: F, present: pd.Series, override: FieldOverride) -> F:
        """Return the field with its domain: the declared one, else that of the training values."""
        ...

    def declaration(self, field: F) -> dict[str, Any]:
        """Return the keys of `data.fields` that declare the domain of a fitted field."""
        ...

    def read(self, field: F, text: str) -> Value:
        """Return the value of a cell of the source.

        Raises:
            ValueError: the cell does not have the format of the field.
            KeyError: the cell is not one of the field's words.
        """
        ...

    def write(self, field: F, value: Any) -> str:
        """Return a value in the format of the source."""
        ...

    def allows(self, field: F, value: Value) -> bool:
        """Return whether a value lies in the domain of the field."""
        ...

    def plain(self, cell: Any) -> Any:
        """Return a present cell of a typed table as a Python value."""
        ...

    def column(self, values: Sequence[Any]) -> pd.Series:
        """Return values as a column of a typed table."""
        ...

    def to_json(self, bound: Any) -> Any:
        """Return a bound of the domain as a JSON value."""
        ...

    def from_json(self, bound: Any) -> Any:
        """Return the bound that `to_json` wrote."""
        ...

    def code(self, field: F, tokenizer: Tokenizer, alphabet: SymbolTokens) -> FieldCode:
        """Return the encoding of the present values.

        Raises:
            DataError: the domain is not closed.
        """
        ...

    def values(self, field: F, at_most: int) -> list[Value] | None:
        """Return all present values of the domain, or None if there are more than `at_most` or they cannot be listed."""
        ...

    def draw(self, field: F, rng: np.random.Generator) -> Value:
        """Return a random value of a closed domain, uniform as far as the format allows."""
        ...

    def summary(self, field: F) -> str:
        """Return the size or format of the domain, without a value of any record."""
        ...

    def recipe_text(self, field: F, given: Any) -> str:
        """Return a value of a recipe as the source would write it, without unit."""
        ...

    def example(self, field: F) -> str:
        """Return how the source writes a value, as the end of an error message."""
        ...

    def hint(self, field: F, text: str) -> str:
        """Return the allowed values, or the nearest one to `text`, as the end of an error message."""
        ...

    def computed(self, field: F, value: Any) -> Value:
        """Return a computed value in the precision of the field; None where the field has no such value."""
        ...

    def in_rules(self, value: Any) -> Any:
        """Return a present value as expressions of rules calculate with it."""
        ...

    def round_inward(self, field: F, bound: Any, *, up: bool) -> Any:
        """Return the value in the field's precision nearest to `bound`, from above (`up`) or below. Ordered kinds only."""
        ...

    def exactly(self, number: float) -> Any:
        """Return the value that stands for a number of a rule exactly, or None. Ordered kinds only."""
        ...

    def between(self, field: F, low: Any, high: Any, fraction: float) -> Any:
        """Return an interpolated value, or None if the format has coarser steps. Ordered kinds only."""
        ...

    def numbering(self, field: F) -> Numbering:
        """Return the conversions of values to whole numbers without gaps, in the precision of the field, and back. Ordered kinds
        only."""
        ...

    def floats(self, column: pd.Series) -> np.ndarray:
        """Return a column as float64 for metrics; missing cells are NaN. Ordered kinds and truth only."""
        ...

    def label(self, number: float) -> str:
        """Return a number of `floats` as text on an axis."""
        ...


KINDS: dict[str, FieldKind[Any]] = {}
"""Name of a type -> its kind. The package registers its own kinds when it is imported."""


def register(kind: FieldKind[Any]) -> None:
    """Add a kind, so that fields of its name behave as it says."""
    KINDS[kind.name] = kind


def keys_of_kinds() -> Mapping[str, tuple[str, ...]]:
    """Return for each key of `data.fields` that not all types share the types to which it belongs."""
    types: dict[str, list[str]] = {}
    for kind in KINDS.values():
        for key in kind.declared_keys:
            types.setdefault(key, []).append(kind.name)
    return {key: tuple(names) for key, names in types.items()}

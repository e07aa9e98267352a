"""A column of a table: its type and the domain of its values."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from typing import Any

from paracosm.recipes.sections.data import FieldType
from paracosm.records.codec.automata.field_code import FieldCode, with_missing
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, Tokenizer
from paracosm.records.fields.kind import KINDS, FieldKind, Value


@dataclass(frozen=True, kw_only=True)
class Field:
    """A column: its type and the domain of its values.

    Attributes that a type does not use keep their defaults.
    """

    name: str
    type: FieldType
    nullable: bool = False
    """Whether a cell may be missing."""
    missing: float = 0.0
    """Share of training cells that are missing."""
    minimum: int | float | datetime | time | timedelta | None = None
    """Ordered fields: smallest allowed value."""
    maximum: int | float | datetime | time | timedelta | None = None
    """Ordered fields: largest allowed value."""
    decimals: int = 0
    """Number: digits after the point."""
    scientific: int = 0
    """Number: significant digits if the magnitudes vary too much for a fixed point; 0 means fixed point."""
    width: int = 0
    """Integer: digits to which the source pads with zeros (`00501`); 0 means no padding."""
    trim: bool = False
    """Number: the source writes 2.5 rather than 2.50."""
    least_decimals: int = 0
    """Number: digits after the point that trimming leaves; 1 writes 2.0, as Python does."""
    prefix: str = ""
    suffix: str = ""
    """Integer, number: unit around the digits in the source (`$`, ` kg`)."""
    categories: tuple[str, ...] = ()
    """Category: every allowed value."""
    true: str = "true"
    false: str = "false"
    """Boolean: words of the source for true and false."""
    format: str = ""
    """Datetime, time, duration: format of the source, in strftime codes."""
    min_length: int = 0
    max_length: int = 0
    """Text: allowed length in characters."""
    pattern: str = ""
    """Identifier: pattern of a value; 9 is any digit, A any capital, a any small letter, \\ marks the next character as literal."""
    fresh: bool = False
    """Identifier: whether every synthetic record gets a new value; else the column is left out."""
    personal: str = ""
    """Identifier: kind of personal data of the invented values, such as `email` or `name.family`; else new ones follow `pattern`."""
    declared: bool = False
    """Whether the recipe declares the domain; else it is fitted to the training records."""
    arrow: str = ""
    """Arrow type of the column in the source, such as `decimal128(10, 2)`; empty if the source has text only."""
    dtype: str = ""
    """pandas type of the column in the source if Arrow alone does not say it, such as `Int64`."""
    labels: tuple[str, ...] = ()
    """Words of all codes of a column that the source stores as codes: class labels, ordered categories."""

    @property
    def kind(self) -> FieldKind[Any]:
        """The behaviour of this type of field."""
        return KINDS[self.type]

    @property
    def modelled(self) -> bool:
        """Whether the language model sees this field. Identifiers are never modelled."""
        return self.kind.modelled

    @property
    def ordered(self) -> bool:
        """Whether values have an order and differences: numbers, dates and times."""
        return self.kind.ordered

    @property
    def discrete(self) -> bool:
        """Whether values come from a closed list without an order: categories and booleans."""
        return self.kind.discrete

    @property
    def is_text(self) -> bool:
        """Whether values are free text, which the model writes token by token."""
        return self.kind.words and self.kind.modelled and not self.kind.discrete

    @property
    def is_moment(self) -> bool:
        """Whether values are dates."""
        return self.kind.dated

    @property
    def is_whole(self) -> bool:
        """Whether values are whole numbers, few of which can serve as classes."""
        return self.kind.dtype == "Int64"

    def code(self, tokenizer: Tokenizer, alphabet: SymbolTokens) -> FieldCode:
        """Return the encoding of a closed domain, with the missing value if the field is nullable.

        Raises:
            DataError: the field is a text or an identifier.
        """
        code = self.kind.code(self, tokenizer, alphabet)
        return with_missing(code, tokenizer, alphabet) if self.nullable else code

    def allows(self, value: Value) -> bool:
        """Return whether `value` lies in the domain of this field; None does if the field is nullable."""
        return self.nullable if value is None else self.kind.allows(self, value)

    def read(self, text: str) -> Value:
        """Return the value of a cell of the source. Numbers are rounded to the field's decimals.

        Raises:
            ValueError: the cell does not have the type or format of the field.
            KeyError: the cell of a boolean field is not one of its words.
        """
        return self.kind.read(self, text)

    def write(self, value: Value) -> str | None:
        """Return `value` in the format of the source: unit, decimals, padding, words or datetime format."""
        return None if value is None else self.kind.write(self, value)

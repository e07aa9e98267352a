"""The schema of a table: its ordered fields, each with a type and a domain.

A value is a plain Python object, or None if it is missing:

| field | Python value | column of a typed table |
| --- | --- | --- |
| integer | int | Int64 |
| number | float | Float64 |
| category, text, identifier | str | string |
| boolean | bool | boolean |
| datetime | datetime.datetime (naive) | datetime64[us] |
"""

import json
import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from paracosm.recipes.sections.data import FieldType

Value = int | float | str | bool | datetime | None
Record = dict[str, Value]

DTYPES: dict[FieldType, str] = {
    "integer": "Int64",
    "number": "Float64",
    "category": "string",
    "text": "string",
    "identifier": "string",
    "boolean": "boolean",
    "datetime": "datetime64[us]",
}


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
    minimum: int | float | datetime | None = None
    """Integer, number, datetime: smallest allowed value."""
    maximum: int | float | datetime | None = None
    """Integer, number, datetime: largest allowed value."""
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
    """Datetime: format of the source, in strftime codes."""
    min_length: int = 0
    max_length: int = 0
    """Text: allowed length in characters."""
    pattern: str = ""
    """Identifier: pattern of a value; 9 is any digit, A any capital, a any small letter, \\ marks the next character as literal."""
    fresh: bool = False
    """Identifier: whether every synthetic record gets a new value; else the column is left out."""
    declared: bool = False
    """Whether the recipe declares the domain; else it is fitted to the training records."""

    @property
    def modelled(self) -> bool:
        """Whether the language model sees this field. Identifiers are never modelled."""
        return self.type != "identifier"

    def allows(self, value: Value) -> bool:
        """Return whether `value` lies in the domain of this field; None does if the field is nullable."""
        if value is None:
            return self.nullable
        match self.type:
            case "integer":
                return type(value) is int and self.minimum <= value <= self.maximum  # type: ignore[operator]
            case "number":
                if not isinstance(value, float) or not math.isfinite(value) or not self._is_exact(value):
                    return False
                return self.minimum <= value <= self.maximum  # type: ignore[operator]
            case "category":
                return value in self.categories
            case "boolean":
                return isinstance(value, bool)
            case "datetime":
                return isinstance(value, datetime) and self.minimum <= value <= self.maximum  # type: ignore[operator]
            case "text":
                return isinstance(value, str) and self.min_length <= len(value) <= self.max_length
            case _:
                return isinstance(value, str)

    def _is_exact(self, value: float) -> bool:
        if self.scientific:
            return float(f"{value:.{self.scientific - 1}e}") == value
        return round(value, self.decimals) == value

    def write(self, value: Value) -> str | None:
        """Return `value` in the format of the source: unit, decimals, padding, words or datetime format."""
        if value is None:
            return None
        match self.type:
            case "integer":
                return f"{self.prefix}{value:0{self.width}d}{self.suffix}"
            case "number":
                if self.scientific:
                    return f"{self.prefix}{value!r}{self.suffix}"
                whole, point, fraction = f"{value:.{self.decimals}f}".partition(".")
                if self.trim:
                    fraction = fraction.rstrip("0").ljust(self.least_decimals, "0")
                return f"{self.prefix}{whole}{point if fraction else ''}{fraction}{self.suffix}"
            case "boolean":
                return self.true if value else self.false
            case "datetime":
                assert isinstance(value, datetime)
                return value.strftime(self.format) if self.format else value.isoformat()
            case _:
                return str(value)


@dataclass(frozen=True)
class SubjectSequence:
    """The form of a subject's sequence of records. Fields are given by name.

    Attributes:
        subject: the identifier of the subject.
        order_by: the field that orders the records of a subject.
        shared: fields that have one value in all records of a subject, in order.
        most: most records of a sequence.
    """

    subject: str
    order_by: str
    shared: tuple[str, ...]
    most: int


@dataclass(frozen=True)
class Schema:
    """The ordered fields of a record.

    Attributes:
        fields: the fields, with unique names.
        sequence: form of a subject's sequence; None if records are modelled one by one.
        columns: names of all columns of the output, in order, if some have no cell in any training record and so are not
            fields; else empty.
        relations: relations that hold in all training records, as `records.relations.search` writes them.
    """

    fields: tuple[Field, ...]
    sequence: SubjectSequence | None = None
    columns: tuple[str, ...] = ()
    relations: tuple[dict[str, Any], ...] = dataclass_field(default=(), hash=False)

    def __iter__(self) -> Iterator[Field]:
        return iter(self.fields)

    def __len__(self) -> int:
        return len(self.fields)

    def __getitem__(self, name: str) -> Field:
        for field in self.fields:
            if field.name == name:
                return field
        raise KeyError(name)

    @property
    def names(self) -> list[str]:
        """Names of all fields, in order."""
        return [field.name for field in self.fields]

    @property
    def modelled(self) -> tuple[Field, ...]:
        """The fields that the language model sees, in order."""
        return tuple(field for field in self.fields if field.modelled)

    def allows(self, record: Record) -> bool:
        """Return whether `record` has a value (or None) in the domain of every modelled field."""
        return all(field.name in record and field.allows(record[field.name]) for field in self.modelled)

    def to_json(self) -> str:
        """Return the schema as JSON that `from_json` reads back."""
        plain: dict[str, Any] = {"fields": [_to_plain(field) for field in self.fields]}
        if self.sequence is not None:
            plain["sequence"] = asdict(self.sequence)
        if self.columns:
            plain["columns"] = list(self.columns)
        if self.relations:
            plain["relations"] = list(self.relations)
        return json.dumps(plain, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the schema that `to_json` wrote."""
        plain = json.loads(text)
        form = plain.get("sequence")
        sequence = None if form is None else SubjectSequence(**{**form, "shared": tuple(form["shared"])})
        fields = tuple(_from_plain(field) for field in plain["fields"])
        return cls(fields, sequence, tuple(plain.get("columns", ())), tuple(plain.get("relations", ())))

    def save(self, path: Path) -> None:
        """Write the schema to `path` as JSON."""
        path.write_text(self.to_json() + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the schema that `save` wrote."""
        return cls.from_json(path.read_text(encoding="utf-8"))


def _to_plain(field: Field) -> dict[str, Any]:
    defaults = Field(name="", type=field.type)
    plain = {key: value for key, value in asdict(field).items() if value != getattr(defaults, key)}
    plain |= {"name": field.name, "type": field.type}
    for bound in ("minimum", "maximum"):
        if isinstance(plain.get(bound), datetime):
            plain[bound] = plain[bound].isoformat()
    return plain


def _from_plain(plain: dict[str, Any]) -> Field:
    if plain["type"] == "datetime":
        moments = {key: datetime.fromisoformat(plain[key]) for key in ("minimum", "maximum") if key in plain}
        plain = {**plain, **moments}
    return Field(**{**plain, "categories": tuple(plain.get("categories", ()))})

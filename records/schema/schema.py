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
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any, Self

from paracosm.foundation.errors import DataError
from paracosm.foundation.json_files import read_json
from paracosm.records.fields.field import Field
from paracosm.records.fields.kind import KINDS, Record, Value

__all__ = ["Field", "Record", "Schema", "SubjectSequence", "Value"]

BOUNDS = ("minimum", "maximum")


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
        column_types: Arrow types of columns that are not fields, as far as the source has types.
        relations: relations that hold in all training records, as `records.relations.search` writes them.
        rare: fields that keep values which fewer subjects have than `data.rare.subjects`, with the number of these values;
            None where they were not counted, because the domains are declared or not fitted here.
    """

    fields: tuple[Field, ...]
    sequence: SubjectSequence | None = None
    columns: tuple[str, ...] = ()
    column_types: tuple[tuple[str, str], ...] = ()
    relations: tuple[dict[str, Any], ...] = dataclass_field(default=(), hash=False)
    rare: tuple[tuple[str, int], ...] | None = None

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
        if self.column_types:
            plain["column_types"] = dict(self.column_types)
        if self.relations:
            plain["relations"] = list(self.relations)
        if self.rare is not None:
            plain["rare"] = dict(self.rare)
        return json.dumps(plain, indent=1, ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Return the schema that `to_json` wrote."""
        plain = json.loads(text)
        form = plain.get("sequence")
        sequence = None if form is None else SubjectSequence(**{**form, "shared": tuple(form["shared"])})
        fields = tuple(_from_plain(field) for field in plain["fields"])
        types = tuple(plain.get("column_types", {}).items())
        relations = tuple(plain.get("relations", ()))
        rare = tuple(plain["rare"].items()) if "rare" in plain else None
        return cls(fields, sequence, tuple(plain.get("columns", ())), types, relations, rare)

    def save(self, path: Path) -> None:
        """Write the schema to `path` as JSON."""
        path.write_text(self.to_json() + "\n", encoding="utf-8")

    @classmethod
    def load(cls, path: Path) -> Self:
        """Return the schema that `save` wrote.

        Raises:
            DataError: the file is missing, damaged or foreign.
        """
        text = json.dumps(read_json(path, DataError))
        try:
            return cls.from_json(text)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise DataError(f"{path}: is not a schema that Paracosm wrote") from error


def _to_plain(field: Field) -> dict[str, Any]:
    defaults = Field(name="", type=field.type)
    plain = {key: value for key, value in asdict(field).items() if value != getattr(defaults, key)}
    plain |= {"name": field.name, "type": field.type}
    for bound in BOUNDS:
        if bound in plain:
            plain[bound] = field.kind.to_json(plain[bound])
    return plain


def _from_plain(plain: dict[str, Any]) -> Field:
    kind = KINDS[plain["type"]]
    bounds = {key: kind.from_json(plain[key]) for key in BOUNDS if key in plain}
    words = {key: tuple(plain.get(key, ())) for key in ("categories", "labels")}
    return Field(**{**plain, **bounds, **words})

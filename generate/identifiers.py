"""Fresh identifiers: new values of identifier fields for synthetic records, different from those of the real records."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from paracosm.generate.minting import Minter
from paracosm.recipes.run.directory import Run
from paracosm.records.formats.identifier_pattern import mint
from paracosm.records.pii.detectors import require_extra
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.schema.table import read_table


@dataclass(frozen=True)
class IdentifierColumn:
    """The fresh identifiers of one field.

    Attributes:
        values: for all record numbers, in order.
        per_number: values per record number: 1, or the longest sequence where each of its records has its own value.
    """

    values: Sequence[str]
    per_number: int

    def value(self, number: int, index: int) -> str:
        """Return the identifier of the record at `index` in the sequence of a record number."""
        return self.values[number * self.per_number + (index if self.per_number > 1 else 0)]


@dataclass(frozen=True)
class FreshIdentifiers:
    """The fresh identifiers of all records.

    Attributes:
        columns: per identifier field.
    """

    columns: Mapping[str, IdentifierColumn]
    minter: Minter | None = None
    """Makes the fields with invented personal data, where there are some."""

    def add_to(self, numbers: Sequence[int], groups: Sequence[Sequence[Record]]) -> list[Record]:
        """Return records with their identifiers.

        Args:
            numbers: record number of each group.
            groups: the record of a number; for sequences, all records of a subject.
        """
        records = []
        for number, group in zip(numbers, groups, strict=True):
            for index, record in enumerate(group):
                new = record | {name: column.value(number, index) for name, column in self.columns.items()}
                records.append(new if self.minter is None else self.minter.add_to(new, number, group[0]))
        return records


def fresh_identifiers(
    schema: Schema, run: Run, count: int, *, seed: int, avoided_splits: Sequence[str], language: str = "en"
) -> FreshIdentifiers:
    """Make the fresh identifiers of a run.

    Args:
        schema: its fresh identifier fields get values.
        run: holds the splits.
        count: record numbers.
        seed: of the identifiers.
        avoided_splits: whose identifiers are not made again. A run that was made from a pulled version has no splits.
        language: of invented names and addresses.

    Raises:
        DataError: the schema has personal fields, and the extra `pii` is not installed.
    """
    fields = [field for field in schema if not field.modelled and field.fresh]
    if not fields:
        return FreshIdentifiers({})
    avoided: dict[str, set[str]] = {field.name: set() for field in fields}
    for split in filter(Path.is_file, map(run.split, avoided_splits)):
        table = read_table(split, schema)
        for field in fields:
            avoided[field.name].update(table[field.name].dropna())
    sequence = schema.sequence
    columns = {}
    for field in fields:
        if field.personal:
            continue
        per_number = 1 if sequence is None or field.name == sequence.subject else sequence.most
        values = mint(field.pattern, count * per_number, seed=seed, taken=avoided[field.name])
        columns[field.name] = IdentifierColumn(values, per_number)
    if not any(field.personal for field in fields):
        return FreshIdentifiers(columns)
    require_extra()
    key, hashes = _real_values(run) if avoided_splits else (b"", {})
    return FreshIdentifiers(columns, Minter(schema, seed, language, avoided, hashes, key))


def _real_values(run: Run) -> tuple[bytes, dict[str, set[str]]]:
    """Return the key of the run and the hashes of real values; without them where the user deleted the key."""
    if not (run.pii_key.is_file() and run.real_values.is_file()):
        return b"", {}
    hashes = json.loads(run.real_values.read_text(encoding="ascii"))
    return bytes.fromhex(run.pii_key.read_text(encoding="ascii")), {
        name: set(values) for name, values in hashes.items()
    }

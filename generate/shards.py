"""Shards of a run's synthetic records: one Parquet file per block, and the same as CSV or JSONL if asked for."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from paracosm.foundation.files import write_text
from paracosm.generate.augmentation.parents import PARENT
from paracosm.generate.identifiers import FreshIdentifiers
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.csv_writer import write_csv
from paracosm.records.schema.jsonl_writer import write_jsonl, write_messages
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.schema.source_types import write_records
from paracosm.records.schema.table import read_table, to_records, to_table, written


@dataclass(frozen=True)
class Shards:
    """The shards of a run.

    Attributes:
        run: in whose `synthetic` folder they are.
        schema: of the run.
        blocks: record numbers of each shard.
        identifiers: that are added to the records.
        formats: of the files; Parquet is always written.
    """

    run: Run
    schema: Schema
    blocks: Sequence[range]
    identifiers: FreshIdentifiers
    formats: Sequence[str]

    def missing(self) -> list[int]:
        """Return the numbers of the shards that are not written yet."""
        return [number for number in range(len(self.blocks)) if not self.run.shard(number).is_file()]

    def write(self, number: int, groups: Sequence[Sequence[Record]]) -> None:
        """Add fresh identifiers to the records of a block and write its shard."""
        numbers = self.blocks[number]
        if any(PARENT in record for group in groups for record in group):
            made = [
                {"record": of} | json.loads(str(record[PARENT]))
                for of, group in zip(numbers, groups, strict=True)
                for record in group
                if PARENT in record
            ]
            self._write_parents(number, made)
        records = self.identifiers.add_to(numbers, groups)
        write_shard(records, self.schema, self.run, number, self.formats)

    def _write_parents(self, number: int, made: Sequence[dict[str, Any]]) -> None:
        """Write which training record each record was made of; records that a redraw leaves as they are keep their lines."""
        path = self.run.shard(number, "parents")
        lines = {each["record"]: each for each in made}
        if path.is_file():
            known = map(json.loads, path.read_text(encoding="utf-8").splitlines())
            lines = {each["record"]: each for each in known} | lines
        write_text(path, "".join(f"{json.dumps(lines[key])}\n" for key in sorted(lines)))

    def read(self) -> Iterator[tuple[range, list[Record]]]:
        """Yield record numbers and records of each shard, without identifiers."""
        modelled = Schema(self.schema.modelled)
        for number, numbers in enumerate(self.blocks):
            yield numbers, to_records(read_table(self.run.shard(number), self.schema), modelled)


def write_shard(
    records: Sequence[Record], schema: Schema, run: Run, number: int, formats: Sequence[str]
) -> None:
    """Write the files of one shard, each replaced at once.

    Args:
        records: with fresh identifiers.
        schema: of the run; identifier fields that are not fresh are left out. Columns of the source that have no cells are
            written without cells.
        run: to whose `synthetic` folder it belongs.
        number: of the shard.
        formats: those beside Parquet have their own folders, so that every reader can read the folder of the Parquet files.
    """
    published = Schema(tuple(field for field in schema if field.modelled or field.fresh))
    table = to_table(records, published)
    columns = [name for name in schema.columns if name in table.columns or name not in schema.names]
    # The types of the source, so that a reader of the source reads these records too.
    text = written(table, published)
    if columns:
        text = text.reindex(columns=columns)
    if "csv" in formats:
        write_csv(text, run.shard(number, "csv"))
    if "jsonl" in formats:
        write_jsonl(text, run.shard(number, "jsonl"), published)
    if "messages" in formats:
        write_messages(text, run.shard(number, "messages"), schema)
    # Last, because a shard counts as finished once its Parquet file exists.
    write_records(table, run.shard(number), replace(published, column_types=schema.column_types), columns)

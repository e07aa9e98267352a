"""CSV files of synthetic and completed records: whatever stands in a cell, readers find it there."""

import csv
import io
from pathlib import Path

import pandas as pd
import pytest

from paracosm.generate.shards import write_shard
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.data import Data
from paracosm.records.schema.csv_writer import write_csv
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.sources.read_source import read_source

CELLS = [
    "a\rb",
    "\r",
    "a\nb",
    "a\r\nb",
    "ends in one\r",
    "ends in both\r\n",
    'said "no"',
    "a,b",
    " plain ",
    "ü",
]


def test_every_cell_round_trips(tmp_path: Path) -> None:
    path = tmp_path / "made.csv"
    table = pd.DataFrame({"note\rtaken": CELLS, "last": CELLS[::-1]}, dtype="string")
    write_csv(table, path)
    for found in (
        read_source(Data(source=str(path)), root=tmp_path),
        pd.read_csv(path, dtype="string"),
        pd.read_csv(path, dtype="string", engine="python"),
    ):
        pd.testing.assert_frame_equal(found, table, check_dtype=False)
    text = path.read_bytes().decode()
    # No line end but the writer's own stands outside quotes.
    assert "\r" not in "".join(text.split('"')[::2])
    assert len(list(csv.reader(io.StringIO(text, newline="")))) == len(CELLS) + 1


def test_other_tables_are_written_as_before(tmp_path: Path) -> None:
    tables = (
        pd.DataFrame({"a": pd.Series(["x", pd.NA, "1,2"], dtype="string"), "b": [1.5, 2.0, None]}),
        pd.DataFrame({"a": pd.Series(["x", pd.NA], dtype="string")}),
    )
    for table in tables:
        write_csv(table, tmp_path / "made.csv")
        assert (tmp_path / "made.csv").read_bytes() == table.to_csv(index=False, lineterminator="\n").encode()


@pytest.mark.parametrize("cell", CELLS)
def test_synthetic_records_round_trip(cell: str, tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    schema = Schema(
        (Field(name="note", type="text", max_length=40), Field(name="sex", type="text", max_length=9))
    )
    write_shard([{"note": cell, "sex": "m"}] * 2, schema, run, 0, ["csv"])
    found = read_source(Data(source=str(run.shard(0, "csv"))), root=tmp_path)
    assert found["note"].tolist() == [cell, cell]

"""Splits of a file before anybody makes synthetic records of it: train to hand over, control and test to keep."""

from pathlib import Path

import pandas as pd

from paracosm.foundation.files import replacing
from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import infer_types
from paracosm.records.schema.csv_writer import write_csv
from paracosm.records.schema.table import to_typed
from paracosm.records.sources.read_source import read_source
from paracosm.records.splitting.splits import divided_rows, find_clusters

LINES = (".jsonl", ".ndjson")


def split_file(data: Data, *, out: Path, root: Path = Path()) -> dict[str, tuple[Path, int]]:
    """Divide a source into files for train, control and test, as a run would, and write them to a new folder.

    Parquet and JSON lines are written as they are, record by record; other sources become CSV.

    Args:
        data: source, subject, target and shares.
        out: the folder, which appears complete or not at all.
        root: folder of relative paths.

    Returns:
        Split -> its file and the number of its records; a split with no share is absent.

    Raises:
        DataError: the source cannot be read, or has too few records or subjects for the splits.
    """
    raw = read_source(data, root=root)
    schema = infer_types(raw, data)
    table = to_typed(raw, schema)
    parts = divided_rows(table, schema, data, find_clusters(table, schema, data))
    source = Path(data.source)
    suffix = (
        source.suffix.lower()
        if source.suffix.lower() in (*LINES, ".parquet") and source.is_file()
        else ".csv"
    )
    with replacing(out) as folder:
        folder.mkdir()
        for name, rows in parts.items():
            if rows:
                _write(source, raw, rows, folder / f"{name}{suffix}")
    return {name: (out / f"{name}{suffix}", len(rows)) for name, rows in parts.items() if rows}


def _write(source: Path, raw: pd.DataFrame, rows: list[int], path: Path) -> None:
    """Write some records of a source, unchanged where its format allows that."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as parquet

        parquet.write_table(parquet.read_table(source).take(rows), path)
        return
    if path.suffix in LINES:
        lines = [line for line in source.read_text(encoding="utf-8-sig").splitlines() if line.strip()]
        if len(lines) == len(raw):
            path.write_text("".join(f"{lines[row]}\n" for row in rows), encoding="utf-8")
            return
    write_csv(raw.iloc[rows], path)

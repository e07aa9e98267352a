"""Splits of a file: every record in one file, subjects whole, and the source's own lines or types."""

from pathlib import Path

import pandas as pd
import pytest

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.splitting.split_file import split_file


def visits() -> pd.DataFrame:
    rows = range(120)
    return pd.DataFrame(
        {
            "person": [f"P-{row // 3:03}" for row in rows],
            "score": [1.5 + row * 0.37 for row in rows],
            "note": [f"line {row},\nnext" for row in rows],
        }
    )


@pytest.mark.parametrize("suffix", ["csv", "jsonl", "parquet"])
def test_records_stay_as_they_are_and_people_stay_together(tmp_path: Path, suffix: str) -> None:
    table, source = visits(), tmp_path / f"visits.{suffix}"
    {
        "csv": lambda: table.to_csv(source, index=False),
        "jsonl": lambda: table.to_json(source, orient="records", lines=True),
        "parquet": lambda: table.to_parquet(source),
    }[suffix]()
    files = split_file(Data(source=str(source), subject="person"), out=tmp_path / "out")
    assert [path.name for path, _ in files.values()] == [
        f"{name}.{suffix}" for name in ("train", "control", "test")
    ]
    read = {
        "csv": pd.read_csv,
        "jsonl": lambda path: pd.read_json(path, lines=True),
        "parquet": pd.read_parquet,
    }
    parts = [read[suffix](path) for path, _ in files.values()]
    assert [len(part) for part in parts] == [rows for _, rows in files.values()]
    together = pd.concat(parts).sort_values("score", ignore_index=True)
    pd.testing.assert_frame_equal(together, table, check_dtype=False)
    train, control, test = (set(part["person"]) for part in parts)
    assert train.isdisjoint(control | test)
    assert control.isdisjoint(test)


def test_too_few_people_are_refused_and_nothing_is_written(tmp_path: Path) -> None:
    source = tmp_path / "visits.csv"
    visits().assign(person="P-1").to_csv(source, index=False)
    with pytest.raises(DataError):
        split_file(Data(source=str(source), subject="person"), out=tmp_path / "out")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["visits.csv"]

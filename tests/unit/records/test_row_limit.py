"""Rows drawn from chunks are those drawn from the whole table, and reading stops where it may."""

import gzip
import json
import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.sources.read_source import read_source
from paracosm.records.sources.selection import row_limit
from paracosm.records.sources.selection.bounded_glob import bounded_glob
from paracosm.records.sources.selection.row_limit import RowCollector, frames, limited

DRAW = np.random.default_rng(3)
TABLE = pd.DataFrame({"a": DRAW.integers(0, 40, 1000).astype(str), "b": DRAW.choice(["x", "y"], 1000)})


@pytest.mark.parametrize("limit", [1, 30, 400, 999, 1000, 5000])
def test_rows_drawn_from_chunks_are_those_drawn_from_the_table(
    limit: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_limit, "CHUNK_ROWS", 7)
    data = Data(source="x", limit=limit)
    collector = RowCollector(data, "x", frames(data))
    for start in range(0, 1000, 7):
        assert not collector.add(TABLE.iloc[start : start + 7], columns=2)
    (drawn,) = collector.rows()
    pd.testing.assert_frame_equal(drawn.reset_index(drop=True), limited(TABLE, data))


@pytest.mark.parametrize("limit", [1, 30, 400, 999])
def test_a_draw_of_sequences_keeps_subjects_whole(limit: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(row_limit, "CHUNK_ROWS", 7)
    data = Data(source="x", limit=limit, subject="a", sequence="t")
    table = TABLE.assign(t=range(1000))
    collector = RowCollector(data, "x", frames(data))
    for start in range(0, 1000, 7):
        collector.add(table.iloc[start : start + 7], columns=3)
    (drawn,) = collector.rows()
    pd.testing.assert_frame_equal(drawn.reset_index(drop=True), limited(table, data))
    assert 0 < len(drawn) <= limit
    sizes = table.groupby("a").size()
    if limit > sizes.max():
        assert (drawn.groupby("a").size() == sizes[drawn["a"].unique()].sort_index()).all()
        assert len(drawn) > limit - sizes.max()


def test_messages_of_a_drawn_conversation_stay_together(tmp_path: Path) -> None:
    line = {"messages": [{"role": "user", "content": f"x{turn}"} for turn in range(5)]}
    (tmp_path / "a.jsonl").write_text((json.dumps(line) + "\n") * 40)
    settings = {"nested": "rows", "subject": "conversation", "sequence": "turn", "limit": 23}
    drawn = read_source(Data.model_validate({"source": "a.jsonl", **settings}), root=tmp_path)
    assert drawn.groupby("conversation").size().tolist() == [5] * 4


def write(folder: Path, suffix: str) -> dict[str, str]:
    path = folder / f"a{suffix}"
    if suffix == ".csv":
        TABLE.to_csv(path, index=False)
    elif suffix == ".parquet":
        TABLE.to_parquet(path, index=False)
    elif suffix == ".db":
        with sqlite3.connect(path) as connection:
            TABLE.to_sql("t", connection, index=False)
        return {"source": f"sqlite:///{path}", "query": "select * from t"}
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in TABLE.to_dict("records")))
    return {"source": str(path)}


@pytest.mark.parametrize("suffix", [".csv", ".parquet", ".jsonl", ".db"])
def test_every_reader_draws_in_chunks(tmp_path: Path, suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    source = write(tmp_path, suffix)
    whole = read_source(Data.model_validate({**source, "limit": 60}), root=tmp_path)
    monkeypatch.setattr(row_limit, "CHUNK_ROWS", 11)
    drawn = read_source(Data.model_validate({**source, "limit": 60}), root=tmp_path)
    assert len(drawn) == 60
    assert drawn.to_numpy().tolist() == whole.to_numpy().tolist()
    # Drawn from all of it, not from its beginning.
    assert drawn.to_numpy().tolist() != TABLE.head(60).to_numpy().tolist()


@pytest.mark.parametrize("suffix", [".csv", ".jsonl"])
def test_the_first_rows_need_no_more_of_the_file(tmp_path: Path, suffix: str) -> None:
    path = Path(write(tmp_path, suffix)["source"])
    content = path.read_bytes() + b"".join(b"%d,%d\n" % (row, row * 7919) for row in range(400_000))
    damaged = gzip.compress(content)[:-1000]
    zipped = tmp_path / f"b{suffix}.gz"
    zipped.write_bytes(damaged)
    first = read_source(Data(source=str(zipped), limit=9, limit_order="first"), root=tmp_path)
    assert first.to_numpy().tolist() == TABLE.head(9).to_numpy().tolist()
    with pytest.raises(DataError, match="broken or cut off"):
        read_source(Data(source=str(zipped), limit=9), root=tmp_path)


def test_a_glob_matches_as_the_shell_does(tmp_path: Path) -> None:
    for name in ("a/1.csv", "a/b/2.csv", "a/b/c/3.csv", "a/.hidden/4.csv", "a/.5.csv", "a/6.tsv"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    (tmp_path / "a" / "b" / "back").symlink_to(tmp_path / "a")

    def names(pattern: str) -> list[str]:
        return sorted(str(path.relative_to(tmp_path)) for path in bounded_glob(tmp_path / pattern, 1000))

    assert names("a/*.csv") == ["a/1.csv"]
    assert names("**/*.csv") == ["a/1.csv", "a/b/2.csv", "a/b/c/3.csv"]
    assert names("a/?/[0-9].csv") == ["a/b/2.csv"]
    assert names("a/.*.csv") == ["a/.5.csv"]
    assert names("a/**") == ["a/1.csv", "a/6.tsv", "a/b/2.csv", "a/b/c/3.csv"]

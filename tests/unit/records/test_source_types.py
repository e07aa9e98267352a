"""Synthetic records have the types, the order, the words and the labels that the source has, in every format."""

import datetime as dates
import decimal
import json
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from paracosm.generate.shards import write_shard
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.data import Data
from paracosm.records.assembly import assemble
from paracosm.records.schema.arrow_types import parse_type
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table, to_records
from paracosm.records.sources.read_source import from_object, read_source

ROWS = 60
BERLIN = ZoneInfo("Europe/Berlin")
MOMENTS = [dates.datetime(2024, 3, 1) + dates.timedelta(hours=7 * row % 1000) for row in range(ROWS)]


def column(type_: pa.DataType) -> pa.Array:
    """Return a column of a type with values that repeat, and some missing."""
    if pa.types.is_dictionary(type_):
        return column(type_.value_type).cast(type_)
    cells: list = [row % 7 for row in range(ROWS)]
    if pa.types.is_decimal(type_):
        cells = [decimal.Decimal(row % 7) + decimal.Decimal("0.05") for row in range(ROWS)]
    elif pa.types.is_floating(type_):
        cells = [np.float16(row % 7 / 8) if type_ == pa.float16() else row % 7 / 8 for row in range(ROWS)]
    elif pa.types.is_boolean(type_):
        cells = [row % 3 == 0 for row in range(ROWS)]
    elif pa.types.is_date(type_):
        cells = [moment.date() for moment in MOMENTS]
    elif pa.types.is_timestamp(type_):
        cells = [
            moment.replace(tzinfo=BERLIN if type_.tz == "Europe/Berlin" else dates.UTC if type_.tz else None)
            for moment in MOMENTS
        ]
    elif not pa.types.is_integer(type_):
        cells = ["yes" if row % 3 else "no" for row in range(ROWS)]
    return pa.array([None if row % 10 == 9 else cell for row, cell in enumerate(cells)], type_)


TYPES = [
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    *(pa.float16(), pa.float32(), pa.float64(), pa.decimal128(10, 2), pa.decimal256(40, 2)),
    *(pa.string(), pa.large_string(), pa.bool_(), pa.date32()),
    *(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")),
    *(pa.timestamp("us", "UTC"), pa.timestamp("ms", "Europe/Berlin"), pa.timestamp("us", "+02:00")),
    *(pa.dictionary(pa.int32(), pa.string()), pa.dictionary(pa.int8(), pa.large_string())),
]


def written(source, folder: Path, formats=("parquet", "csv", "jsonl"), **settings) -> tuple[Run, Schema]:
    """Write the training records of a source as if they were synthetic ones, and hold that they are read back."""
    path = source if isinstance(source, Path) else None
    recipe = Recipe(name="x", data=Data(source=str(path or "memory"), **settings))
    raw = read_source(recipe.data, root=folder) if path else from_object(source)
    prepared = assemble(recipe, raw)
    run = Run.create(folder / "run")
    modelled = Schema(prepared.schema.modelled)
    records = to_records(prepared.splits["train"], modelled)
    write_shard(records, prepared.schema, run, 0, formats)
    assert to_records(read_table(run.shard(0), prepared.schema), modelled) == records
    return run, prepared.schema


@pytest.mark.parametrize("type_", TYPES, ids=str)
def test_a_column_has_the_type_of_the_source(tmp_path: Path, type_: pa.DataType) -> None:
    assert parse_type(str(type_)) == type_
    table = pa.table({"last": column(pa.int64()), "x": column(type_), "first": column(pa.string())})
    pq.write_table(table, tmp_path / "a.parquet")
    run, _ = written(tmp_path / "a.parquet", tmp_path)
    schema, source = pq.read_schema(run.shard(0)), pq.read_schema(tmp_path / "a.parquet")
    assert schema.names == ["last", "x", "first"]
    assert schema.types == source.types
    frame = pd.read_parquet(run.synthetic)
    assert list(frame) == ["last", "x", "first"]
    assert frame.dtypes.equals(pd.read_parquet(tmp_path / "a.parquet").dtypes)


FRAMES = {
    "Int64": pd.Series([1, 2, None] * 20, dtype="Int64"),
    "boolean": pd.Series([True, False, None] * 20, dtype="boolean"),
    "float32": pd.Series([0.1, 0.25, 7.5] * 20, dtype="float32"),
    "bool": pd.Series([True, False, True] * 20),
    "ordered": pd.Series(pd.Categorical(["low", "mid", "high"] * 20, ["low", "mid", "high"], ordered=True)),
    "zoned": pd.Series(
        pd.to_datetime(["2024-03-01 10:00", "2024-07-01 12:30"] * 30).tz_localize("Europe/Berlin")
    ),
    "whole floats": pd.Series([1.0, 2.0, np.nan] * 20),
    "decimals": pd.Series([decimal.Decimal("1.50"), decimal.Decimal("2.25")] * 30, dtype=object),
    "days": pd.Series([dates.date(2024, 3, 1), dates.date(2024, 3, 2)] * 30, dtype=object),
    "nothing": pd.Series([np.nan] * 60),
}


@pytest.mark.parametrize("name", FRAMES)
def test_a_frame_gets_its_own_types_back(tmp_path: Path, name: str) -> None:
    frame = pd.DataFrame({"x": FRAMES[name], "y": ["a", "b"] * 30})
    run, _ = written(frame, tmp_path)
    back = pd.read_parquet(run.synthetic)
    assert back["x"].dtype == frame["x"].dtype
    if frame["x"].dtype == object:
        assert type(back["x"].iloc[0]) is type(frame["x"].iloc[0])


LABELS = ["no", "billing", "fraud", "loan"]


def labelled(folder: Path) -> Path:
    """Write a Parquet file with class labels in its metadata, as the package `datasets` does."""
    features = {"label": {"names": LABELS, "_type": "ClassLabel"}}
    table = pa.table(
        {
            "text": [f"a text about topic {row}, and more of it" for row in range(ROWS)],
            "label": [row % 3 for row in range(ROWS)],
        }
    )
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(metadata), folder / "a.parquet")
    return folder / "a.parquet"


def test_class_labels_are_categories_and_come_out_as_labels(tmp_path: Path) -> None:
    import datasets

    run, schema = written(labelled(tmp_path), tmp_path)
    assert schema["label"].type == "category"
    assert set(schema["label"].categories) == set(LABELS[:3])
    assert schema["label"].labels == tuple(LABELS)
    assert Schema.from_json(schema.to_json()) == schema
    assert pq.read_schema(run.shard(0)).field("label").type == pa.int64()
    features = datasets.Features.from_arrow_schema(pq.read_schema(run.shard(0)))
    assert features["label"] == datasets.ClassLabel(names=LABELS)
    line = json.loads((run.synthetic / "_jsonl" / "part-00000.jsonl").read_text().splitlines()[0])
    assert line["label"] in LABELS


def test_class_labels_of_a_saved_data_set_are_words(tmp_path: Path) -> None:
    import datasets

    table = pq.read_table(labelled(tmp_path))
    dataset = datasets.Dataset(table.replace_schema_metadata(table.schema.metadata))
    datasets.DatasetDict({"train": dataset, "test": dataset}).save_to_disk(str(tmp_path / "saved"))
    for source in (tmp_path / "saved" / "train", dataset):
        raw = (
            from_object(source) if source is dataset else read_source(Data(source=str(source)), root=tmp_path)
        )
        assert set(raw["label"]) == set(LABELS[:3])


def test_words_and_digits_are_those_of_the_source_in_every_format(tmp_path: Path) -> None:
    rows = [
        f"{row % 50:05d},{'yes' if row % 3 else 'no'},{row % 7}.50,,{'True' if row % 2 else 'False'}"
        for row in range(ROWS)
    ]
    (tmp_path / "a.csv").write_text("nr,paid,price,empty,ok\n" + "\n".join(rows) + "\n")
    run, _ = written(tmp_path / "a.csv", tmp_path, fields={"nr": {"type": "integer"}}, rare="keep")
    frame = pd.read_parquet(run.synthetic)
    assert list(frame) == ["nr", "paid", "price", "empty", "ok"]
    assert set(frame["paid"]) == {"yes", "no"}
    assert frame["ok"].dtype == bool
    assert frame["nr"].str.fullmatch(r"0\d{4}").all()
    assert frame["empty"].isna().all()
    lines = [
        json.loads(line) for line in (run.synthetic / "_jsonl" / "part-00000.jsonl").read_text().splitlines()
    ]
    assert {type(lines[0][name]) for name in ("nr", "paid")} == {str}
    assert (type(lines[0]["price"]), type(lines[0]["ok"]), lines[0]["empty"]) == (float, bool, None)
    text = (run.synthetic / "_csv" / "part-00000.csv").read_text().splitlines()
    assert text[0] == "nr,paid,price,empty,ok"
    assert set(text[1:]) <= set(rows)


def test_json_values_have_their_types_back(tmp_path: Path) -> None:
    source = [
        {
            "n": row % 9,
            "digits": str(row % 9),
            "x": float(row % 4),
            "ok": row % 2 == 0,
            "word": str(row % 2 == 0).lower(),
            "gone": None,
        }
        for row in range(ROWS)
    ]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, source)))
    run, _ = written(tmp_path / "a.jsonl", tmp_path)
    lines = [
        json.loads(line) for line in (run.synthetic / "_jsonl" / "part-00000.jsonl").read_text().splitlines()
    ]
    assert all(line in source for line in lines)
    assert {key: type(cell) for key, cell in lines[0].items()} == {
        key: type(cell) for key, cell in source[0].items()
    }


def test_a_type_that_cannot_hold_the_words_is_said(tmp_path: Path) -> None:
    table = pa.table({"x": column(pa.date32()), "y": column(pa.string())})
    pq.write_table(table, tmp_path / "a.parquet")
    data = Data(source=str(tmp_path / "a.parquet"), fields={"x": {"type": "category"}}, rare="keep")
    prepared = assemble(Recipe(name="x", data=data), read_source(data, root=tmp_path))
    assert prepared.schema["x"].arrow == "date32[day]"
    frame = pd.DataFrame({"x": pd.Series([1, "a", 2.5] * 20, dtype=object), "y": ["a", "b"] * 30})
    assert assemble(Recipe(name="x", data=Data(source="x")), from_object(frame)).schema["x"].arrow == ""

"""Files of a shard: each format has its own folder, JSON lines have typed values, and columns without cells stay."""

import json
from pathlib import Path

import pandas as pd

from paracosm.generate.shards import write_shard
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.data import Data
from paracosm.records.schema.schema import Field, Record, Schema, SubjectSequence
from paracosm.records.sources.read_source import read_source

SCHEMA = Schema(
    (
        Field(name="id", type="identifier", pattern="P999"),
        Field(name="age", type="integer", minimum=0, maximum=99, nullable=True),
        Field(name="zip", type="integer", minimum=0, maximum=999, width=3),
        Field(name="price", type="number", decimals=2, minimum=0.0, maximum=9.0),
        Field(name="fee", type="number", decimals=1, minimum=0.0, maximum=9.0, prefix="$"),
        Field(name="ok", type="boolean", true="True", false="False", nullable=True),
        Field(name="paid", type="boolean", true="yes", false="no"),
        Field(name="code", type="category", categories=("1", 'a "quoted" ü')),
    ),
    columns=("first", "age", "zip", "price", "middle", "fee", "ok", "paid", "code", "last"),
)
RECORDS: list[Record] = [
    {"age": 45, "zip": 7, "price": 1.5, "fee": 2.0, "ok": True, "paid": True, "code": "1"},
    {"age": None, "zip": 70, "price": 2.25, "fee": 2.5, "ok": None, "paid": False, "code": 'a "quoted" ü'},
]


def test_every_format_has_its_own_folder_and_all_columns_of_the_source(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    for number in range(2):
        write_shard(RECORDS, SCHEMA, run, number, ["parquet", "csv", "jsonl"])
    table = pd.read_parquet(run.synthetic)
    assert list(table) == list(SCHEMA.columns)
    assert len(table) == 4
    assert table[["first", "middle", "last"]].isna().all().all()
    text = pd.read_csv(run.synthetic / "_csv" / "part-00001.csv", dtype=str, keep_default_na=False)
    assert list(text) == list(SCHEMA.columns)
    assert text.loc[0].tolist() == ["", "45", "007", "1.50", "", "$2.0", "True", "yes", "1", ""]


def test_json_lines_have_numbers_booleans_and_null_and_the_words_of_the_source(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    write_shard(RECORDS, SCHEMA, run, 0, ["jsonl"])
    lines = (run.synthetic / "_jsonl" / "part-00000.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"first": None, "age": 45, "zip": "007", "price": 1.5, "middle": None}
        | {"fee": "$2.0", "ok": True, "paid": "yes", "code": "1", "last": None},
        {"first": None, "age": None, "zip": "070", "price": 2.25, "middle": None}
        | {"fee": "$2.5", "ok": None, "paid": "no", "code": 'a "quoted" ü', "last": None},
    ]
    assert '"price":1.50' in lines[0]


def test_the_schema_keeps_the_order_of_the_columns() -> None:
    assert Schema.from_json(SCHEMA.to_json()) == SCHEMA
    assert "columns" not in Schema(SCHEMA.fields).to_json()


def test_dialogues_are_written_as_lists_of_messages_that_read_back(tmp_path: Path) -> None:
    schema = Schema(
        (
            Field(name="topic", type="category", categories=("acute", "chronic")),
            Field(name="conversation", type="identifier", pattern="99", fresh=True),
            Field(name="turn", type="integer", minimum=1, maximum=3),
            Field(name="role", type="category", categories=("assistant", "user")),
            Field(name="content", type="text", max_length=30, nullable=True),
        ),
        SubjectSequence("conversation", "turn", ("topic",), 3),
    )
    turns = [("acute", "10", 1, "user", "Pain?"), ("acute", "10", 2, "assistant", 'No "fever".')]
    turns += [("chronic", "11", 1, "user", None)]
    records: list[Record] = [dict(zip(schema.names, turn, strict=True)) for turn in turns]
    run = Run.create(tmp_path / "run")
    write_shard(records, schema, run, 0, ["messages"])
    path = run.synthetic / "_messages" / "part-00000.jsonl"
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == {
        "topic": "acute",
        "messages": [
            {"role": "user", "content": "Pain?"},
            {"role": "assistant", "content": 'No "fever".'},
        ],
    }
    assert lines[1] == {"topic": "chronic", "messages": [{"role": "user", "content": None}]}
    again = read_source(Data(source=str(path), nested="rows"), root=tmp_path)
    assert again["content"].tolist()[:2] == ["Pain?", 'No "fever".']
    assert again["turn"].tolist() == ["1", "2", "1"]

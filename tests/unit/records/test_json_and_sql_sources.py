"""JSON documents, nested records, several files, and `init` of a query."""

import json
import sqlite3

import pandas as pd
import pytest

from paracosm.foundation.errors import DataError
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.sections.data import Data
from paracosm.records.drafting.recipe_template import write_draft
from paracosm.records.schema.origin import origin_of
from paracosm.records.sources.read_source import from_object, read_source

RECORDS = [
    {"age": 40 + row % 9, "home": {"city": "Bonn" if row % 2 else "Ulm", "at": {"lat": 5.50}}, "ok": True}
    for row in range(40)
]
FLAT = ["age", "home.city", "home.at.lat", "ok"]
DOCUMENTS = {
    "array.json": json.dumps(RECORDS, indent=1),
    "lines.json": "\n".join(map(json.dumps, RECORDS)),
    "array.jsonl": json.dumps(RECORDS),
    "lines.jsonl": "\n".join(map(json.dumps, RECORDS)),
    "inside.json": json.dumps({"version": 1, "data": {"rows": RECORDS}}),
    "split.json": json.dumps({"columns": list(RECORDS[0]), "data": [list(row.values()) for row in RECORDS]}),
    "columns.json": json.dumps(
        {name: {str(row): record[name] for row, record in enumerate(RECORDS)} for name in RECORDS[0]}
    ),
    "rows.json": json.dumps([list(RECORDS[0]), *(list(row.values()) for row in RECORDS)]),
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_form_of_a_document_is_the_same_table(tmp_path, name):
    (tmp_path / name).write_text(DOCUMENTS[name])
    if name == "inside.json":
        with pytest.raises(DataError, match="is not a table of records; allowed: an array of records"):
            read_source(Data(source=name), root=tmp_path)
        (tmp_path / name).write_text(json.dumps({"version": 1, "data": RECORDS}))
    table = read_source(Data(source=name), root=tmp_path)
    assert list(table.columns) == FLAT
    assert table.iloc[0].tolist() == ["40", "Ulm", "5.5", "true"]
    assert len(table) == 40
    assert origin_of(table).arrow == {"age": "int64", "home.at.lat": "double", "ok": "bool"}


def test_columns_of_one_length_are_a_table(tmp_path):
    (tmp_path / "a.json").write_text('{"a": [1, null], "b": ["x", "y"]}')
    assert read_source(Data(source="a.json"), root=tmp_path)["b"].tolist() == ["x", "y"]
    (tmp_path / "a.json").write_text('{"a": [1, 2], "b": ["x"]}')
    with pytest.raises(DataError, match="its columns have 1 to 2 cells"):
        read_source(Data(source="a.json"), root=tmp_path)


@pytest.mark.parametrize("kind", ["jsonl", "json", "parquet", "frame", "dicts"])
def test_an_array_has_two_cures(tmp_path, kind):
    rows = [{"age": 1, "tags": [{"a": 1.50}, "ü"]}, {"age": 2, "tags": []}]
    path = tmp_path / f"a.{kind}"
    if kind == "jsonl":
        path.write_text("\n".join(map(json.dumps, rows)))
    elif kind == "json":
        path.write_text(json.dumps(rows))
    elif kind == "parquet":
        rows = [{"age": 1, "tags": [1, 2]}, {"age": 2, "tags": []}]
        pd.DataFrame(rows).to_parquet(path)

    def read(**settings):
        if kind in ("frame", "dicts"):
            return from_object(pd.DataFrame(rows) if kind == "frame" else rows, **settings)
        return read_source(Data(source=str(path), **settings), root=tmp_path)

    with pytest.raises(DataError, match=r"add 'tags' to data\.drop, or set data\.nested to json"):
        read()
    assert read(drop=["tags"])["age"].astype(str).tolist() == ["1", "2"]
    table = read(nested="json")
    assert [json.loads(cell) for cell in table["tags"]] == [row["tags"] for row in rows]
    assert "column 'tags': holds arrays" in origin_of(table).warnings[0]


def test_init_reads_arrays_as_text_and_says_so(tmp_path):
    lines = [json.dumps({"kind": "ab"[row % 2], "tags": ["x", "y"][: row % 3]}) for row in range(40)]
    (tmp_path / "a.jsonl").write_text("\n".join(lines))
    told = write_draft(source=str(tmp_path / "a.jsonl"), out=tmp_path / "r.yaml")
    assert any("warning: column 'tags': holds arrays; read as JSON text" in line for line in told)
    assert load_recipe(tmp_path / "r.yaml").data.nested == "json"


def test_several_files_are_one_source(tmp_path):
    for name, start in (("a.csv", 0), ("b.csv", 40)):
        rows = "".join(f"{row % 7},{'uv'[row % 2]}\n" for row in range(start, start + 40))
        (tmp_path / name).write_text(f"x,g\n{rows}")
    source = ["a.csv", "b.csv"]
    assert len(read_source(Data(source=source), root=tmp_path)) == 80
    out = tmp_path / "r.yaml"
    write_draft(source="\n".join(str(tmp_path / name) for name in source), out=out)
    recipe = load_recipe(out)
    assert len(read_source(recipe.data, root=tmp_path)) == 80
    assert recipe.data.model_dump(mode="json")["source"] == source
    (tmp_path / "c.csv").write_text("x,h\n1,2\n")
    with pytest.raises(DataError, match=r"c\.csv: lacks the column 'g' of a\.csv"):
        read_source(Data(source=[*source, "c.csv"]), root=tmp_path)


def test_init_of_a_query(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with sqlite3.connect("clinic.db") as connection:
        connection.execute("create table visits (sex text, weight real)")
        connection.executemany(
            "insert into visits values (?, ?)", [("mf"[row % 2], 50.5 + row % 9) for row in range(60)]
        )
    query = "select * from visits where weight > 1"
    told = write_draft(source="sqlite:///clinic.db", query=query, out=tmp_path / "r.yaml")
    assert "2 fields, 60 records" in told[0]
    data = load_recipe(tmp_path / "r.yaml").data
    assert (data.source, data.query) == ("sqlite:///clinic.db", query)
    with pytest.raises(DataError, match=r"data\.query: is missing"):
        write_draft(source="sqlite:///clinic.db", out=tmp_path / "other.yaml")
    with pytest.raises(DataError, match="must be a SELECT"):
        write_draft(source="sqlite:///clinic.db", query="drop table visits", out=tmp_path / "other.yaml")


def test_a_folder_of_splits_names_them(tmp_path):
    import datasets

    dataset = datasets.Dataset.from_dict({"age": [1, 2]})
    datasets.DatasetDict({"train": dataset, "test": dataset}).save_to_disk(str(tmp_path / "saved"))
    with pytest.raises(DataError, match="saved: holds the splits test, train: name saved/train"):
        read_source(Data(source="saved"), root=tmp_path)
    assert len(read_source(Data(source="saved/train"), root=tmp_path)) == 2

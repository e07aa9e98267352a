"""Delimited files as programs export them: each is read rightly, or one line names the suspicion."""

import bz2
import lzma
import random
import zipfile

import pandas as pd
import pyarrow as pa
import pytest

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.origin import origin_of
from paracosm.records.sources.read_source import read_source

RANDOM = random.Random(2)
ROWS = [(RANDOM.choice("AB"), f"{RANDOM.random() * 9:.2f}", str(RANDOM.randrange(100))) for _ in range(40)]
BODY = "".join(",".join(row) + "\n" for row in ROWS)
SEMICOLONS = BODY.replace(",", ";").replace(".", ",")
RIGHT = [
    ("sep=;\ng;x;y\n" + BODY.replace(",", ";"), ()),
    ('"sep=;"\ng;x;y\n' + BODY.replace(",", ";"), ()),
    ("\ufeffg,x,y\n" + BODY, ()),
    ("g|x|y\n" + BODY.replace(",", "|"), ()),
    ("g,x,y\r" + BODY.replace("\n", "\r"), ()),
    ("g,x,y\n" + BODY.encode().decode(), ()),
    (
        "# exported by tool\n# unit: mm\ng,x,y\n" + BODY,
        ("2 lines that begin with # above the header skipped",),
    ),
    ("Sales report 2024\n\ng,x,y\n" + BODY, ("the first line above the header skipped",)),
    ("Report,,\n,,\ng,x,y\n" + BODY, ("the first 2 lines above the header skipped",)),
    ("Account,DE12\nPeriod,01.01.2024 - 31.01.2024\n\ng,x,y\n" + BODY, ("the first 2 lines above",)),
    ("g,x,y,\n" + BODY.replace("\n", ",\n"), ("every row ends with the delimiter",)),
    ("g,x,y\n" + BODY.replace("\n", ",\n"), ("every row ends with the delimiter",)),
    ("g,x,y\n" + BODY + ",,\n , ,\n", ("2 rows without any cell skipped (first: line 42)",)),
    (
        "g,x,y\n" + BODY[:200] + BODY[200:].replace("\n", "\ng,x,y\n", 1),
        ("1 row skipped that repeat the header",),
    ),
    ("g x y\n" + BODY.replace(",", " "), ("has blanks between its cells",)),
    ("g   x      y\n" + BODY.replace(",", "    "), ("has blanks between its cells",)),
]


def read(folder, content, name="a.csv"):
    (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    return read_source(Data(source=str(folder / name)), root=folder)


@pytest.mark.parametrize(("text", "warnings"), RIGHT)
def test_a_table_is_read_whatever_surrounds_it(tmp_path, text, warnings):
    table = read(tmp_path, text)
    assert list(table.columns) == ["g", "x", "y"]
    assert [tuple(row) for row in table.itertuples(index=False)] == ROWS
    given = origin_of(table).warnings
    assert len(given) == len(warnings)
    for warning, expected in zip(given, warnings, strict=True):
        assert expected in warning
        assert "\n" not in warning
    # The warnings are those of the inference too, which `init` and `validate` print.
    assert infer(table, Data(source="a.csv")).warnings[: len(given)] == given


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-8-sig"])
def test_encodings_of_unicode_are_read(tmp_path, encoding):
    table = read(tmp_path, ("größe,x,y\n" + BODY).encode(encoding))
    assert list(table.columns) == ["größe", "x", "y"]
    assert not origin_of(table).warnings


def test_windows_1252_is_read_with_a_warning(tmp_path):
    table = read(tmp_path, "Größe;Preis €\nä;1,50\nß;2,50\n".encode("cp1252"))
    assert table.to_dict("list") == {"Größe": ["ä", "ß"], "Preis €": ["1,50", "2,50"]}
    assert "read as Windows-1252" in origin_of(table).warnings[0]


SUSPECT = [
    (BODY, "the first line looks like a record rather than names of columns (2 of its 3 names are values"),
    (
        "Anna,Berlin\nBert,Bonn\nAnna,Ulm\nCleo,Berlin\nAnna,Bonn\n",
        "(2 of its 2 names are also a cell of the same column)",
    ),
    ("2024-01-03,A\n2024-01-04,B\n2024-01-05,A\n", "(1 of its 2 names is a value"),
    ("g,x,y\n" + BODY + "Total,180.00,2000\n", ":42: the last row looks like a total"),
    ("g,x,y\n" + BODY + "Gesamt:,180.00,2000\n", ":42: the last row looks like a total"),
    ("g,,y\n" + BODY, "names are missing in the header; the columns are called 'column 2'"),
    ("'g','x'\n'a',1\n'b',2\n", "all names stand in single quotes"),
    ("g,x,y\n,kg,cm\n" + BODY, ":2: the first row looks like units of the columns"),
    ("g,x\nDE,1\nFR,2\nUS,3\nNA,4\n", "column 'g': NA is read as missing, but the other cells are codes"),
]


@pytest.mark.parametrize(("text", "expected"), SUSPECT)
def test_a_suspicion_is_one_warning(tmp_path, text, expected):
    warnings = origin_of(read(tmp_path, text)).warnings
    assert len(warnings) == 1
    assert expected in warnings[0]
    assert "Anna" not in warnings[0]


UNSUSPECTED = [
    "country,2019,2020,2021\n" + "DE,1,2,3\nFR,2,3,4\n" * 9,
    "0,1,2\n" + "7,8,9\n5,6,4\n" * 9,
    ",g\n0,a\n1,b\n",
    "id,text\n1,hello\n2,total\n3,more\n",
    "preis\n" + "6,98\n7,31\n" * 9,
    "name\n" + "item 3\nitem 4\n" * 9,
    "note\nfever, cough\nno fever, no cough\nheadache, rest\nall well\n",
    "#chrom\tstart\tend\n" + "chr1\t5\t9\nchr2\t6\t8\n" * 5,
    "g,x\nx,unknown\n" + "y,4\nz,5\n" * 9,
    "g,h\nA+,NA\nB,AA\nNA,B-\n",
]


@pytest.mark.parametrize("text", UNSUSPECTED)
def test_an_ordinary_table_gives_no_warning(tmp_path, text):
    table = read(tmp_path, text)
    assert not origin_of(table).warnings
    assert len(table) == text.count("\n") - 1


def test_decimal_commas_and_sentences_are_no_columns(tmp_path):
    assert read(tmp_path, UNSUSPECTED[4])["preis"].tolist()[:2] == ["6,98", "7,31"]
    assert read(tmp_path, UNSUSPECTED[6])["note"].tolist()[0] == "fever, cough"
    assert list(read(tmp_path, UNSUSPECTED[7]).columns) == ["#chrom", "start", "end"]
    table = read(tmp_path, "a;b\n" + "6,98;7,43\n7,31;0,54\n" * 9)
    assert table.iloc[0].tolist() == ["6,98", "7,43"]


REFUSED = [
    (
        "g,x,y\n" + BODY + "Total,180.00\n",
        ":42: expected 3 fields, found 2; the end of the file looks like a footer",
    ),
    (
        "g,x,y\n" + BODY + "A,hello, you,4\n",
        ":42: expected 3 fields, found 4; a cell that holds ',' must stand in double",
    ),
    ("x,y\n" + BODY, "every row has one more, so the rows may begin with row names"),
    ("g,x,y\n# a comment\n" + BODY, ":2: expected 3 fields, found 1; remove comment lines"),
    ('g,x\n"say \\"no\\"",1\n', "inside quotes, a quote is written twice"),
    ("<!DOCTYPE html><table><tr><td>1</td></tr></table>", "holds HTML or XML"),
    ('[{"a": 1}, {"a": 2}]', "holds JSON; name the file .json"),
    ("g,x,x\n" + BODY, ":1: there are two columns 'x'; rename one of them"),
]


@pytest.mark.parametrize(("text", "expected"), REFUSED)
def test_what_cannot_be_read_is_one_line_with_its_cure(tmp_path, text, expected):
    with pytest.raises(DataError) as error:
        read(tmp_path, text)
    assert expected in str(error.value)
    assert "\n" not in str(error.value)


def test_a_text_file_of_texts_says_how(tmp_path):
    lines = [f"Patient {number} reports rash since Monday, no fever.\n" for number in range(9)]
    with pytest.raises(DataError, match=r"a \.txt file is read as a table.*on a line above them") as error:
        read(tmp_path, "".join(lines), "lines.txt")
    assert "Monday" not in str(error.value)
    assert len(read(tmp_path, "text\n" + "".join(lines), "lines.txt")) == 9


def test_compressed_files_are_read(tmp_path):
    content = ("g,x,y\n" + BODY).encode()
    with zipfile.ZipFile(tmp_path / "a.csv.zip", "w") as archive:
        archive.writestr("a.csv", content)
    with pa.output_stream(str(tmp_path / "a.csv.zst"), compression="zstd") as stream:
        stream.write(content)
    (tmp_path / "a.csv.bz2").write_bytes(bz2.compress(content))
    (tmp_path / "a.csv.xz").write_bytes(lzma.compress(content))
    for name in ("a.csv.zip", "a.csv.zst", "a.csv.bz2", "a.csv.xz"):
        table = read_source(Data(source=str(tmp_path / name)), root=tmp_path)
        assert [tuple(row) for row in table.itertuples(index=False)] == ROWS
    (tmp_path / "b.csv.zst").write_bytes((tmp_path / "a.csv.zst").read_bytes()[:-20])
    with pytest.raises(DataError, match=r"b\.csv\.zst: the zstd stream is broken or cut off"):
        read_source(Data(source=str(tmp_path / "b.csv.zst")), root=tmp_path)


def test_tabs_are_not_assumed_where_there_are_none(tmp_path):
    assert isinstance(read(tmp_path, "g;x\n1;2\n", "a.tsv"), pd.DataFrame)
    assert list(read(tmp_path, "g;x\n1;2\n", "a.tsv").columns) == ["g", "x"]

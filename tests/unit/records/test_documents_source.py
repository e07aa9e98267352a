"""Folders and globs of documents become tables, and no message shows their text."""

import zlib
from pathlib import Path

import docx
import pandas as pd
import pytest

from paracosm.foundation.errors import DataError
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.sections.data import Data
from paracosm.records.drafting.recipe_template import write_draft
from paracosm.records.inference.infer_schema import infer_types
from paracosm.records.schema.origin import origin_of
from paracosm.records.sources.read_source import read_source

SECRET = "Zebulon Quillfeather"
NOTE = "Seen in the morning. No fever.\n\nPlan: rest, and a visit in two weeks."
MARKDOWN = "---\ntitle: Memo\nward: '7'\n---\n# History\n\nCough since Monday.\n\n```\n# no heading\n```\n\n## Plan\nRest.\n"
HTML = (
    "<!DOCTYPE html><html><head><title>A page</title><meta name=author content='A. Writer'><style>b{}</style></head>"
    "<body><nav>menu</nav><h1>Head <i>line</i></h1>before<p>One <b>bold</b>\n word.</p><ul><li>first<li>second</ul>"
    "<table><tr><td>dose<td>5 mg</table><!-- hidden --></body></html>"
)


def pdf(text: str) -> bytes:
    """Return a PDF of one page with a text and a title."""
    lines = "".join(f"({line}) Tj T* " for line in text.split("\n"))
    content = zlib.compress(f"BT /F1 12 Tf 14 TL 40 700 Td {lines}ET".encode())
    parts = [
        b"<</Type/Catalog/Pages 2 0 R>>",
        b"<</Type/Pages/Kids[3 0 R]/Count 1>>",
        b"<</Type/Page/Parent 2 0 R/MediaBox[0 0 600 800]/Contents 4 0 R/Resources<</Font<</F1 5 0 R>>>>>>",
        b"<</Length %d/Filter/FlateDecode>>stream\n%b\nendstream" % (len(content), content),
        b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica>>",
        b"<</Title(A report)/CreationDate(D:20240131120000Z)>>",
    ]
    file, places = b"%PDF-1.4\n", []
    for number, part in enumerate(parts, start=1):
        places.append(len(file))
        file += b"%d 0 obj%b endobj\n" % (number, part)
    table = b"xref\n0 7\n0000000000 65535 f \n" + b"".join(b"%010d 00000 n \n" % place for place in places)
    return file + table + b"trailer<</Size 7/Root 1 0 R/Info 6 0 R>>\nstartxref\n%d\n%%%%EOF" % len(file)


def word(path: Path) -> None:
    document = docx.Document()
    document.core_properties.title = "A letter"
    document.add_heading("History", 1)
    document.add_paragraph("Cough since Monday.")
    row = document.add_table(1, 2).rows[0]
    row.cells[0].text, row.cells[1].text = "dose", "5 mg"
    document.add_heading("Plan", 2)
    document.add_paragraph("Rest.")
    document.save(str(path))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "notes"
    (root / "letters").mkdir(parents=True)
    (root / "a.txt").write_bytes(NOTE.replace("\n", "\r\n").encode())
    (root / "b.md").write_text(MARKDOWN)
    (root / "c.html").write_text(HTML)
    word(root / "letters" / "d.docx")
    (root / "letters" / "e.pdf").write_bytes(pdf("The first line\nand the second."))
    (root / "letters" / "empty.txt").touch()
    return root


def read(source: Path | str, **settings: object) -> pd.DataFrame:
    return read_source(Data.model_validate({"source": str(source), **settings}), root=Path.cwd())


def test_a_folder_of_documents_is_a_table(folder: Path) -> None:
    table = read(folder)
    assert list(table.columns) == ["document", "folder", "title", "author", "created", "ward", "text"]
    assert table["document"].tolist() == ["a", "b", "c", "d", "e"]
    assert table["folder"].fillna("").tolist() == ["", "", "", "letters", "letters"]
    assert table["title"].fillna("").tolist() == ["", "Memo", "A page", "A letter", "A report"]
    assert table["text"].tolist() == [
        NOTE,
        "History\n\nCough since Monday.\n\n```\n# no heading\n```\n\nPlan\n\nRest.",
        "Head line\n\nbefore\n\nOne bold word.\n\nfirst\n\nsecond\n\ndose 5 mg",
        "History\n\nCough since Monday.\n\ndose | 5 mg\n\nPlan\n\nRest.",
        "The first line\nand the second.",
    ]
    lines = origin_of(table).warnings
    assert "read 5 documents (1 .docx, 1 .html, 1 .md, 1 .pdf, 2 .txt); one record a document" in lines[0]
    assert "1 documents have no text and are left out (first: empty.txt)" in lines[1]


def test_passages_begin_at_headings_and_belong_to_their_document(folder: Path) -> None:
    (folder / "b.md").write_text(MARKDOWN.replace("Rest.", "A sentence of words. " * 20))
    table = read(folder, passages=100)
    assert (table["text"].str.len() <= 100).all()
    memo = table[table["document"] == "b"]
    assert memo["heading"].tolist()[:2] == ["History", "Plan"]
    assert memo["passage"].tolist() == [str(number) for number in range(1, len(memo) + 1)]
    assert " ".join(" ".join(memo["text"]).split()).count("A sentence of words.") == 20
    assert origin_of(table).subject == "document"


@pytest.mark.parametrize("pattern", ["*.txt", "**/*.txt", ""])
def test_several_txt_files_are_documents_or_tables(tmp_path: Path, pattern: str) -> None:
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text(f"{NOTE} {number}")
    assert read(tmp_path / pattern)["text"].tolist() == [f"{NOTE} {number}" for number in range(3)]
    for number in range(3):
        (tmp_path / f"{number}.txt").write_text("age,ward\n" + f"{number},a\n" * 5)
    if pattern:
        assert list(read(tmp_path / pattern).columns) == ["age", "ward"]


def test_init_drafts_a_recipe_that_reads_the_documents_again(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    for number in range(20):
        (folder / f"long{number}.txt").write_text(f"Visit {number}. The patient was seen again. " * 120)
    lines = write_draft(source="notes", out=Path("recipe.yaml"))
    assert any("read 25 documents" in line for line in lines)
    data = load_recipe(Path("recipe.yaml")).data
    assert data.passages is None
    assert len(read_source(data, root=folder.parent)) == 25


DAMAGED = {
    "a.docx": [b"", b"PK\x03\x04", SECRET.encode(), b"PK\x05\x06" + b"\0" * 18],
    "a.pdf": [
        b"%PDF-1.4\n" + SECRET.encode(),
        SECRET.encode(),
        pdf(SECRET)[:300],
        b"%PDF-1.4\n" + b"<<" * 50_000,
    ],
    "a.html": [b"", b"\0" * 99, b"   "],
    "a.md": [f"---\nname: [{SECRET}\n---\nText".encode(), b"\xff\xfe\x00"],
    "a.txt": [b"\0\0", b"\xff" * 9 + SECRET.encode()],
}


@pytest.mark.parametrize(
    ("name", "content"), [(name, one) for name, every in DAMAGED.items() for one in every]
)
def test_a_damaged_document_is_one_line_without_its_text(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError) as error:
        read(tmp_path)
    assert name in str(error.value)
    assert "\n" not in str(error.value)
    assert not any(word in str(error.value) for word in SECRET.split())


def test_bombs_among_documents_are_refused(tmp_path: Path) -> None:
    word(tmp_path / "a.docx")
    with pytest.raises(DataError, match=r"data\.bounds\.gigabytes"):
        read(tmp_path, bounds={"gigabytes": 1e-5})
    (tmp_path / "a.docx").unlink()
    (tmp_path / "a.html").write_text("<div>" * 30_000 + "deep")
    assert read(tmp_path)["text"].tolist() == ["deep"]
    (tmp_path / "a.csv").write_text("a\n1\n")
    with pytest.raises(DataError, match="is for text documents"):
        read(tmp_path / "a.csv", passages=100)


def test_names_of_documents_are_not_learnt(folder: Path) -> None:
    raw = read_source(Data(source=str(folder)), root=folder)
    fields = {field.name: field for field in infer_types(raw, Data(source=str(folder)))}
    assert fields["document"].type == "identifier"
    assert not fields["document"].fresh


def test_blank_documents_and_other_files_are_counted(folder: Path) -> None:
    (folder / "blank.txt").write_text(" \n\n")
    (folder / "mail.eml").write_text("From: a")
    lines = origin_of(read_source(Data(source=str(folder)), root=folder)).warnings
    assert any("files of other kinds are not read (1 .eml)" in line for line in lines)
    assert any("have no text and are left out (first: " in line for line in lines)


def test_a_table_among_documents_is_named_with_both_ways_on(folder: Path) -> None:
    (folder / "below").mkdir(exist_ok=True)
    (folder / "below" / "table.csv").write_text("a,b\n1,2\n")
    with pytest.raises(DataError, match=r"holds tables and documents; .*/\*\*/\*\.csv or .*/\*\*/\*\."):
        read_source(Data(source=str(folder)), root=folder)

"""Downloads of published files, from a server that fails in several ways, and what is made of them."""

import csv
import hashlib
import io
import json
from pathlib import Path

import pytest
from file_server import FileServer, file_server

from paracosm.cli.workspace.shipped_recipes import recipes
from paracosm.foundation.errors import DataError
from paracosm.recipes.fetching import conversions
from paracosm.recipes.fetching.data_sets import DATA_SETS
from paracosm.recipes.fetching.download import TRIES
from paracosm.recipes.fetching.fetch import fetch
from paracosm.recipes.fetching.german_credit import COLUMNS, german_credit
from paracosm.recipes.fetching.origin import DataSet, OriginFile
from paracosm.recipes.shipped import shipped

COMMIT = "0123456789abcdef0123456789abcdef01234567"
CONTENT = ("name,age\n" + "".join(f"person {number},{number % 90}\n" for number in range(40_000))).encode()


def a_file(content: bytes = CONTENT, path: str = "data/some people (2).csv") -> OriginFile:
    return OriginFile("owner/name", COMMIT, path, len(content), hashlib.sha256(content).hexdigest())


def a_set(content: bytes = CONTENT, rows: int = 40_000) -> DataSet:
    return DataSet(
        "people.csv",
        (a_file(content),),
        "CC0",
        "nobody",
        conversions.as_published,
        rows,
        ("name", "age"),
    )


def served(content: bytes = CONTENT) -> dict[str, bytes]:
    return {f"/owner/name/{COMMIT}/data/some%20people%20%282%29.csv": content}


def test_a_file_is_downloaded_converted_and_nothing_else_stays(tmp_path: Path) -> None:
    with file_server(served()) as server:
        assert fetch(a_set(), folder=tmp_path / "new", origin=server.address) == tmp_path / "new/people.csv"
        assert (tmp_path / "new/people.csv").read_bytes() == CONTENT
        assert [path.name for path in (tmp_path / "new").iterdir()] == ["people.csv"]
        assert fetch(a_set(), folder=tmp_path / "new", origin=server.address) is None
        assert len(server.requests) == 1


@pytest.mark.parametrize("ranges", [True, False])
def test_a_lost_connection_is_made_again_from_where_it_ended(tmp_path: Path, ranges: bool) -> None:
    lines: list[str] = []
    with file_server(served()) as server:
        server.cut, server.cuts_left, server.ranges = 200_000, 2, ranges
        fetch(a_set(), folder=tmp_path, origin=server.address, progress=lines.append)
        asked = [begin for _, begin in server.requests]
    assert (tmp_path / "people.csv").read_bytes() == CONTENT
    assert len(asked) == 3
    assert asked[0] is None
    assert asked[1] is not None
    assert asked[1].startswith("bytes=")
    assert sum("trying again" in line for line in lines) == 2


def test_the_next_command_goes_on_where_the_last_one_gave_up(tmp_path: Path) -> None:
    with file_server(served()) as server:
        server.cut, server.cuts_left = 100_000, TRIES
        with pytest.raises(DataError, match=r"the same command goes on from [\d,]+ of 6[\d,]+ bytes"):
            fetch(a_set(), folder=tmp_path, origin=server.address)
        assert not (tmp_path / "people.csv").exists()
        fetch(a_set(), folder=tmp_path, origin=server.address)
        begin = server.requests[-1][1]
    assert begin is not None
    assert int(begin.removeprefix("bytes=").removesuffix("-")) > 0
    assert (tmp_path / "people.csv").read_bytes() == CONTENT


def refused(server: FileServer, data: DataSet, folder: Path) -> str:
    with pytest.raises(DataError) as caught:
        fetch(data, folder=folder, origin=server.address)
    assert not list(folder.iterdir())
    return str(caught.value)


def test_what_is_not_the_published_file_leaves_nothing(tmp_path: Path) -> None:
    with file_server(served(CONTENT[:-2] + b"1\n")) as server:
        message = refused(server, a_set(), tmp_path)
        assert "has other bytes than were published (SHA-256" in message
        assert message.endswith("nothing was kept")
    with file_server(served(CONTENT + b"x")) as server:
        assert refused(server, a_set(), tmp_path).endswith(
            f"sends more than the {len(CONTENT):,} bytes published"
        )
    with file_server({}) as server:
        assert refused(server, a_set(), tmp_path).endswith("answers 404 Not Found")
    server.server_close()
    assert "cannot be reached" in refused(server, a_set(), tmp_path)


def test_a_download_does_not_replace_another_table(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("mine\n1\n")
    with file_server(served()) as server, pytest.raises(DataError, match="exists already and is another"):
        fetch(a_set(), folder=tmp_path, origin=server.address)
    assert (tmp_path / "people.csv").read_text() == "mine\n1\n"


def test_files_downloaded_elsewhere_are_taken_from_a_folder(tmp_path: Path) -> None:
    given, out = tmp_path / "given", tmp_path / "out"
    given.mkdir()
    with pytest.raises(DataError, match=r"is missing; download it from https://raw\.githubusercontent\.com"):
        fetch(a_set(), folder=out, origin=given)
    (given / "some people (2).csv").write_bytes(CONTENT[:-1])
    with pytest.raises(DataError, match="is not the published file"):
        fetch(a_set(), folder=out, origin=given)
    (given / "some people (2).csv").write_bytes(CONTENT)
    assert fetch(a_set(), folder=out, origin=given) == out / "people.csv"
    assert (given / "some people (2).csv").read_bytes() == CONTENT


def test_other_rows_than_expected_are_refused(tmp_path: Path) -> None:
    with file_server(served()) as server, pytest.raises(DataError, match=r"was to have 7 rows of 2 columns"):
        fetch(a_set(rows=7), folder=tmp_path, origin=server.address)
    assert not (tmp_path / "people.csv").exists()


def test_the_command_says_where_the_data_come_from(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipes("fetch", "legal-ndas", out=tmp_path, dry_run=True)
    shown = capsys.readouterr().out
    for file in DATA_SETS["legal-ndas"].files:
        assert f"{file.address()}  {file.size:,} bytes  sha256 {file.sha256}" in shown
    assert "licence    CC BY 4.0" in shown
    assert not list(tmp_path.iterdir())
    recipes("fetch", "healthcare-heart")
    assert "needs no file" in capsys.readouterr().out
    with pytest.raises(DataError, match="is not a folder and not an address"):
        recipes("fetch", "legal-ndas", origin=str(tmp_path / "nowhere"))


def test_every_recipe_with_a_file_can_be_fetched_and_reads_it_by_its_name() -> None:
    for name, path in shipped().items():
        text = path.read_text(encoding="utf-8")
        source = next(line.split(": ", 1)[1] for line in text.splitlines() if line.startswith("  source: "))
        if source.startswith("sample:"):
            assert name not in DATA_SETS
        else:
            assert DATA_SETS[name].target == source
            assert f"paracosm recipes fetch {name}" in text.partition("\nname:")[0]


def table(folder: Path, name: str, rows: list[dict[str, str]]) -> Path:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]))
    writer.writeheader()
    writer.writerows(rows)
    (folder / name).write_text(out.getvalue(), encoding="utf-8-sig", newline="")
    return folder / name


def test_dialogues_become_messages(tmp_path: Path) -> None:
    dialogue = "Doctor: Any pain?\r\nPatient: No.\r\nNone at all.\r\nGest_family: She had some.\r\nDocotr_2: When?\r\nPatient:"
    row = {"ID": "0", "section_header": "GENHX", "section_text": "t", "dialogue": dialogue}
    path = table(tmp_path, "a.csv", [row])
    rows = list(conversions.mts_dialogues([path] * 4))
    assert rows[0] == {
        "section": "GENHX",
        "messages": [
            {"role": "doctor", "content": "Any pain?"},
            {"role": "patient", "content": "No.\nNone at all."},
            {"role": "guest family", "content": "She had some."},
            {"role": "doctor", "content": "When?"},
        ],
    }
    assert len(rows) == 4


def test_contracts_become_answers_and_clauses(tmp_path: Path) -> None:
    clause = "The  parties agree that nobody may assign\nthis agreement."
    row = {
        "Filename": "ACME_EX-10.1_Joint Venture Agreement.PDF",
        "Document Name-Answer": "JOINT VENTURE",
        "Agreement Date": "['May 8, 2014']",
        "Agreement Date-Answer": "5/8/2014",
        "Governing Law-Answer": " Nevada ",
        "Expiration Date-Answer": "Perpetual",
        "Renewal Term-Answer": "",
        "Anti-Assignment": repr([clause]),
        "Anti-Assignment-Answer": "Yes",
    }
    path = table(tmp_path, "a.csv", [row, {**row, "Agreement Date-Answer": "[]/[]/2015"}])
    first, second = conversions.cuad_contracts([path])
    assert first == {
        "filename": row["Filename"],
        "contract_type": "Joint Venture",
        "agreement_date": "2014-05-08",
        "governing_law": "Nevada",
        "perpetual": "Yes",
        "renewal": "No",
        "Anti-Assignment": "Yes",
    }
    assert second["agreement_date"] == ""
    assert next(iter(conversions.cuad_clauses([path]))) == {
        "filename": row["Filename"],
        "document_name": "JOINT VENTURE",
        "category": "Anti-Assignment",
        "clause": " ".join(clause.split()),
    }


def test_encounters_are_joined_by_their_number(tmp_path: Path) -> None:
    texts = table(
        tmp_path, "t.csv", [{"dataset": "a", "encounter_id": "D1", "dialogue": "hi", "note": "well"}]
    )
    known = table(tmp_path, "m.csv", [{"dataset": "a", "encounter_id": "D1", "patient_age": "50"}])
    rows = list(conversions.aci_encounters([texts, known] * 5))
    assert [row["split"] for row in rows] == ["train", "valid", "test1", "test2", "test3"]
    assert rows[0] == {
        "dataset": "a",
        "encounter_id": "D1",
        "patient_age": "50",
        "dialogue": "hi",
        "note": "well",
        "split": "train",
    }


def test_agreements_have_their_labels_as_columns(tmp_path: Path) -> None:
    content = {
        "labels": {"nda-1": {"short_description": "No licensing"}},
        "documents": [
            {
                "id": 3,
                "file_name": "a.pdf",
                "document_type": "sec-text",
                "text": "T",
                "annotation_sets": [{"annotations": {"nda-1": {"choice": "Entailment"}}}],
            }
        ],
    }
    (tmp_path / "a.json").write_text(json.dumps(content))
    rows = list(conversions.contract_nli([tmp_path / "a.json"] * 2))
    assert rows[1] == {
        "id": "3",
        "file_name": "a.pdf",
        "document_type": "sec-text",
        "split": "test",
        "No licensing": "Entailment",
        "text": "T",
    }


def test_codes_become_labels_and_years_are_rounded(tmp_path: Path) -> None:
    code = [next(iter(labels), "7") for _, labels in COLUMNS]
    (tmp_path / "a.csv").write_text(",".join(code) + "\n")
    row = next(iter(german_credit([tmp_path / "a.csv"])))
    assert row["purpose"] == "car (new)"
    assert row["credit_amount"] == "7"
    assert row["creditability"] == "good"
    visit = {
        "sno.": "1",
        "id": "1",
        "years": "1.0951",
        "age": "58.7668",
        "year": "0.5256",
        "sex": "female",
        "status2": "1",
    }
    path = table(tmp_path, "v.csv", [visit])
    assert next(iter(conversions.pbc_visits([path]))) == {
        "id": "1",
        "years": "1.10",
        "age": "58.77",
        "year": "0.53",
        "sex": "female",
    }
    path = table(tmp_path, "s.csv", [{"Index": "1", "age": "60"}])
    assert list(conversions.support2([path])) == [{"age": "60"}]

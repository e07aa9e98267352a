"""`data.pii` and `paracosm pii` as a user meets them: through the command, on files, with one line for every mistake."""

from pathlib import Path

import pandas as pd
import pytest

from paracosm.cli.app import main
from paracosm.pipeline import with_line
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.open_run import OpenRun
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table
from paracosm.records.stage import prepare

NOTE = "Seen by Dr. Ines Keller on 0{}/1{}/2021. {} came with a cough and left after {} days, feeling better."


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    names = [
        f"{given} {family}"
        for given in ("Olga", "Pedro", "Ravi", "Saskia")
        for family in ("Lindqvist", "Okafor", "Moreau")
    ]
    rows = [
        {
            "mrn": f"M{7000 + number // 2}",
            "patient_name": names[number // 2 % 12],
            "ill": "yes" if number % 3 else "no",
            "note": NOTE.format(number % 9 + 1, number % 9, names[number // 2 % 12], number + 3),
        }
        for number in range(60)
    ]
    pd.DataFrame(rows).to_csv(tmp_path / "ward.csv", index=False)
    (tmp_path / "ward.yaml").write_text(
        "name: ward\ndata:\n  source: ward.csv\n  subject: mrn\n  target: ill\n  pii: replace\n",
        encoding="utf-8",
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def answer(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as left:
        main(arguments)
    said = capsys.readouterr()
    return int(left.value.code or 0), said.out, said.err


def test_looking_beforehand_shows_counts_and_masked_examples_only(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, plain, _ = answer(["pii", "ward.csv", "--subject", "mrn"], capsys)
    assert code == 0
    assert [
        line.split()[:3]
        for line in plain.splitlines()
        if line.strip().startswith(("mrn", "patient_name", "note"))
    ] == [
        ["mrn", "record_id", "60"],
        ["patient_name", "name", "60"],
        ["note", "date", "60"],
        ["note", "name", "120"],
    ]
    assert "60 records of 30 subjects, identified by mrn" in plain
    code, shown, _ = answer(["pii", "ward.csv", "--examples"], capsys)
    assert code == 0
    assert "O*** L********" in shown
    assert not any(name in plain + shown for name in ("Olga", "Keller", "M7000"))


def test_the_run_holds_invented_names_and_says_how_many(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    opened = OpenRun(load_recipe(Path("ward.yaml")), Run.create(folder / "run"), folder, from_run=False)
    work = with_line(
        "records", lambda given: prepare(recipe=given.recipe, run=given.run, root=given.root, progress=print)
    )
    work(opened)
    assert "personal data replaced: 2 columns, 180 passages" in capsys.readouterr().err
    schema = Schema.load(opened.run.schema)
    found = pd.concat([read_table(opened.run.split(name), schema) for name in ("train", "control", "test")])
    text = "\n".join(found["note"])
    assert not any(name in text for name in ("Olga", "Okafor", "Keller", "Ines"))
    assert all(name in note for name, note in zip(found["patient_name"], found["note"], strict=True))
    assert found.groupby("mrn")["patient_name"].nunique().max() == 1


def test_validating_shows_what_would_be_replaced(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, said, _ = answer(["validate", "ward.yaml"], capsys)
    assert code == 0
    assert "personal data replaced: 2 columns, 180 passages" in said
    assert "patient_name" in said
    assert "Olga" not in said


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("data.pii=remove", "data.pii must be one of 'replace', 'drop', 'report'"),
        ("data.pii={action: drop, entities: [nmae]}", "did you mean 'name'?"),
        (
            "data.pii={action: drop, keep: [notes]}",
            "data.pii.keep: there is no column 'notes'; did you mean 'note'?",
        ),
        ("data.pii={entities: [name]}", "data.pii.action is required"),
        ("data.pii={action: drop, oldest_age: 0}", "data.pii.oldest_age must be an integer of at least 1"),
    ],
)
def test_a_mistake_gets_one_line_and_leaves_nothing(
    override: str, says: str, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, told = answer(["run", "ward.yaml", override, "--run", "made"], capsys)
    assert (code, out) == (2, "")
    assert says in told
    assert told.count("\n") == 1
    assert not (folder / "made" / "splits").exists()


def test_a_file_that_is_not_there_is_one_line(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, told = answer(["pii", "wrad.csv"], capsys)
    assert code == 2
    assert "did you mean 'ward.csv'?" in told

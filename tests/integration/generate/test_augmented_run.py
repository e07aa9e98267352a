"""A run with the strategy `augment`: conditions, parents, resumption with the same bytes, and what is refused."""

import json
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import pytest

import paracosm
from paracosm.foundation.errors import RecipeError
from paracosm.generate.augmentation.strategy import prepare as prepare_augmentation
from paracosm.generate.stage import sample
from paracosm.recipes.loading.load import recipe_of
from paracosm.recipes.run.directory import Run
from paracosm.records.stage import prepare

pytest.importorskip("spacy")
CAUSES = {"fall": "The patient fell on the stairs.", "burn": "Hot oil burned the patient's hand."}


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("notes") / "notes.csv"
    pd.DataFrame(
        [
            {
                "cause": cause,
                "age": 20 + row % 60,
                "note": f"{CAUSES[cause]} The nurse cleaned the wound on Monday. The injuries were rarely painful, and room {row} was"
                " completely quiet.",
            }
            for row in range(60)
            for cause in [list(CAUSES)[row % 3 == 0]]
        ]
    ).to_csv(path, index=False)
    return path


def recipe(source: Path, **changes):
    plain = {
        "name": "notes",
        "strategy": "augment",
        "data": {"source": str(source), "target": "cause", "fields": {"note": {"type": "text"}}},
        "generate": {"records": 40, "batch_size": 4, "formats": ["parquet", "csv"]},
    }
    return recipe_of(plain | changes, [])


def generated(folder: Path, made) -> Run:
    run = Run.create(folder)
    prepare(recipe=made, run=run)
    prepare_augmentation(recipe=made, run=run)
    sample(recipe=made, run=run)
    return run


def test_records_keep_the_columns_of_their_parents(source: Path, tmp_path: Path) -> None:
    made = recipe(source, generate={"records": 40, "batch_size": 4, "where": {"cause": "burn"}})
    run = generated(tmp_path / "run", made)
    shards = sorted(run.synthetic.glob("part-*.parquet"))
    table = pd.concat([pd.read_parquet(path) for path in shards], ignore_index=True)
    assert list(table.columns) == ["cause", "age", "note"]
    lines = [
        json.loads(line)
        for path in sorted((run.synthetic / "_parents").iterdir())
        for line in path.read_text().splitlines()
    ]
    assert [line["record"] for line in lines] == list(range(40))
    train = pd.read_parquet(run.split("train"))
    parents = train.iloc[[line["parent"] for line in lines]].reset_index(drop=True)
    assert (table["cause"] == "burn").all()
    assert table[["cause", "age"]].astype(str).equals(parents[["cause", "age"]].astype(str))
    assert (table["note"] != parents["note"]).all()
    assert all(line["operations"] for line in lines)


SAMPLE = """
import sys
from pathlib import Path
from paracosm.generate.stage import sample
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
sample(recipe=Recipe.model_validate_json(sys.argv[2]), run=Run(Path(sys.argv[1])))
"""


def test_a_killed_run_ends_with_the_same_bytes(source: Path, tmp_path: Path) -> None:
    made = recipe(source)
    whole = generated(tmp_path / "whole", made)
    killed = Run.create(tmp_path / "killed")
    prepare(recipe=made, run=killed)
    prepare_augmentation(recipe=made, run=killed)
    command = [sys.executable, "-c", SAMPLE, str(killed.root), made.model_dump_json()]
    process = subprocess.Popen(command)
    while not killed.shard(0).is_file() and process.poll() is None:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert killed.journal.stage("generate").get("status") != "done"
    sample(recipe=made, run=killed)
    for path in sorted(whole.synthetic.rglob("*")):
        if path.is_file():
            assert (killed.synthetic / path.relative_to(whole.synthetic)).read_bytes() == path.read_bytes()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"privacy": {"epsilon": 4}}, "augment has no differential privacy"),
        (
            {"release": {"profile": "public"}},
            r"release\.profile: public is for records that leave the building",
        ),
        ({"generate": {"temperature": 0.5}}, r"generate\.temperature: is not for strategy augment"),
        ({"card": {"language": "de"}}, r"texts in English \(en\) can be augmented"),
    ],
)
def test_what_augmentation_cannot_do_is_refused(
    source: Path, tmp_path: Path, changes: dict, message: str
) -> None:
    with pytest.raises((RecipeError, ValueError), match=message):
        paracosm.run(recipe(source, **changes), run=tmp_path / "run")


def test_a_table_without_texts_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "numbers.csv"
    pd.DataFrame({"a": range(60), "b": [str(n % 3) for n in range(60)]}).to_csv(path, index=False)
    with pytest.raises(RecipeError, match="augment changes texts, and no column is a text"):
        paracosm.run(
            {"name": "x", "strategy": "augment", "data": {"source": str(path)}}, run=tmp_path / "run"
        )


def test_the_command_prints_what_it_wrote_and_one_line_for_an_error(source: Path, tmp_path: Path) -> None:
    command = [
        sys.executable,
        "-m",
        "paracosm.cli.app",
        "augment",
        str(source),
        "--out",
        str(tmp_path / "a.jsonl"),
    ]
    done = subprocess.run([*command, "--text", "note"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "60 rows of 60 parents" in done.stdout
    assert "near copies of real ones" in done.stdout
    wrong = subprocess.run([*command, "--text", "nte"], capture_output=True, text=True)
    assert wrong.returncode == 2
    assert wrong.stderr == "error: --text: there is no column 'nte'; did you mean 'note'?\n"

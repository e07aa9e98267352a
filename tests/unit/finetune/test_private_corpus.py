"""Under privacy a copy of the private source is refused as a corpus by its content, and no single record decides on it."""

import json
import math
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from tiny_models import save_tiny_llama

from paracosm.finetune.adaptation import private_texts
from paracosm.finetune.adaptation.corpus import read_corpus
from paracosm.finetune.adaptation.private_texts import repeating_documents, threshold
from paracosm.finetune.dp.accountant import CORPUS_SHARE, budget_of, noise_for, spent_epsilon
from paracosm.finetune.stage import train
from paracosm.foundation.errors import DataError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import SPLITS, Run
from paracosm.recipes.sections.privacy import Privacy
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table, write_table
from paracosm.records.stage import prepare

WARDS = ("surgery", "cardiology", "dermatology", "urology", "radiology", "oncology", "neurology")


def note(number: int) -> str:
    return f"Seen on {WARDS[number % 7]} with complaint {number} since day {number % 11}."


def letter(number: int) -> str:
    return " ".join(f"{WARDS[number * step % 7]} reports value {number * step % 97}" for step in range(1, 9))


def recipe_of(folder: Path, *, subject: bool = False) -> Recipe:
    columns = {
        "note": {"type": "text", "max_length": 60, "nullable": False},
        "letter": {"type": "text", "max_length": 400, "nullable": False},
    }
    data = {"source": "notes.csv", "fields": columns, "split": {"control": 0.2, "test": 0.2}}
    if subject:
        data |= {"subject": "who", "fields": columns | {"who": {"type": "identifier", "fresh": True}}}
    adapt = {"source": "corpus.jsonl", "column": "text"}
    model = {"base": str(folder / "model")}
    return Recipe.model_validate(
        {"name": "x", "data": data, "model": model, "adapt": adapt, "privacy": {"epsilon": 8}}
    )


def prepared(folder: Path, recipe: Recipe, rows: int = 150) -> Run:
    table = pd.DataFrame(
        {
            "note": map(note, range(rows)),
            "letter": map(letter, range(rows)),
            "who": [n // 3 for n in range(rows)],
        }
    )
    table.drop(columns=[] if recipe.data.subject else ["who"]).to_csv(folder / "notes.csv", index=False)
    run = Run.create(folder / "run")
    prepare(recipe=recipe, run=run, root=folder)
    return run


def write_corpus(folder: Path, texts: Sequence[str]) -> None:
    (folder / "corpus.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))


@pytest.mark.parametrize(
    "form", [note, letter, lambda number: f"Dear colleague! {letter(number).upper()} Yours."]
)
def test_a_corpus_of_private_texts_is_refused_in_one_line_without_them(form: object, tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path)
    run = prepared(tmp_path, recipe)
    write_corpus(
        tmp_path,
        [form(number) for number in range(100)]
        + [f"A public text, number {number}." for number in range(900)],
    )  # type: ignore[operator]
    with pytest.raises(
        DataError, match=r"^adapt.source: about \d+ of its 1,000 documents repeat texts of the records"
    ) as error:
        read_corpus(recipe, run, root=tmp_path)
    assert "ward" not in str(error.value)
    assert "\n" not in str(error.value)


def test_control_and_test_texts_count(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path)
    run = prepared(tmp_path, recipe)
    held = [str(text) for name in ("control", "test") for text in pd.read_parquet(run.split(name))["note"]]
    assert repeating_documents(held, recipe, run) == len(held) > threshold(0.4)


def test_a_corpus_that_repeats_nothing_is_used_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(private_texts, "_noise", lambda epsilon: 0)
    recipe = recipe_of(tmp_path)
    run = prepared(tmp_path, recipe)
    write_corpus(
        tmp_path,
        [f"A public text, number {number}, of many words about {WARDS[number % 7]}." for number in range(50)],
    )
    corpus = read_corpus(recipe, run, root=tmp_path)
    assert (len(corpus.train) + len(corpus.held_out), corpus.held_back) == (50, 0)


@pytest.mark.parametrize("subject", [False, True])
def test_one_unit_changes_the_number_by_one_at_most(subject: bool, tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path, subject=subject)
    run = prepared(tmp_path, recipe, rows=45)
    schema = Schema.load(run.schema)
    # One document repeats all letters with one passage alike, and one record repeats several documents.
    documents = [text for number in range(45) for text in (note(number), letter(number))] + [
        " ".join(map(letter, range(45)))
    ]
    whole = repeating_documents(documents, recipe, run)
    changes = Counter()
    for split in SPLITS:
        table = read_table(run.split(split), schema)
        for unit in table["who"].unique() if subject else table.index:
            left = table[table["who"] != unit] if subject else table.drop(index=unit)
            write_table(left.reset_index(drop=True), run.split(split), schema)
            changes[whole - repeating_documents(documents, recipe, run)] += 1
        write_table(table, run.split(split), schema)
    assert set(changes) <= {0, 1}
    assert changes[1] > 0


def test_the_noise_has_the_distribution_that_its_epsilon_asks_for() -> None:
    epsilon, draws = 0.5, 20_000
    counts = Counter(private_texts._noise(epsilon) for _ in range(draws))
    for value in range(-3, 4):
        expected = draws * math.tanh(epsilon / 2) * math.exp(-epsilon * abs(value))
        assert abs(counts[value] - expected) < 6 * math.sqrt(expected)


@pytest.mark.parametrize("epsilon", [0.01, 0.05, 0.4, 2.0])
def test_the_threshold_keeps_the_probability_of_a_false_alarm(epsilon: float) -> None:
    def tail(value: int) -> float:
        return math.exp(-epsilon * value) / (1 + math.exp(-epsilon))

    assert tail(threshold(epsilon)) <= private_texts.FALSE_ALARMS < tail(threshold(epsilon) - 1)


def test_the_search_is_a_part_of_the_budget() -> None:
    privacy = Privacy(epsilon=8)
    budget = budget_of(privacy, 500, "record", with_corpus=True)
    rate, steps = budget.sampling_rate, budget.steps
    assert budget.noise_multiplier == noise_for(8 * (1 - CORPUS_SHARE), budget.delta, rate, steps)
    spent = spent_epsilon(budget.noise_multiplier, rate, steps, budget.delta)
    assert budget.epsilon == pytest.approx(spent + 8 * CORPUS_SHARE)
    assert budget.epsilon <= 8
    assert budget_of(privacy, 500, "record").noise_multiplier < budget.noise_multiplier


def test_a_copy_of_the_source_file_is_refused(tmp_path: Path) -> None:
    save_tiny_llama(tmp_path / "model")
    recipe = recipe_of(tmp_path)
    run = prepared(tmp_path, recipe, rows=60)
    shutil.copy(tmp_path / "notes.csv", tmp_path / "letters.csv")
    adapt = recipe.adapt.model_copy(update={"source": "letters.csv", "column": "note"})  # type: ignore[union-attr]
    with pytest.raises(DataError, match=r"^adapt.source: letters.csv is a copy of data.source"):
        train(
            recipe=recipe.model_copy(update={"adapt": adapt}),
            run=run,
            root=tmp_path,
            progress=lambda line: None,
        )
    assert not run.adaptation.exists()


def test_without_privacy_short_control_texts_are_held_back_as_a_whole(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path).model_copy(update={"privacy": None})
    run = prepared(tmp_path, recipe)
    held = [str(text) for name in ("control", "test") for text in pd.read_parquet(run.split(name))["note"]]
    known = [str(text) for text in pd.read_parquet(run.split("train"))["note"]]
    write_corpus(tmp_path, [*held, *known])
    corpus = read_corpus(recipe, run, root=tmp_path)
    assert corpus.held_back == len(set(held))
    assert sorted(map(str, corpus.train + corpus.held_out)) == sorted(set(known))


def test_no_text_column_means_that_nothing_is_repeated(tmp_path: Path) -> None:
    recipe = recipe_of(tmp_path)
    run = prepared(tmp_path, recipe, rows=40)
    schema = Schema.load(run.schema)
    Schema(tuple(field for field in schema if not field.is_text)).save(run.schema)
    assert repeating_documents([note(1), letter(2)], recipe, run) == 0

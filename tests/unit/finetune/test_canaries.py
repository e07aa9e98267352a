"""Canaries: random records of the schema, half of them in training, stored in the run and nowhere else."""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from private_runs import people, prepared_run, private_recipe
from tiny_models import save_tiny_llama

from paracosm.eval.attacks.canary_audit import read_canaries
from paracosm.finetune.objectives.canaries import INCLUDED
from paracosm.finetune.objectives.causal import causal_objective
from paracosm.finetune.stage import stage_inputs, train
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table, to_records


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("planted") / "model")


def open_recipe(base: Path, **finetune: object) -> Recipe:
    return private_recipe(base, privacy=None, finetune={"canaries": 60, "epochs": 1, **finetune})


def test_canaries_are_added_to_training_and_not_to_the_splits(base: Path, tmp_path: Path) -> None:
    recipe = open_recipe(base)
    run = prepared_run(tmp_path / "run", recipe, people(150))
    before = run.split("train").read_bytes()
    objective = causal_objective(recipe, run)
    table, included = read_canaries(run.canaries, Schema.load(run.schema))
    assert len(table) == 60
    assert objective.canaries == included.sum()
    assert (
        len(objective.train) == len(read_table(run.split("train"), objective.codec.schema)) + included.sum()
    )
    assert run.split("train").read_bytes() == before
    # Smoothed like any record, differently in every epoch.
    objective.train.begin_epoch(1)
    once = [objective.train[number]["ids"] for number in range(len(objective.train))]
    objective.train.begin_epoch(2)
    moved = [once[number] != objective.train[number]["ids"] for number in range(len(objective.train))]
    assert np.mean(moved[-objective.canaries :]) > 0.5


def test_canaries_are_uniform_over_the_domains_and_half_are_included(base: Path, tmp_path: Path) -> None:
    recipe = open_recipe(base, canaries=600)
    run = prepared_run(tmp_path / "run", recipe, people(150))
    schema = causal_objective(recipe, run).codec.schema
    table, included = read_canaries(run.canaries, schema)
    assert all(schema.allows(record) for record in to_records(table, schema))
    ages = table["age"].astype(float)
    # Uniform over the whole domain, not over the range of the records.
    assert ages.min() < 8
    assert ages.max() > 112
    assert ages.mean() == pytest.approx(60, abs=6)
    assert table["sex"].value_counts(normalize=True).min() > 0.4
    assert table["seen"].dt.year.nunique() == 10
    assert 0.4 < included.mean() < 0.6
    assert abs(np.corrcoef(included, ages)[0, 1]) < 0.15


def test_canaries_depend_on_seed_and_schema_only(base: Path, tmp_path: Path) -> None:
    recipe = private_recipe(base, finetune={"canaries": 40})
    runs = [
        prepared_run(tmp_path / name, recipe, people(150, seed)) for seed, name in enumerate(("one", "other"))
    ]
    for run in runs:
        causal_objective(recipe, run)
    assert runs[0].canaries.read_bytes() == runs[1].canaries.read_bytes()


def test_canaries_are_not_in_the_adapter_and_go_with_their_setting(base: Path, tmp_path: Path) -> None:
    recipe = open_recipe(base)
    run = prepared_run(tmp_path / "run", recipe, people(150))
    assert stage_inputs(open_recipe(base, canaries=0), run) != stage_inputs(recipe, run)
    train(recipe=recipe, run=run, progress=lambda _: None)
    facts = run.journal.stage("finetune")["facts"]["canaries"]
    assert facts["made"] == 60
    assert facts["planted"] == pq.read_table(run.canaries)[INCLUDED].to_numpy().sum()
    assert not list(run.adapter.rglob("*canar*"))
    assert not train(recipe=recipe, run=run, progress=lambda _: None)
    assert train(recipe=open_recipe(base, canaries=0), run=run, progress=lambda _: None)
    assert not run.canaries.exists()


@pytest.mark.parametrize("private", [False, True])
def test_texts_have_a_likely_prefix_and_random_words(base: Path, tmp_path: Path, private: bool) -> None:
    rng = np.random.default_rng(0)
    words = ["pain", "cough", "fever", "since", "days", "left", "right", "mild"]
    notes = ["Patient has " + " ".join(rng.choice(words, 6)) + "." for _ in range(80)]
    fields = {"note": {"type": "text", "max_length": 90, "nullable": False}}
    recipe = private_recipe(
        base,
        data={"fields": fields, "target": None},
        finetune={"canaries": 30},
        **({} if private else {"privacy": None}),
    )
    run = prepared_run(tmp_path / "run", recipe, pd.DataFrame({"note": notes}))
    schema = causal_objective(recipe, run).codec.schema
    table, _ = read_canaries(run.canaries, schema)
    texts = table["note"].tolist()
    assert len(set(texts)) == 30
    assert all(schema["note"].allows(text) for text in texts)
    trained = set(read_table(run.split("train"), schema)["note"])
    assert not trained & set(texts)
    begun = [any(text.startswith(note[:12]) for note in trained) for text in texts]
    # Under privacy no prefix may come from a training text.
    assert not any(begun) if private else np.mean(begun) > 0.5


def test_sequences_have_canaries(base: Path, tmp_path: Path) -> None:
    table = people(120).assign(patient=[f"p{number // 3}" for number in range(120)])
    sections = {"data": {"subject": "patient", "sequence": "seen", "longest_sequence": 3, "shared": ["sex"]}}
    recipe = private_recipe(base, **sections, finetune={"canaries": 24})
    run: Run = prepared_run(tmp_path / "run", recipe, table)
    objective = causal_objective(recipe, run)
    subjects = read_table(run.split("train"), objective.codec.schema)["patient"].nunique()
    assert 0 < objective.canaries < 24
    assert len(objective.train) == subjects + objective.canaries

"""Attacks that train models: shadow models, and an auxiliary model of the synthetic records."""

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import example_tables
import numpy as np
import pandas as pd
import pytest
import tiny_models

from paracosm.eval.attacks.attack_training import ShadowJob, ShadowTraining
from paracosm.eval.attacks.auxiliary_model import (
    auxiliary_candidates,
    auxiliary_membership,
    auxiliary_obstacle,
)
from paracosm.eval.attacks.cross_fit import cross_fit, cross_fit_obstacle
from paracosm.eval.attacks.membership import adapter_membership, lira_obstacle, shadow_membership
from paracosm.eval.measuring.attack_settings import AttackSettings
from paracosm.eval.measuring.context import Context
from paracosm.finetune.stage import train
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.schema.table import write_table

HERE = Path(__file__)
SCHEMA = Schema((*example_tables.PATIENT_FIELDS, Field(name="code", type="integer", minimum=0, maximum=9999)))
LEARNING = {"epochs": 8, "batch_size": 4, "patience": None, "learning_rate": 1e-2, "average_decay": 0.8}


def patients(rows: int, seed: int) -> pd.DataFrame:
    """Return records with a random four-digit code each."""
    table = example_tables.patients(rows, seed)
    codes = np.random.default_rng([seed, 1]).integers(0, 10_000, rows)
    return table.assign(code=pd.array(codes, dtype="Int64"))


def recipe_on(base: Path, **finetune: object) -> Recipe:
    """Return a recipe that trains on the model in a folder."""
    return Recipe.model_validate(
        {
            "name": "tiny",
            "data": {"source": "none.csv"},
            "model": {"base": str(base)},
            "finetune": LEARNING | {"smoothing": 0} | finetune,
        }
    )


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_models.save_tiny_llama(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture(scope="module")
def memorised(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Context:
    """An adapter trained on 40 records for many epochs, and 40 non-members."""
    root = tmp_path_factory.mktemp("runs")
    run, members, non_members = Run.create(root / "run"), patients(40, 1), patients(40, 2)
    run.splits.mkdir()
    # With train as control, the last epoch is the best one and is kept.
    for name in ("train", "control", "test"):
        write_table(members, run.split(name), SCHEMA)
    SCHEMA.save(run.schema)
    train(recipe=recipe_on(base, epochs=20), run=run, progress=lambda _: None)
    return Context(
        SCHEMA,
        members,
        non_members.iloc[:20].reset_index(drop=True),
        non_members.iloc[20:].reset_index(drop=True),
        None,
        Evaluate(bootstrap=100, repeats=1, attacks=["adapter", "lira"]),
        40,
        adapter=run.adapter,
        attackers=AttackSettings(recipe_on(base, epochs=3), root / "attackers"),
    )


def test_shadow_models_find_memorised_records_and_leave_only_scores(memorised: Context) -> None:
    found = {
        model: shadow_membership(memorised, model) for model in ("adapter", "clean", "base", "memorised")
    }
    assert found["adapter"]["lira_auc"].low > 0.7
    assert found["memorised"]["lira_auc"].low > 0.8
    for null_model in ("clean", "base"):
        assert found[null_model]["lira_auc"].low < 0.55
    assert found["adapter"]["lira_auc"].facts["shadows"] == 8
    everything = adapter_membership(memorised, "adapter")["adapter_mia_auc"]
    assert {"rmia", "lira", "lira_offline"} < set(everything.breakdown)
    assert memorised.attackers is not None
    left = sorted(memorised.attackers.folder.iterdir())
    assert len(left) == 8
    assert all(path.suffix == ".npz" and path.stat().st_size < 4000 for path in left)


def test_a_second_evaluation_reuses_the_saved_scores(memorised: Context) -> None:
    assert memorised.attackers is not None
    before = {path: path.stat().st_mtime_ns for path in memorised.attackers.folder.iterdir()}
    lines: list[str] = []
    again = Context(
        memorised.schema,
        memorised.train,
        memorised.control,
        memorised.test,
        None,
        memorised.settings,
        40,
        adapter=memorised.adapter,
        attackers=AttackSettings(memorised.attackers.recipe, memorised.attackers.folder, lines.append),
    )
    first, second = (shadow_membership(context, "adapter")["lira_auc"] for context in (memorised, again))
    assert first == second
    assert lines == []
    assert {path: path.stat().st_mtime_ns for path in memorised.attackers.folder.iterdir()} == before


def test_attacks_that_are_not_in_the_settings_are_not_applicable(memorised: Context) -> None:

    without = replace(memorised, settings=Evaluate())
    for obstacle in (lira_obstacle(without), auxiliary_obstacle(without)):
        assert obstacle is not None
        assert not obstacle.curable
    assert auxiliary_obstacle(replace(memorised, settings=Evaluate(attacks=["auxiliary"]))) is not None


def audit_context(base: Path, folder: Path) -> Context:
    """Return a context for an auxiliary model audit: 40 training records, 60 non-members and a reference."""
    return Context(
        SCHEMA,
        patients(40, 1),
        patients(60, 2),
        patients(20, 3),
        None,
        Evaluate(bootstrap=100, repeats=1, attacks=["auxiliary"]),
        40,
        attackers=AttackSettings(recipe_on(base), folder),
    )


def test_an_auxiliary_model_reveals_a_copy_and_no_non_members(base: Path, tmp_path: Path) -> None:
    candidates = auxiliary_candidates(audit_context(base, tmp_path), patients(40, 4))
    found = {anchor: auxiliary_membership(*pair) for anchor, pair in candidates.items()}
    assert found["worst"]["auxiliary_mia_auc"].low > 0.9
    assert found["worst"]["auxiliary_mia_tpr"].low > 0.5
    for anchor in ("synthetic", "ceiling", "floor"):
        assert found[anchor]["auxiliary_mia_auc"].low < 0.55, anchor
        assert found[anchor]["auxiliary_mia_tpr"].low < 0.05, anchor
    assert found["synthetic"]["auxiliary_mia_auc"].facts["learnt"] == 40
    before = {path.name for path in tmp_path.iterdir()}
    assert len(before) == 5
    half = auxiliary_membership(audit_context(base, tmp_path), patients(40, 1).iloc[:25])
    assert half["auxiliary_mia_auc"].low > 0.55
    # Only the adapter of the other synthetic records was trained.
    assert len(before ^ {path.name for path in tmp_path.iterdir()}) == 2


def test_records_outside_the_schema_are_not_trained_on(base: Path, tmp_path: Path) -> None:
    beyond = patients(60, 4).assign(code=pd.array([20_000] * 60, dtype="Int64"))
    assert auxiliary_membership(audit_context(base, tmp_path), beyond) == {}
    assert list(tmp_path.iterdir()) == []


def training_jobs(base: Path, folder: Path) -> tuple[ShadowTraining, list[ShadowJob]]:
    """Return two training jobs of a few epochs."""
    recipe = recipe_on(base, epochs=6)
    jobs = [ShadowJob(f"job-{n}", patients(40, n), patients(10, 5), recipe, "mean") for n in (1, 2)]
    return ShadowTraining(
        AttackSettings(recipe_on(base), folder, lambda line: print(line, flush=True)), SCHEMA, "attack"
    ), jobs


def weights_of(folder: Path) -> dict[str, np.ndarray]:
    """Return the sum of the adapter's weights."""
    from safetensors.numpy import load_file

    return {
        "sum": np.array(
            [
                sum(
                    float(np.abs(tensor).sum())
                    for tensor in load_file(folder / "adapter_model.safetensors").values()
                )
            ]
        )
    }


def test_a_killed_attack_resumes(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = f"import runpy, sys; sys.path.insert(0, {str(HERE.parents[2])!r}); runpy.run_path({str(HERE)!r})['_train_alone']({str(base)!r}, {str(tmp_path / 'killed')!r})"
    working = subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 120
    while not list((tmp_path / "killed").glob("job-2-*/checkpoints/checkpoint-*/digests.json")):
        assert working.poll() is None, "the attack ended before it was killed"
        assert time.monotonic() < deadline
        time.sleep(0.02)
    os.killpg(working.pid, signal.SIGKILL)
    working.wait()
    first = next((tmp_path / "killed").glob("job-1-*.npz"))
    written = first.stat().st_mtime_ns
    training, jobs = training_jobs(base, tmp_path / "killed")
    resumed = training.train_and_read(jobs, weights_of)
    assert first.stat().st_mtime_ns == written
    output = capsys.readouterr().out
    assert "attack: 1 adapter to train on 40 records each" in output
    assert "attack 2 of 2" in output
    assert {path.suffix for path in (tmp_path / "killed").iterdir()} == {".npz"}
    whole = ShadowTraining(AttackSettings(recipe_on(base), tmp_path / "whole"), SCHEMA, "attack")
    assert resumed[1]["sum"] == pytest.approx(whole.train_and_read(jobs[1:], weights_of)[0]["sum"], rel=1e-5)
    changed = [
        ShadowJob(
            "job-1",
            patients(30, 9),
            patients(10, 5),
            recipe_on(base, epochs=1),
            "mean",
        )
    ]
    training.train_and_read(changed, weights_of)
    assert not first.exists()
    assert len(list((tmp_path / "killed").iterdir())) == 2


def _train_alone(base: str, folder: str) -> None:
    training, jobs = training_jobs(Path(base), Path(folder))
    training.train_and_read(jobs, weights_of)


def test_cross_fitting_finds_memorising_and_reuses_its_adapters(
    base: Path, memorised: Context, tmp_path: Path
) -> None:
    """Adapters of many epochs know their own half; the second evaluation trains nothing."""
    lines: list[str] = []
    context = Context(
        SCHEMA,
        patients(120, 5),
        patients(30, 6),
        patients(30, 7),
        None,
        Evaluate(bootstrap=100, repeats=1, attacks=["adapter", "cross_fit"]),
        40,
        adapter=memorised.adapter,
        attackers=AttackSettings(recipe_on(base, epochs=20), tmp_path, lines.append),
    )
    assert cross_fit_obstacle(context) is None
    found = cross_fit(context, None)
    assert found["cross_fit_auc"].facts["members"] == found["cross_fit_auc"].facts["others"] == 120
    assert found["cross_fit_auc"].low > 0.6
    assert found["cross_fit_tpr"].value > 0.05
    files = sorted(path.name for path in tmp_path.iterdir())
    assert [name[:6] for name in files] == ["half-0", "half-1"]
    trained = len(lines)
    assert trained
    assert cross_fit(context, None) == found
    assert len(lines) == trained
    without = replace(context, settings=Evaluate())
    obstacle = cross_fit_obstacle(without)
    assert obstacle is not None
    assert not obstacle.curable

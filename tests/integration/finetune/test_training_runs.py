"""Complete runs of a tiny model: two processes match one, and killed runs match uninterrupted ones."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from safetensors.numpy import load_file
from tiny_models import save_tiny_llama

RECIPE = """\
name: tiny
data: {{source: people.csv, target: ill, split: {{control: 0.2, test: 0.2}}}}
model: {{base: "{base}", dtype: float32}}
finetune: {{rank: 4, learning_rate: 0.01, epochs: 4, batch_size: 8, patience: null, order: {order}, warmup_steps: 2}}
generate: {{records: 96, batch_size: 4, formats: [parquet, csv]}}
eval: {{bootstrap: 100, repeats: 1}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    base = save_tiny_llama(folder / "model")
    chance = np.random.default_rng(0)
    rows = ["age,sex,dose,ill"]
    for _ in range(200):
        age = int(chance.integers(20, 90))
        rows.append(
            f"{age},{chance.choice(['Male', 'Female'])},{chance.random() * 4:.1f},{'yes' if chance.random() * 90 < age else 'no'}"
        )
    (folder / "people.csv").write_text("\n".join(rows) + "\n")
    for order in ("fixed", "shuffled"):
        (folder / f"{order}.yaml").write_text(RECIPE.format(base=base, order=order))
    return folder


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", "HF_HUB_OFFLINE": "1"}


def call(*arguments: str, cwd: Path) -> None:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, env=environment(), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr[-3000:]


@pytest.mark.parametrize("order", ["fixed", "shuffled"])
def test_two_processes_match_one(folder: Path, order: str) -> None:
    # `--cpu --num_processes 2` silently starts one process; `--multi_gpu` makes accelerate start two.
    launch = (
        "-m",
        "accelerate.commands.launch",
        "--num_machines",
        "1",
        "--mixed_precision",
        "no",
        "--dynamo_backend",
        "no",
    )
    for count, spread in (("1", "--cpu"), ("2", "--multi_gpu")):
        # Thirty steps, because rounding differences grow with every step.
        calm = ("finetune.learning_rate=0.003", "finetune.epochs=2")
        stage = ("-m", "paracosm.finetune", f"{order}.yaml", *calm, "--run", f"{order}-{count}")
        call(*launch, spread, "--num_processes", count, *stage, cwd=folder)
        assert journal(folder / f"{order}-{count}")["finetune"]["facts"]["processes"] == int(count)
    one, two = (load_curve(folder / f"{order}-{count}") for count in ("1", "2"))
    assert len(one) == 2
    np.testing.assert_allclose(one, two, rtol=1e-5)
    first, second = (
        load_file(folder / f"{order}-{count}" / "adapter" / "adapter_model.safetensors")
        for count in ("1", "2")
    )
    for name in first:
        np.testing.assert_allclose(first[name], second[name], atol=1e-5)


def test_the_micro_batch_size_does_not_change_training(folder: Path) -> None:
    for size in ("8", "2"):
        call(
            "-m",
            "paracosm.finetune",
            "fixed.yaml",
            f"finetune.micro_batch_size={size}",
            "finetune.epochs=2",
            "--run",
            f"micro-{size}",
            cwd=folder,
        )
    np.testing.assert_allclose(load_curve(folder / "micro-8"), load_curve(folder / "micro-2"), rtol=1e-5)


def test_a_run_killed_in_every_stage_ends_with_the_same_bytes(folder: Path) -> None:
    command = ("-c", "from paracosm.cli.app import main; main()", "run", "fixed.yaml")
    call(*command, "--run", "whole", cwd=folder)
    chance = random.Random(0)
    stages = ("records", "finetune", "finetune", "generate", "generate", "eval", "eval")
    killed = [kill_in_stage(stage, (*command, "--run", "killed"), folder, chance) for stage in stages]
    call(*command, "--run", "killed", cwd=folder)
    assert sum(killed) >= 3, killed
    for path in sorted((folder / "whole").rglob("*")):
        # run.json and the card contain times; checkpoints are temporary.
        kept = path.relative_to(folder / "whole")
        if path.is_file() and kept.parts[0] in ("splits", "adapter", "history.jsonl", "synthetic", "eval"):
            assert path.read_bytes() == (folder / "killed" / kept).read_bytes(), kept
    assert not list((folder / "killed").rglob("*.partial"))


def kill_in_stage(stage: str, command: tuple[str, ...], folder: Path, chance: random.Random) -> bool:
    """Start or resume the run, kill -9 it a random moment into `stage`; return whether that hit a live process."""
    run_json = folder / "killed" / "run.json"
    process = subprocess.Popen(
        [sys.executable, *command],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if run_json.is_file() and stage in journal(folder / "killed"):
            time.sleep(chance.random() * 2)
            break
        time.sleep(0.02)
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return alive


def journal(run: Path) -> dict:
    return json.loads((run / "run.json").read_text())["stages"]


def load_curve(run: Path) -> np.ndarray:
    lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    return np.array([[line["train_bits"], line["control_bits"]] for line in lines])


def test_a_finished_stage_is_not_repeated_and_a_changed_one_is(folder: Path) -> None:
    command = (
        "-c",
        "from paracosm.cli.app import main; main()",
        "run",
        "fixed.yaml",
        "--run",
        "again",
        "finetune.epochs=1",
    )
    call(*command, cwd=folder)
    before = journal(folder / "again")
    call(*command, "generate.seed=1", cwd=folder)
    after = journal(folder / "again")
    assert after["records"] == before["records"]
    assert after["finetune"] == before["finetune"]
    assert after["generate"]["outputs"] != before["generate"]["outputs"]
    assert after["eval"]["outputs"] != before["eval"]["outputs"]
    shutil.rmtree(folder / "again")


def test_a_run_with_text_writes_records_and_a_card(folder: Path) -> None:
    chance = np.random.default_rng(1)
    words = ["pain", "cough", "fever", "since", "days", "left", "right", "mild", "severe", "again", "never"]
    rows = ["age,note,ill"]
    for _ in range(60):
        note = " ".join(chance.choice(words, int(chance.integers(4, 9))))
        rows.append(f"{chance.integers(20, 90)},Patient {note}.,{chance.choice(['yes', 'no'])}")
    (folder / "notes.csv").write_text("\n".join(rows) + "\n")
    command = ("-c", "from paracosm.cli.app import main; main()", "run", "fixed.yaml", "--run", "notes")
    # A random model writes texts of maximum length, so that is kept short.
    changes = ("data.source=notes.csv", "data.fields.note.max_length=80", "data.fields.note.type=text")
    call(*command, *changes, "finetune.epochs=2", "generate.records=12", cwd=folder)
    run = folder / "notes"
    facts = journal(run)["records"]["facts"]
    assert facts["fields"] == {"age": "integer", "note": "text", "ill": "boolean"}
    made = pd.read_parquet(run / "synthetic" / "part-00000.parquet")
    assert len(made) == 12
    assert made["note"].str.len().between(1, 80).all()
    assert (run / "card" / "README.md").is_file()


def test_sequences_are_ordered_and_share_constant_fields(folder: Path) -> None:
    chance = np.random.default_rng(2)
    rows = ["patient,sex,visit,systolic"]
    for number in range(80):
        sex, day = chance.choice(["Male", "Female"]), 0
        for _ in range(int(chance.integers(1, 5))):
            day += int(chance.integers(1, 60))
            moment = np.datetime64("2024-01-01") + day
            rows.append(f"P{number:04d},{sex},{moment},{chance.integers(100, 180)}")
    (folder / "visits.csv").write_text("\n".join(rows) + "\n")
    recipe = RECIPE.format(base=folder / "model", order="fixed")
    subjects = "source: visits.csv, subject: patient, sequence: visit"
    (folder / "visits.yaml").write_text(recipe.replace("source: people.csv, target: ill", subjects))
    command = (
        "-c",
        "from paracosm.cli.app import main; main()",
        "run",
        "visits.yaml",
        "--run",
        "visits",
    )
    fresh = "data.fields.patient={type: identifier, fresh: true}"
    call(*command, fresh, "finetune.epochs=2", "generate.records=40", cwd=folder)
    made = pd.concat(
        pd.read_parquet(path) for path in sorted((folder / "visits" / "synthetic").glob("*.parquet"))
    )
    by_patient = made.groupby("patient")
    assert by_patient.ngroups == 40
    assert by_patient["visit"].apply(lambda column: column.is_monotonic_increasing).all()
    assert (by_patient["sex"].nunique() == 1).all()
    assert 1 <= by_patient.size().min() <= by_patient.size().max() <= 4

"""A private run through the command line: its plan, a kill -9 in training, and resuming with the same secret."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from private_runs import people, private_recipe
from tiny_models import save_tiny_llama

from paracosm.recipes.loading.load import dump_recipe

COMMAND = (sys.executable, "-c", "from paracosm.cli.app import main; main()")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("private-runs")
    recipe = private_recipe(
        save_tiny_llama(folder / "model"),
        data={"source": "people.csv"},
        finetune={"canaries": 60},
        privacy={"epochs": 20},
        generate={"records": 80},
        eval={"bootstrap": 100, "repeats": 1},
    )
    people(220).to_csv(folder / "people.csv", index=False)
    (folder / "private.yaml").write_text(dump_recipe(recipe))
    return folder


def environment() -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", "HF_HUB_OFFLINE": "1"}


def call(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=cwd, env=environment(), capture_output=True, text=True, timeout=300
    )


def test_the_plan_states_noise_steps_and_epsilon(folder: Path) -> None:
    told = call("validate", "private.yaml", cwd=folder)
    assert told.returncode == 0, told.stderr
    plan = " ".join(told.stdout.split())
    assert "privacy epsilon 7.9" in plan
    assert "per record · noise" in plan
    assert "with probability" in plan


def test_a_missing_declaration_is_an_error_before_anything_is_written(folder: Path) -> None:
    told = call("run", "private.yaml", "data.fields.age={type: integer}", "--run", "undeclared", cwd=folder)
    assert told.returncode == 2
    assert told.stderr.strip().count("\n") == 0
    assert "data.fields has to declare age: minimum, maximum, nullable" in told.stderr
    assert not (folder / "undeclared").exists()


def test_a_killed_private_run_resumes_with_its_secret(folder: Path) -> None:
    run = folder / "run"
    process = subprocess.Popen(
        [*COMMAND, "run", "private.yaml", "--run", "run"],
        cwd=folder,
        env=environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 200
    while not (run / "checkpoints" / "private.pt").is_file() and time.monotonic() < deadline:
        assert process.poll() is None
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    secret = (run / "checkpoints" / "secret").read_bytes()
    done = call("run", "private.yaml", "--run", "run", cwd=folder)
    assert done.returncode == 0, done.stderr[-3000:]
    assert "resuming at step" in done.stderr
    assert (run / "checkpoints" / "secret").read_bytes() == secret
    journal = json.loads((run / "run.json").read_text())
    assert journal["private_trainings"] == 1
    facts = journal["stages"]["finetune"]["facts"]
    assert facts["epsilon"] <= 8
    curve = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    assert curve[-1]["step"] == facts["privacy"]["steps"]
    assert np.all(np.diff([line["step"] for line in curve]) > 0)
    made = pd.concat([pd.read_parquet(part) for part in sorted((run / "synthetic").glob("*.parquet"))])
    assert len(made) == 80
    assert made["age"].between(0, 120).all()
    measured = {
        each["name"]: each for each in json.loads((run / "eval" / "metrics.json").read_text())["metrics"]
    }
    assert measured["audit_epsilon"]["facts"]["canaries"] == 60
    assert measured["audit_epsilon"]["facts"]["delta"] == pytest.approx(facts["delta"], abs=1e-6)
    assert "differentially private: epsilon" in (run / "card" / "README.md").read_text()
    assert not list(run.rglob("*.partial"))

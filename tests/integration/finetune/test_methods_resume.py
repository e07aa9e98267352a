"""Every method resumes after kill -9 with the same result, and its records are valid."""

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
import torch
from tiny_models import save_tiny_llama

from paracosm.finetune.stage import train
from paracosm.generate.stage import sample
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table, to_records
from paracosm.records.stage import prepare

RECIPE = """\
name: tiny
data: {{source: notes.csv, split: {{control: 0.2, test: 0.2}}, fields: {{note: {{type: text, max_length: 60}}}}}}
model: {{base: "{base}", dtype: float32}}
finetune: {{rank: 4, learning_rate: 0.01, epochs: 6, batch_size: 8, patience: null, warmup_steps: 2}}
generate: {{records: 8}}
"""
METHODS = {
    "full, checkpointed": ["finetune.method=full", "finetune.gradient_checkpointing=true"],
    "dora over nf4, packed, accumulated, with a prompt": [
        "finetune.method=dora",
        "model.quantize=nf4",
        "finetune.packing=true",
        "finetune.micro_batch_size=2",
        "finetune.prompt.user=One note.",
    ],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("methods")
    rng = np.random.default_rng(1)
    words = ["pain", "cough", "fever", "since", "days", "left", "mild", "severe", "never"]
    rows = ["age,note"]
    rows += [
        f"{rng.integers(20, 90)},Has {' '.join(rng.choice(words, int(rng.integers(1, 8))))}."
        for _ in range(100)
    ]
    (folder / "notes.csv").write_text("\n".join(rows) + "\n")
    (folder / "recipe.yaml").write_text(RECIPE.format(base=save_tiny_llama(folder / "model")))
    return folder


@pytest.mark.parametrize("method", METHODS)
def test_a_killed_training_ends_with_the_same_bytes(method: str, folder: Path) -> None:
    recipe = load_recipe(folder / "recipe.yaml", METHODS[method])
    name = method.split(",")[0].replace(" ", "-")
    whole, killed = Run.create(folder / f"{name}-whole"), Run.create(folder / f"{name}-killed")
    for run in (whole, killed):
        prepare(recipe=recipe, run=run, root=folder)
    train(recipe=recipe, run=whole, progress=lambda _: None)
    assert kill_after_a_checkpoint(killed, METHODS[method], folder)
    said: list[str] = []
    train(recipe=recipe, run=killed, progress=said.append)
    assert any(line.startswith("resuming at checkpoint-") for line in said)
    assert whole.history.read_bytes() == killed.history.read_bytes()
    for path in whole.adapter.iterdir():
        assert path.read_bytes() == (killed.adapter / path.name).read_bytes(), path.name
    sample(recipe=recipe, run=whole)
    schema = Schema.load(whole.schema)
    made = to_records(read_table(whole.shard(0), schema), schema)
    assert len(made) == 8
    assert all(schema.allows(record) for record in made)
    assert isinstance(pd.read_parquet(whole.shard(0))["note"].iloc[0], str)
    bits = [json.loads(line)["control_bits"] for line in whole.history.read_text().splitlines()]
    assert min(bits) < bits[0]


def kill_after_a_checkpoint(run: Run, changes: list[str], folder: Path) -> bool:
    """Train in a separate process and kill -9 it once it has written a complete checkpoint; return whether it was alive."""
    process = subprocess.Popen(
        [sys.executable, "-m", "paracosm.finetune", "recipe.yaml", *changes, "--run", str(run.root)],
        cwd=folder,
        env=os.environ
        | {
            "OMP_NUM_THREADS": str(torch.get_num_threads()),
            "ACCELERATE_USE_CPU": "true",
            "HF_HUB_OFFLINE": "1",
        },
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if list(run.checkpoints.glob("checkpoint-*/digests.json")):
            break
        time.sleep(0.01)
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return alive

"""Documents longer than the model's input are trained on and generated whole; killed at any moment, the bytes are the same."""

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
name: letters
data: {{source: letters.csv, split: {{control: 0.2, test: 0.2}}, fields: {{letter: {{type: text}}}}}}
model: {{base: "{base}", dtype: float32, context: 96}}
finetune: {{rank: 4, learning_rate: 0.01, epochs: 3, batch_size: 8, patience: null, warmup_steps: 2, order: target_first}}
generate: {{records: 20, batch_size: 4, quotas: {{ward: {{north: 0.5, south: 0.5}}}}}}
rules: {{checks: ["if ward == 'north' then age >= 40"]}}
"""
ENVIRONMENT = {"ACCELERATE_USE_CPU": "true", "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("documents")
    rng = np.random.default_rng(1)
    sentences = ["Seen today.", "No pain since May.", "Dose as before.", "Walks alone."]
    rows = []
    for number in range(60):
        paragraphs = [
            f"Part {part}\n" + " ".join(rng.choice(sentences, int(rng.integers(1, 6))))
            for part in range(1, 5)
        ]
        rows.append(
            {
                "letter": "\n\n".join(paragraphs[: int(rng.integers(1, 5))]),
                "age": int(rng.integers(40, 90)),
                "ward": "north" if number % 2 else "south",
            }
        )
    pd.DataFrame(rows).to_csv(folder / "letters.csv", index=False)
    (folder / "letters.yaml").write_text(RECIPE.format(base=save_tiny_llama(folder / "model")))
    return folder


def trained(folder: Path, name: str) -> tuple[Run, list[str]]:
    recipe = load_recipe(folder / "letters.yaml", ["data.target=ward"])
    run = Run.create(folder / name)
    prepare(recipe=recipe, run=run, root=folder)
    return run, ["data.target=ward"]


def kill_when(command: list[str], folder: Path, pattern: str, run: Run) -> bool:
    """Start a stage and kill -9 it once a file of the run matches a pattern; return whether it was alive."""
    process = subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,
        # Sums of floats depend on the number of threads, and the other runs are made in this process.
        env=os.environ | ENVIRONMENT | {"OMP_NUM_THREADS": str(torch.get_num_threads())},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + 600
    while process.poll() is None and time.monotonic() < deadline and not list(run.root.glob(pattern)):
        time.sleep(0.01)
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return alive


def test_documents_of_any_length_are_made_whole_and_survive_kills(folder: Path) -> None:
    recipe = load_recipe(folder / "letters.yaml", ["data.target=ward"])
    whole, changes = trained(folder, "whole")
    killed, _ = trained(folder, "killed")
    said: list[str] = []
    train(recipe=recipe, run=whole, progress=lambda line: said.append(str(line)))
    assert any(" documents in " in line and " passages of " in line for line in said)
    command = ["paracosm.finetune", "letters.yaml", *changes, "--run", str(killed.root)]
    assert kill_when(command, folder, "checkpoints/checkpoint-*/digests.json", killed)
    train(recipe=recipe, run=killed)
    assert whole.history.read_bytes() == killed.history.read_bytes()
    for path in whole.adapter.iterdir():
        assert path.read_bytes() == (killed.adapter / path.name).read_bytes(), path.name

    sample(recipe=recipe, run=whole)
    command = ["paracosm.generate", str(killed.root)]
    assert kill_when(command, folder, "synthetic/*.parquet", killed)
    sample(recipe=recipe, run=killed)
    made = [path.read_bytes() for path in sorted(whole.synthetic.glob("*.parquet"))]
    assert len(made) == 2
    assert made == [path.read_bytes() for path in sorted(killed.synthetic.glob("*.parquet"))]

    schema = Schema.load(whole.schema)
    assert schema.names == ["letter", "age", "ward"]
    records = [
        record
        for number in range(2)
        for record in to_records(read_table(whole.shard(number), schema), schema)
    ]
    assert len(records) == 20
    assert all(schema.allows(record) for record in records)
    assert sum(record["ward"] == "north" for record in records) == 10
    assert all(record["ward"] != "north" or int(str(record["age"])) >= 40 for record in records)
    assert max(len(str(record["letter"])) for record in records) > 96

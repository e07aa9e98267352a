"""Adaptations that are killed or divided among processes end with the same weights."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tiny_models import save_tiny_llama

pytest.importorskip("trl")

RECIPE = """\
name: tiny
data: {{source: notes.csv, rare: keep, fields: {{note: {{type: text}}}}}}
model: {{base: "{base}", dtype: float32}}
adapt: {{source: letters, rank: 4, block: 64, batch_size: 4, learning_rate: 0.01, epochs: 3, warmup_steps: 2}}
finetune: {{rank: 4, epochs: 1, patience: null}}
"""
WEIGHTS = "adaptation/adapter_model.safetensors"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a recipe, whose corpus is a folder of letters that are not a multiple of the batch size."""
    folder = tmp_path_factory.mktemp("adaptation")
    (folder / "letters").mkdir()
    rng = np.random.default_rng(0)
    words = ["knee", "pain", "since", "Tuesday", "worse", "walking", "mild", "swelling", "rest", "daily"]
    for number in range(75):
        text = " ".join(rng.choice(words, int(rng.integers(5, 60))))
        (folder / "letters" / f"{number:03d}.txt").write_text(f"Letter {number}. {text}.\n")
    notes = [f"{' '.join(rng.choice(words, 6))}." for _ in range(80)]
    (folder / "notes.csv").write_text("note\n" + "\n".join(notes) + "\n")
    (folder / "recipe.yaml").write_text(RECIPE.format(base=save_tiny_llama(folder / "model")))
    return folder


@pytest.fixture(scope="module")
def alone(folder: Path) -> Path:
    run = folder / "alone"
    process = started(folder, "-m", "paracosm.finetune", "recipe.yaml", "--run", str(run))
    assert process.wait(300) == 0
    return run


def started(folder: Path, *arguments: str) -> "subprocess.Popen[bytes]":
    settings = {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", "HF_HUB_OFFLINE": "1"}
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | settings,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def test_a_killed_adaptation_ends_with_the_same_bytes(folder: Path, alone: Path) -> None:
    run = folder / "killed"
    command = ("-m", "paracosm.finetune", "recipe.yaml", "--run", str(run))
    kills = 0
    for checkpoints in (1, 3):
        process = started(folder, *command)
        deadline = time.monotonic() + 240
        while process.poll() is None and time.monotonic() < deadline:
            sealed = [
                int(path.parent.name.removeprefix("checkpoint-"))
                for path in run.glob("adaptation-work/checkpoints/checkpoint-*/digests.json")
            ]
            if sealed and max(sealed) >= checkpoints:
                break
            time.sleep(0.005)
        kills += process.poll() is None
        os.killpg(process.pid, signal.SIGKILL) if process.poll() is None else None
        process.wait()
    assert kills
    assert started(folder, *command).wait(300) == 0
    for name in (WEIGHTS, "adaptation/adapter_config.json", "adapter/adapter_model.safetensors"):
        assert (run / name).read_bytes() == (alone / name).read_bytes(), name
    records = [json.loads((root / "run.json").read_text())["stages"]["adapt"] for root in (run, alone)]
    assert records[0]["facts"] == records[1]["facts"]
    assert not (run / "adaptation-work").exists()


@pytest.mark.parametrize("setup", ["cpu", "fsdp2"])
def test_two_processes_adapt_as_one(folder: Path, alone: Path, setup: str) -> None:
    run = folder / f"two-{setup}"
    command = ("launch", setup, "finetune", "recipe.yaml", "--run", str(run), "--processes", "2")
    assert started(folder, "-m", "paracosm.cli.app", *command).wait(400) == 0
    first, second = (load_file(root / WEIGHTS) for root in (run, alone))
    assert first.keys() == second.keys()
    for name in first:
        # Sums in another order; Adam divides by their size, so that the smallest gradients differ most.
        np.testing.assert_allclose(first[name], second[name], atol=1e-4)
    facts = json.loads((run / "run.json").read_text())["stages"]["adapt"]["facts"]
    expected = json.loads((alone / "run.json").read_text())["stages"]["adapt"]["facts"]
    assert facts["processes"] == 2
    assert facts["bits_after"] == pytest.approx(expected["bits_after"], rel=1e-5)
    assert (facts["blocks"], facts["steps"]) == (expected["blocks"], expected["steps"])

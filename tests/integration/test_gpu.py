"""Training and sampling on a CUDA device; some tests need two devices."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from example_tables import write_people
from safetensors.numpy import load_file
from tiny_models import save_tiny_llama

from paracosm.finetune.models.bundled_models import ALIASES

pytestmark = pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")

RECIPE = """\
name: gpu
data: {{source: people.csv, target: ill, split: {{control: 0.2, test: 0.2}}}}
model: {{base: "{base}"}}
finetune: {{rank: 4, learning_rate: 0.003, epochs: 3, batch_size: 8, patience: null, warmup_steps: 2}}
generate: {{records: 64, batch_size: 16}}
"""
GIGABYTE = 2**30


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("gpu")
    base = save_tiny_llama(folder / "model")
    write_people(folder / "people.csv")
    (folder / "recipe.yaml").write_text(RECIPE.format(base=base))
    return folder


def call(folder: Path, *arguments: str, **settings: str) -> str:
    """Run a command in a separate process and return its output."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=os.environ | {"HF_HUB_OFFLINE": "1"} | settings,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def finetuned(folder: Path, name: str, *overrides: str, **settings: str) -> Path:
    run = folder / name
    call(folder, "-m", "paracosm.finetune", "recipe.yaml", *overrides, "--run", str(run), **settings)
    return run


def launched(folder: Path, name: str, setup: str, processes: int, *overrides: str) -> Path:
    run = folder / name
    command = ("-m", "paracosm.cli.app", "launch", setup, "finetune", "recipe.yaml", *overrides)
    call(folder, *command, "--run", str(run), "--processes", str(processes))
    return run


def facts(run: Path, stage: str = "finetune") -> dict[str, Any]:
    return json.loads((run / "run.json").read_text())["stages"][stage]["facts"]


def control_bits(run: Path) -> list[float]:
    return [json.loads(line)["control_bits"] for line in (run / "history.jsonl").read_text().splitlines()]


def test_training_in_bfloat16_lowers_the_control_loss(folder: Path) -> None:
    run = finetuned(folder, "bfloat16")
    assert facts(run)["device"] == "cuda"
    assert facts(run)["dtype"] == ("bfloat16" if torch.cuda.is_bf16_supported() else "float32")
    weights = load_file(run / "adapter" / "adapter_model.safetensors")
    assert {str(tensor.dtype) for tensor in weights.values()} == {"float32"}
    bits = control_bits(run)
    assert bits[-1] < bits[0]


def test_float32_on_the_device_matches_the_cpu(folder: Path) -> None:
    device = finetuned(folder, "device", "model.dtype=float32")
    processor = finetuned(folder, "processor", "model.dtype=float32", CUDA_VISIBLE_DEVICES="")
    np.testing.assert_allclose(control_bits(device), control_bits(processor), rtol=1e-3)


@pytest.mark.parametrize("setup", ["ddp", "fsdp2"])
def test_a_launch_on_one_device_matches_a_run_without_launch(folder: Path, setup: str) -> None:
    alone = finetuned(folder, f"{setup}-alone", "model.dtype=float32")
    run = launched(folder, f"{setup}-one", setup, 1, "model.dtype=float32")
    np.testing.assert_allclose(control_bits(run), control_bits(alone), rtol=1e-4)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
@pytest.mark.parametrize("setup", ["ddp", "fsdp2"])
def test_two_devices_match_one(folder: Path, setup: str) -> None:
    alone = finetuned(folder, f"{setup}-single", "model.dtype=float32")
    run = launched(folder, f"{setup}-two", setup, 2, "model.dtype=float32")
    assert facts(run)["processes"] == 2
    np.testing.assert_allclose(control_bits(run), control_bits(alone), rtol=1e-4)


def test_records_are_valid_and_reproducible(folder: Path) -> None:
    run = finetuned(folder, "sampled")
    samples = []
    for _ in range(2):
        call(folder, "-m", "paracosm.generate", str(run))
        samples.append(pd.concat(map(pd.read_parquet, sorted((run / "synthetic").glob("*.parquet")))))
        call(folder, "-m", "paracosm.generate", str(run), "generate.seed=1")
    assert len(samples[0]) == 64
    assert samples[0]["age"].between(20, 90).all()
    pd.testing.assert_frame_equal(samples[0], samples[1])


@pytest.mark.skipif(importlib.util.find_spec("bitsandbytes") is None, reason="needs the extra `quantization`")
def test_training_over_a_four_bit_base_lowers_the_control_loss(folder: Path) -> None:
    bits = control_bits(finetuned(folder, "nf4", "model.quantize=nf4"))
    assert bits[-1] < bits[0]


@pytest.mark.skipif(
    importlib.util.find_spec(ALIASES["smollm2-135m"].package) is None,
    reason="the bundled base model is not installed",
)
def test_the_bundled_base_trains_in_little_memory(folder: Path, record_property: Any) -> None:
    script = (
        "import torch; from pathlib import Path; from paracosm.finetune.__main__ import finetune;"
        " from paracosm.recipes.run.open_run import open_run;"
        " opened = open_run(Path('recipe.yaml'), ['model.base=smollm2-135m', 'finetune.epochs=2'], Path('embedded'))\n"
        "with opened.working(): finetune(opened)\n"
        "print(torch.cuda.max_memory_allocated())"
    )
    peak = int(call(folder, "-c", script).splitlines()[-1])
    measured = facts(folder / "embedded")
    record_property("device", torch.cuda.get_device_name())
    record_property("tokens_per_second", measured["tokens_per_second"])
    record_property("peak_gigabytes", round(peak / GIGABYTE, 2))
    assert measured["tokens_per_second"] > 0
    # 135 million weights of two bytes, the adapter with its optimizer in float32, and short records.
    assert 0.25 * GIGABYTE < peak < 3 * GIGABYTE

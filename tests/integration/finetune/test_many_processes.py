"""Distributed training: the same result on any number of processes, and what happens if one of them dies or hangs."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from example_tables import write_people
from safetensors.numpy import load_file
from tiny_models import save_tiny_llama

RECIPE = """\
name: tiny
data: {{source: people.csv, target: ill, split: {{control: 0.2, test: 0.2}}}}
model: {{base: "{base}", dtype: float32}}
finetune: {{rank: 4, learning_rate: 0.003, epochs: 3, batch_size: 8, patience: null, warmup_steps: 2}}
generate: {{records: 160, batch_size: 4}}
"""
WITHIN = 60
"""Seconds after which every process of a broken launch must be gone."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a recipe whose 119 training records are not a multiple of the batch size."""
    folder = tmp_path_factory.mktemp("processes")
    base = save_tiny_llama(folder / "model")
    write_people(folder / "people.csv")
    (folder / "recipe.yaml").write_text(RECIPE.format(base=base))
    return folder


@pytest.fixture(scope="module")
def alone(folder: Path) -> Path:
    """Train on one process, without a launcher."""
    run = folder / "alone"
    started = start(folder, "-m", "paracosm.finetune", "recipe.yaml", "--run", str(run))
    assert ended(started) == (0, [])
    return run


def start(folder: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    environment = os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"} | settings
    return subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def launched(folder: Path, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    return start(folder, "-m", "paracosm.cli.app", "launch", *arguments, **settings)


def ended(started: subprocess.Popen[str], within: float = 240) -> tuple[int, list[str]]:
    """Return the exit code and the lines that are not progress lines."""
    _, output = started.communicate(timeout=within)
    return started.returncode, [line for line in output.splitlines() if not line.startswith("  ")]


def process(started: subprocess.Popen[str], rank: int) -> psutil.Process:
    """Return the process of a launch that has this rank."""
    children = psutil.Process(started.pid).children(recursive=True)
    (found,) = [child for child in children if child.environ().get("RANK") == str(rank)]
    return found


def when(there: Callable[[], object], *launches: subprocess.Popen[str]) -> None:
    deadline = time.monotonic() + 240
    while not there():
        assert all(each.poll() is None for each in launches), [ended(each) for each in launches]
        assert time.monotonic() < deadline
        time.sleep(0.02)


def check_same(run: Path, alone: Path) -> None:
    """Check that two runs have the same loss curve and the same weights."""
    curves = []
    for folder in (run, alone):
        lines = [json.loads(line) for line in (folder / "history.jsonl").read_text().splitlines()]
        curves.append([(line["step"], line["train_bits"], line["control_bits"]) for line in lines])
    assert len(curves[0]) == 3
    np.testing.assert_allclose(curves[0], curves[1], rtol=1e-5)
    first, second = (load_file(folder / "adapter" / "adapter_model.safetensors") for folder in (run, alone))
    assert first.keys() == second.keys()
    for name in first:
        np.testing.assert_allclose(first[name], second[name], atol=1e-5)


def test_sharded_training_resumes_after_a_kill_and_matches_one_process(folder: Path, alone: Path) -> None:
    run = folder / "fsdp2"
    command = ("fsdp2", "finetune", "recipe.yaml", "--run", str(run), "--processes", "2")
    broken = launched(folder, *command)
    when(lambda: list(run.glob("checkpoints/*/digests.json")), broken)
    process(broken, 1).kill()
    code, lines = ended(broken, WITHIN)
    assert code == 2
    assert lines[-1] == (
        "error: process 1 was ended by SIGKILL, possibly out of memory; the same command resumes"
    )
    assert not (run / "adapter").exists()
    assert ended(launched(folder, *command)) == (0, [])
    check_same(run, alone)


def test_two_machines_fail_together_and_match_one_process(folder: Path, alone: Path) -> None:
    run = folder / "machines"

    def both() -> list[subprocess.Popen[str]]:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            first = f"127.0.0.1:{free.getsockname()[1]}"
        command = ("two-nodes", "finetune", "recipe.yaml", "--run", str(run), "--processes", "2", "--first")
        return [launched(folder, *command, first, "--machine", str(number)) for number in range(2)]

    broken = both()
    when(lambda: list(run.glob("checkpoints/*/digests.json")), *broken)
    process(broken[0], 0).kill()
    began = time.monotonic()
    (code, lines), (other_code, other_lines) = ended(broken[0], WITHIN), ended(broken[1], WITHIN)
    assert time.monotonic() - began < WITHIN
    assert (code, other_code) == (2, 2)
    assert lines[-1].startswith("error: process 0 was ended by SIGKILL")
    assert other_lines[-1].startswith("error: process 1 of 2 (on ")
    assert "lost the connection" in other_lines[-1]
    assert [ended(each) for each in both()] == [(0, []), (0, [])]
    check_same(run, alone)


def test_a_hanging_process_ends_the_launch_and_generation_resumes(folder: Path, alone: Path) -> None:
    command = ("cpu", "generate", str(alone), "--processes", "2", "--patience", "4")
    broken = launched(folder, *command)
    when(lambda: list(alone.glob("synthetic/*.parquet")), broken)
    leader, stopped = process(broken, 0), process(broken, 1)
    stopped.send_signal(signal.SIGSTOP)
    leader.wait(WITHIN)
    # Or the launcher waits half a minute for a stopped process to end.
    stopped.send_signal(signal.SIGCONT)
    code, lines = ended(broken, WITHIN)
    assert code == 2
    assert lines[-1].startswith("error: process 1 of 2 (on ")
    assert f"pid {stopped.pid}) has not been heard of for 4 s" in lines[-1]
    assert not stopped.is_running()
    assert ended(launched(folder, *command)) == (0, [])
    facts = json.loads((alone / "run.json").read_text())["stages"]["generate"]
    assert (facts["status"], facts["facts"]["records"], facts["facts"]["processes"]) == ("done", 160, 2)


def test_an_error_is_reported_once(folder: Path) -> None:
    wrong = ("data.split.control=0.001", "--run", "wrong", "--processes", "2")
    code, lines = ended(launched(folder, "cpu", "finetune", "recipe.yaml", *wrong))
    assert code == 2
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert not (folder / "wrong").exists()

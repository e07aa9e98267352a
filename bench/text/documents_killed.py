"""A run over documents with an adaptation: killed at random moments, and launched under each configuration of accelerate.

A tiny model, a corpus of 75 letters, 80 notes that are longer than the model's context. Prints a line per launch or kill:

    python bench/text/documents_killed.py --kills 10
    python bench/text/documents_killed.py --launch cpu fsdp2 zero3

A kill goes to the whole process group, SIGKILL and SIGTERM in turn, after a random share of the time that the undisturbed run took.
Then the same command goes on, and its adaptation, adapter and synthetic records must have the bytes of the undisturbed run.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from tiny_models import save_tiny_llama  # type: ignore[import-not-found]  # of the tests

RECIPE = """\
name: tiny
data: {{source: notes.csv, rare: keep, fields: {{note: {{type: text}}}}}}
model: {{base: "{base}", dtype: float32, context: 64}}
adapt: {{source: letters, rank: 4, block: 64, batch_size: 4, learning_rate: 0.01, epochs: 3, warmup_steps: 2{method}}}
finetune: {{rank: 4, epochs: 2, patience: null}}
generate: {{records: 40}}
"""
WORDS = ("knee", "pain", "since", "Tuesday", "worse", "walking", "mild", "swelling", "rest", "daily")
RESULTS = ("adaptation/adapter_model.safetensors", "adapter/adapter_model.safetensors", "synthetic")


def write(folder: Path, method: str = "lora") -> None:
    """Write recipe, corpus, notes and base model."""
    rng = np.random.default_rng(0)
    (folder / "letters").mkdir()
    for number in range(75):
        text = " ".join(rng.choice(WORDS, int(rng.integers(5, 60))))
        (folder / "letters" / f"{number:03d}.txt").write_text(f"Letter {number}. {text}.\n")
    notes = [". ".join(" ".join(rng.choice(WORDS, 6)) for _ in range(4)) + "." for _ in range(80)]
    (folder / "notes.csv").write_text("note\n" + "\n".join(notes) + "\n")
    base = save_tiny_llama(folder / "model")
    (folder / "recipe.yaml").write_text(RECIPE.format(base=base, method=f", method: {method}"))


def started(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start a command in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "paracosm.cli.app", *arguments],
        cwd=folder,
        env=os.environ | {"OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1", "ACCELERATE_USE_CPU": "true"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


STEPS = (("finetune", "recipe.yaml"), ("generate", "recipe.yaml"))


def made(run: Path) -> dict[str, bytes]:
    """Return the bytes of the results."""
    paths = [
        path
        for name in RESULTS
        for path in ((run / name).rglob("*") if (run / name).is_dir() else [run / name])
    ]
    return {
        str(path.relative_to(run)): path.read_bytes()
        for path in paths
        if path.is_file() and path.suffix in (".safetensors", ".parquet", ".csv", ".jsonl")
    }


def kill(folder: Path, kills: int) -> None:
    """Kill a run at random moments, let it go on, and compare."""
    seconds = []
    for stage, recipe in STEPS:
        begin = time.monotonic()
        process = started(folder, stage, recipe, "--run", "whole")
        process.communicate()
        assert process.returncode == 0
        seconds.append(time.monotonic() - begin)
    expected = made(folder / "whole")
    draw = random.Random(7)
    same = 0
    for number in range(kills):
        at, sent = number % 2, (signal.SIGKILL, signal.SIGTERM)[number // 2 % 2]
        run, moment = f"killed{number}", draw.uniform(0.1, 0.95) * seconds[at]
        for index, (stage, recipe) in enumerate(STEPS):
            process = started(folder, stage, recipe, "--run", run)
            if index == at:
                try:
                    process.communicate(timeout=moment)
                    state = "ended before"
                except subprocess.TimeoutExpired:
                    state = ", ".join(
                        name
                        for name in ("adaptation-work", "adaptation", "checkpoints", "adapter", "synthetic")
                        if (folder / run / name).exists()
                    )
                    os.killpg(process.pid, sent)
                    process.communicate()
                process = started(folder, stage, recipe, "--run", run)
            text, _ = process.communicate()
            assert process.returncode == 0, text
        equal = made(folder / run) == expected
        same += equal
        print(
            f"{STEPS[at][0]:<9} {sent.name:<8} after {moment:5.1f} s (there: {state})  same bytes: {equal}",
            flush=True,
        )
    print(f"{same} of {kills} with the same bytes")


def launch(folder: Path, setups: list[str]) -> None:
    """Adapt and train under configurations of accelerate with two processes."""
    for setup in setups:
        run = f"run-{setup}"
        process = started(
            folder, "launch", setup, "finetune", "recipe.yaml", "--run", run, "--processes", "2"
        )
        text, _ = process.communicate()
        lines = [line for line in text.splitlines() if line.strip()]
        print(
            f"{setup}: exit {process.returncode}; {len(lines)} lines; last: {' | '.join(lines[-3:])}",
            flush=True,
        )


def main() -> None:
    """Kill or launch."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--launch", nargs="*", default=[])
    parser.add_argument("--method", choices=["lora", "full"], default="lora")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        write(Path(name), arguments.method)
        if arguments.kills:
            kill(Path(name), arguments.kills)
        launch(Path(name), arguments.launch)


if __name__ == "__main__":
    main()

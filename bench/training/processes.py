"""Equality and speed of one training on different numbers of processes.

    python bench/training/processes.py                                     a tiny model built on the spot, 20 steps
    python bench/training/processes.py --base smollm2-135m --layers 6      the bundled base model
    python bench/training/processes.py --network                           the two machines in network namespaces (root)

Every launch trains on the same 158 records in batches of 8, of which the last is not full: 20 steps an epoch. Compared
are the loss of every step and the control loss of every evaluation. Differences are the largest ones from the first
row, relative for losses and absolute for weights. Speeds are tokens per second of training alone, within one run on one
machine.
"""

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from rich.console import Console
from rich.table import Table
from safetensors.numpy import load_file

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from example_tables import write_people
from tiny_models import save_tiny_llama

PORT = 29511
BRIDGE = "paracosm0"


@dataclass(frozen=True)
class Launch:
    """One way to launch the same training.

    Attributes:
        label: for the table.
        setup: a configuration of accelerate; None starts no launcher.
        processes: on all machines together.
        overrides: of the recipe.
        machines: number of machines.
    """

    label: str
    setup: str | None
    processes: int
    overrides: Sequence[str] = ()
    machines: int = 1


LAUNCHES = (
    Launch("1 process, 8 at once", None, 1),
    Launch("1 process, 1 at once, 8 times", None, 1, ["finetune.micro_batch_size=1"]),
    Launch("2 processes, 4 at once", "cpu", 2),
    Launch("2 processes, 2 at once, twice", "cpu", 2, ["finetune.micro_batch_size=2"]),
    Launch("3 processes, 3 + 3 + 2", "cpu", 3),
    Launch("2 processes, FSDP2", "fsdp2", 2),
    Launch("2 processes, FSDP2, twice", "fsdp2", 2, ["finetune.micro_batch_size=2"]),
    Launch("2 machines, 1 process each", "two-nodes", 2, [], 2),
)


ZERO3 = Launch("2 processes, ZeRO-3", "zero3", 2)
"""Where DeepSpeed is installed."""


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--base", help="a base model; a tiny one when absent")
    parser.add_argument("--layers", type=int)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument(
        "--network", action="store_true", help="run each machine in a separate network namespace"
    )
    arguments = parser.parse_args()
    table = Table(
        "", "steps", "loss of a step", "control bits", "weights", "tokens/s", "relative to the first"
    )
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        recipe = prepare(folder, arguments.base, arguments.layers, arguments.epochs)
        first: Path | None = None
        launches = [*LAUNCHES, ZERO3] if importlib.util.find_spec("deepspeed") else LAUNCHES
        for number, launch in enumerate(launches):
            run = folder / f"launch-{number}"
            train(recipe, run, launch, network=arguments.network)
            first = first or run
            table.add_row(launch.label, *row(run, first))
    Console(width=140).print(table)


def prepare(folder: Path, base: str | None, layers: int | None, epochs: int) -> Path:
    """Write a table and a recipe; return the recipe."""
    if base is None:
        base = str(save_tiny_llama(folder / "model"))
    write_people(folder / "people.csv", rows=262)
    recipe = {
        "name": "processes",
        "data": {"source": "people.csv", "target": "ill", "split": {"control": 0.2, "test": 0.2}},
        "model": {"base": base, "dtype": "float32", "layers": layers},
        "finetune": {
            "learning_rate": 0.003,
            "epochs": epochs,
            "batch_size": 8,
            "patience": None,
            "warmup_steps": 2,
            "evaluations_per_epoch": 2,
        },
    }
    path = folder / "recipe.yaml"
    path.write_text(json.dumps(recipe))
    return path


def train(recipe: Path, run: Path, launch: Launch, *, network: bool) -> None:
    """Train in separate processes, on this machine or in network namespaces that act as several machines."""
    stage = [str(recipe), *launch.overrides, "--run", str(run)]
    if launch.setup is None:
        commands = [["-m", "paracosm.finetune", *stage]]
    else:
        command = ["-m", "paracosm.cli.app", "launch", launch.setup, "finetune", *stage]
        command += ["--processes", str(launch.processes)]
        commands = [command]
        if launch.machines > 1:
            first = f"{'10.77.0.1' if network else '127.0.0.1'}:{PORT}"
            commands = [
                [*command, "--first", first, "--machine", str(machine)] for machine in range(launch.machines)
            ]
    if not (network and launch.machines > 1):
        _run([[sys.executable, *command] for command in commands], {})
        return
    with namespaces(launch.machines) as names:
        inside = zip(names, commands, strict=True)
        _run(
            [["ip", "netns", "exec", name, sys.executable, *command] for name, command in inside],
            {"GLOO_SOCKET_IFNAME": "inside"},
        )


def _run(commands: list[list[str]], settings: dict[str, str]) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | settings
    started = [
        subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) for command in commands
    ]
    errors = [process.communicate()[1] for process in started]
    if any(process.returncode for process in started):
        sys.exit("\n".join(errors))


@contextmanager
def namespaces(count: int) -> Iterator[list[str]]:
    """Create hosts on a private network, as network namespaces on a bridge: 10.77.0.1, 10.77.0.2, ..."""
    names = [f"paracosm-{number}" for number in range(count)]
    try:
        _ip("link", "add", BRIDGE, "type", "bridge")
        _ip("link", "set", BRIDGE, "up")
        for number, name in enumerate(names):
            _ip("netns", "add", name)
            _ip("link", "add", f"pcosm{number}", "type", "veth", "peer", "name", "inside", "netns", name)
            _ip("link", "set", f"pcosm{number}", "master", BRIDGE, "up")
            _ip("-n", name, "addr", "add", f"10.77.0.{number + 1}/24", "dev", "inside")
            _ip("-n", name, "link", "set", "inside", "up")
            _ip("-n", name, "link", "set", "lo", "up")
        yield names
    finally:
        for name in names:
            subprocess.run(["ip", "netns", "delete", name], check=False, stderr=subprocess.DEVNULL)
        subprocess.run(["ip", "link", "delete", BRIDGE], check=False, stderr=subprocess.DEVNULL)


def _ip(*arguments: str) -> None:
    subprocess.run(["ip", *arguments], check=True)


def row(run: Path, first: Path) -> list[str]:
    """Return the cells of a run, with its differences from the first run."""
    losses, control = trajectory(run)
    first_losses, first_control = trajectory(first)
    weights, first_weights = (
        load_file(folder / "adapter" / "adapter_model.safetensors") for folder in (run, first)
    )
    difference = max(float(np.abs(weights[name] - first_weights[name]).max()) for name in first_weights)
    speed, first_speed = (facts(folder)["tokens_per_second"] for folder in (run, first))
    return [
        str(len(losses)),
        f"{np.abs(losses / first_losses - 1).max():.1e}",
        f"{np.abs(control / first_control - 1).max():.1e}",
        f"{difference:.1e}",
        f"{speed:,.0f}",
        f"x {speed / first_speed:.2f}",
    ]


def trajectory(run: Path) -> tuple[np.ndarray, np.ndarray]:
    """Return the loss of every step and the control loss of every evaluation."""
    (state,) = sorted(run.glob("checkpoints/*/trainer_state.json"), key=lambda path: path.stat().st_mtime)[
        -1:
    ]
    log = json.loads(state.read_text())["log_history"]
    return (
        np.array([entry["loss"] for entry in log if "loss" in entry]),
        np.array([entry["eval_control_bits"] for entry in log if "eval_control_bits" in entry]),
    )


def facts(run: Path) -> dict[str, float]:
    """Return the facts that `run.json` holds of the training."""
    return json.loads((run / "run.json").read_text())["stages"]["finetune"]["facts"]


if __name__ == "__main__":
    main()

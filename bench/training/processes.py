"""One recipe on different numbers of processes: is the same learnt, and how fast.

    python bench/training/processes.py                                     a tiny model built on the spot, 20 steps
    python bench/training/processes.py --base smollm2-135m --layers 6      the embedded base model
    python bench/training/processes.py --network                           the two machines in network namespaces (root)

Every launch trains the same 158 records of the same table in batches of 8, which they do not fill evenly: 20 steps an
epoch. The trajectory is the loss of every step and the control loss of every evaluation; differences are the largest
ones, relative for losses and absolute for weights, from the first line's. Speeds are tokens per second of training alone,
next to each other in one run on one machine.
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

sys.path.append(str(Path(__file__).parents[2] / "tests"))

PORT = 29511
BRIDGE = "paracosm0"


@dataclass(frozen=True)
class Way:
    """A way to train the same.

    Attributes:
        words: for the table.
        setup: a configuration of accelerate; None starts no launcher.
        processes: on all machines together.
        overrides: of the recipe.
        machines: how many.
    """

    words: str
    setup: str | None
    processes: int
    overrides: Sequence[str] = ()
    machines: int = 1


WAYS = (
    Way("1 process, 8 at once", None, 1),
    Way("1 process, 1 at once, 8 times", None, 1, ["finetune.micro_batch_size=1"]),
    Way("2 processes, 4 at once", "cpu", 2),
    Way("2 processes, 2 at once, twice", "cpu", 2, ["finetune.micro_batch_size=2"]),
    Way("3 processes, 3 + 3 + 2", "cpu", 3),
    Way("2 processes, FSDP2", "fsdp2", 2),
    Way("2 processes, FSDP2, twice", "fsdp2", 2, ["finetune.micro_batch_size=2"]),
    Way("2 machines, 1 process each", "two-nodes", 2, [], 2),
)


ZERO3 = Way("2 processes, ZeRO-3", "zero3", 2)
"""Where DeepSpeed is installed."""


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("--base", help="a base model; a tiny one when absent")
    given.add_argument("--layers", type=int)
    given.add_argument("--epochs", type=int, default=1)
    given.add_argument(
        "--network", action="store_true", help="give each machine a network namespace of its own"
    )
    asked = given.parse_args()
    table = Table("", "steps", "loss of a step", "control bits", "weights", "tokens/s", "beside the first")
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        recipe = prepare(folder, asked.base, asked.layers, asked.epochs)
        first: Path | None = None
        ways = [*WAYS, ZERO3] if importlib.util.find_spec("deepspeed") else WAYS
        for number, way in enumerate(ways):
            run = folder / f"way-{number}"
            train(recipe, run, way, network=asked.network)
            first = first or run
            table.add_row(way.words, *row(run, first))
    Console(width=140).print(table)


def prepare(folder: Path, base: str | None, layers: int | None, epochs: int) -> Path:
    """Write a table and a recipe; return the recipe."""
    if base is None:
        from tiny_models import save_tiny_llama

        base = str(save_tiny_llama(folder / "model"))
    from example_tables import write_people

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


def train(recipe: Path, run: Path, way: Way, *, network: bool) -> None:
    """Train in processes of their own, on this machine or on what stands for several."""
    stage = [str(recipe), *way.overrides, "--run", str(run)]
    if way.setup is None:
        commands = [["-m", "paracosm.finetune", *stage]]
    else:
        launch = ["-m", "paracosm.cli.app", "launch", way.setup, "finetune", *stage]
        launch += ["--processes", str(way.processes)]
        commands = [launch]
        if way.machines > 1:
            first = f"{'10.77.0.1' if network else '127.0.0.1'}:{PORT}"
            commands = [[*launch, "--first", first, "--machine", str(each)] for each in range(way.machines)]
    if not (network and way.machines > 1):
        _run([[sys.executable, *command] for command in commands], {})
        return
    with namespaces(way.machines) as names:
        inside = zip(names, commands, strict=True)
        _run(
            [["ip", "netns", "exec", name, sys.executable, *command] for name, command in inside],
            {"GLOO_SOCKET_IFNAME": "inside"},
        )


def _run(commands: list[list[str]], settings: dict[str, str]) -> None:
    environment = os.environ | {"OMP_NUM_THREADS": "1"} | settings
    started = [
        subprocess.Popen(each, env=environment, stderr=subprocess.PIPE, text=True) for each in commands
    ]
    told = [each.communicate()[1] for each in started]
    if any(each.returncode for each in started):
        sys.exit("\n".join(told))


@contextmanager
def namespaces(count: int) -> Iterator[list[str]]:
    """Make hosts on a network of their own, as network namespaces on a bridge: 10.77.0.1, 10.77.0.2, ..."""
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


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)


def row(run: Path, first: Path) -> list[str]:
    """Return the cells of a run beside those of the first one."""
    losses, control = trajectory(run)
    its_losses, its_control = trajectory(first)
    weights, its_weights = (
        load_file(each / "adapter" / "adapter_model.safetensors") for each in (run, first)
    )
    apart = max(float(np.abs(weights[name] - its_weights[name]).max()) for name in its_weights)
    speed, its_speed = (facts(each)["tokens_per_second"] for each in (run, first))
    return [
        str(len(losses)),
        f"{np.abs(losses / its_losses - 1).max():.1e}",
        f"{np.abs(control / its_control - 1).max():.1e}",
        f"{apart:.1e}",
        f"{speed:,.0f}",
        f"x {speed / its_speed:.2f}",
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
    return json.loads((run / "run.json").read_text())["stages"]["finetune"]["facts"]


if __name__ == "__main__":
    main()

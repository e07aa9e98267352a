"""Why training stops: control loss, time limit or planned epochs; the same with a kill in between."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tiny_models import save_tiny_llama

from paracosm.finetune.stage import train
from paracosm.finetune.training import fit
from paracosm.finetune.training.callbacks import TimeLimit
from paracosm.finetune.training.ema import ExponentialMovingAverage
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.stage import prepare

# Random records, so that anything learnt beyond the distributions of columns is memorised.
RECIPE = """\
name: tiny
data: {{source: people.csv, split: {{control: 0.3, test: 0.2}}}}
model: {{base: "{base}", dtype: float32}}
finetune: {{rank: 8, learning_rate: 0.03, epochs: 40, batch_size: 8, patience: 3, average_decay: 0.5, warmup_steps: 2}}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stopping")
    rng = np.random.default_rng(0)
    rows = ["age,sex,dose"]
    rows += [
        f"{rng.integers(20, 90)},{rng.choice(['Male', 'Female'])},{rng.random() * 4:.1f}" for _ in range(60)
    ]
    (folder / "people.csv").write_text("\n".join(rows) + "\n")
    (folder / "recipe.yaml").write_text(RECIPE.format(base=save_tiny_llama(folder / "model")))
    return folder


def trained(folder: Path, name: str, *changes: str) -> Run:
    """Train, or resume a killed training; return the run."""
    recipe = load_recipe(folder / "recipe.yaml", list(changes))
    run = Run.create(folder / name)
    prepare(recipe=recipe, run=run, root=folder)
    train(recipe=recipe, run=run, progress=lambda _: None)
    return run


def curve(run: Run) -> list[dict[str, Any]]:
    return [json.loads(line) for line in run.history.read_text().splitlines()]


def ending(run: Run) -> dict[str, Any]:
    return run.journal.stage("finetune")["facts"]["stopped"]


def kill_after_checkpoint(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    """Interrupt the next training as soon as it has written checkpoint `number`, from 1."""
    kept, whole = [], ExponentialMovingAverage.on_save

    def killing(self: ExponentialMovingAverage, *given: Any, **named: Any) -> None:
        whole(self, *given, **named)
        kept.append(given)
        if len(kept) == number:
            raise KeyboardInterrupt

    monkeypatch.setattr(ExponentialMovingAverage, "on_save", killing)


@pytest.fixture(scope="module")
def whole(folder: Path) -> Run:
    run = trained(folder, "whole")
    bits = [line["control_bits"] for line in curve(run)]
    assert bits.index(min(bits)) == len(bits) - 4 > 0
    return run


# After the best evaluation, before patience runs out, and when only the end of the stage is missing.
@pytest.mark.parametrize("back", [2, 1, 0])
def test_a_killed_training_stops_at_the_same_step(
    folder: Path, whole: Run, back: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_after_checkpoint(monkeypatch, len(curve(whole)) - back)
    with pytest.raises(KeyboardInterrupt):
        trained(folder, f"killed-{back}")
    killed = trained(folder, f"killed-{back}")
    assert killed.history.read_bytes() == whole.history.read_bytes()
    assert ending(killed) == ending(whole)
    for path in whole.adapter.iterdir():
        assert path.read_bytes() == (killed.adapter / path.name).read_bytes(), path.name


def slow_clock(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    """Make every step take some seconds more, by the clock of the time limit."""
    at_end = TimeLimit.on_step_end

    def slowly(self: TimeLimit, *given: Any, **named: Any) -> None:
        self.began -= seconds
        at_end(self, *given, **named)

    monkeypatch.setattr(TimeLimit, "on_step_end", slowly)


LIMITS = ("finetune.patience=null", "finetune.max_minutes=100")


def test_the_time_before_a_kill_counts(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    slow_clock(monkeypatch, 6000 / 17.5)
    undisturbed = trained(folder, "timed", *LIMITS)
    last = curve(undisturbed)[-1]
    assert last["step"] == 18
    assert ending(undisturbed)["reason"] == f"stopped after 100 minutes, at epoch {last['epoch']:.2f} of 40"
    assert ending(undisturbed)["minutes"] == 100
    for number in (2, len(curve(undisturbed))):
        with monkeypatch.context() as once:
            kill_after_checkpoint(once, number)
            with pytest.raises(KeyboardInterrupt):
                trained(folder, f"timed-{number}", *LIMITS)
        killed = trained(folder, f"timed-{number}", *LIMITS)
        assert killed.history.read_bytes() == undisturbed.history.read_bytes()
        assert ending(killed) == ending(undisturbed)


LINES = [{"epoch": 1.0, "step": 5, "control_bits": 9.0}, {"epoch": 1.6, "step": 8, "control_bits": 8.0}]


@pytest.mark.parametrize(
    ("epoch", "control_bits", "minutes", "reading", "reason"),
    [
        (2, 7.0, None, "control loss still fell when the planned epochs ended", "planned epochs done"),
        (2, 7.0, 9, "control loss still fell when the planned epochs ended", "planned epochs done"),
        (1.8, 8.5, None, "control loss turned while train loss fell, which is mem", "control loss turned"),
        (
            1.8,
            8.5,
            9,
            "time was up after 9 minutes, at epoch 1.80, when control loss had turned: kept epoch 1.60",
            "stopped after 9 minutes, at epoch 1.80 of 2",
        ),
        (
            1.8,
            7.0,
            0.5,
            "time was up after 0.5 minutes, at epoch 1.80, when control loss still fell: kept epoch 1.80",
            "stopped after 0.5 minutes, at epoch 1.80 of 2",
        ),
    ],
)
def test_the_reason_for_stopping(
    epoch: float, control_bits: float, minutes: float | None, reading: str, reason: str
) -> None:
    last = {"epoch": epoch, "step": 9, "control_bits": control_bits}
    ended = fit._ending([*LINES, last], epoch, 2, minutes)
    assert ended["reading"].startswith(reading)
    assert ended["reason"] == reason
    assert ended["minutes"] == (minutes if epoch < 2 else None)

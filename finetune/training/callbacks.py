"""What watches a training run: field orders, loss curve, progress, early stop, time limit."""

import json
import math
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from paracosm.finetune.distributed.processes import any_process
from paracosm.finetune.objectives.objective import EpochDataset
from paracosm.finetune.training.ema import ExponentialMovingAverage
from paracosm.foundation.files import write_text
from paracosm.recipes.sections.finetune import Finetune

BITS = "eval_control_bits"
SECONDS = "seconds_spent"
OUT_OF_TIME = "out_of_time"


class FieldOrders(TrainerCallback):
    """Draws new field orders for every epoch, the same ones on every process and after every resumption."""

    def __init__(self, records: EpochDataset) -> None:
        self.records = records

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.records.begin_epoch(int((state.epoch or 0.0) + 1e-6))


class History(TrainerCallback):
    """Writes the loss curve: one line per evaluation, rebuilt from the trainer's log so that a resumed run repeats it."""

    def __init__(self, path: Path, decisions_per_record: float) -> None:
        self.path = path
        self.decisions_per_record = decisions_per_record

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if state.is_world_process_zero:
            write_text(self.path, "".join(json.dumps(line) + "\n" for line in self.lines(state)))

    def lines(self, state: TrainerState) -> list[dict[str, float]]:
        """Return step, epoch, control bits and mean train bits since the evaluation before, per evaluation."""
        lines, losses = [], []
        for entry in state.log_history:
            if "loss" in entry:
                losses.append(entry["loss"])
            if BITS in entry:
                train = (
                    sum(losses) / len(losses) * self.decisions_per_record / math.log(2) if losses else None
                )
                lines.append(
                    {
                        "step": entry["step"],
                        "epoch": round(entry["epoch"], 4),
                        "train_bits": train,
                        "control_bits": entry[BITS],
                    }
                )
                losses = []
        return lines


class ProgressLines(TrainerCallback):
    """Prints speed, time left and the control loss, one line per evaluation and at most one every ten seconds between."""

    def __init__(self, tokens_per_step: float, progress: Any) -> None:
        self.tokens_per_step = tokens_per_step
        self.progress = progress
        self.began = self.last = time.monotonic()
        self.first_step = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.began = self.last = time.monotonic()
        self.first_step = state.global_step

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if state.is_world_process_zero and time.monotonic() - self.last > 10:
            self.last = time.monotonic()
            self.progress(self._pace(state))

    def on_evaluate(  # type: ignore[override]  # the base takes metrics as one of its keywords
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float],
        **_: Any,
    ) -> None:
        if state.is_world_process_zero:
            self.last = time.monotonic()
            self.progress(f"{self._pace(state)} · control {metrics[BITS]:.2f} bits per record")

    def speed(self, state: TrainerState) -> float:
        """Return tokens per second since training began or resumed."""
        return (
            (state.global_step - self.first_step)
            * self.tokens_per_step
            / max(time.monotonic() - self.began, 1e-9)
        )

    def _pace(self, state: TrainerState) -> str:
        seconds = max(time.monotonic() - self.began, 1e-9)
        done = state.global_step - self.first_step
        left = (state.max_steps - state.global_step) * seconds / max(done, 1)
        speed = self.speed(state)
        return f"epoch {state.epoch or 0:.1f} · step {state.global_step}/{state.max_steps} · {speed:,.0f} tok/s · at most {left / 60:.1f} min left"


class EarlyStop(TrainerCallback):
    """Stops after a number of evaluations without a lower control loss, counted in the trainer's log, which outlives a kill."""

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._count(state, control)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._count(state, control)

    def _count(self, state: TrainerState, control: TrainerControl) -> None:
        bits = [entry[BITS] for entry in state.log_history if BITS in entry]
        if bits and len(bits) - 1 - bits.index(min(bits)) >= self.patience:
            control.should_training_stop = True


class TimeLimit(TrainerCallback):
    """Stops training after a number of minutes of wall time, on every process in the same step.

    The minutes before a kill count up to the checkpoint that training goes on from: what came after it is done again.
    """

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes
        self.began = time.monotonic()
        self.before = self.spent = 0.0
        self.over = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        for entry in state.log_history:
            self.before = entry.get(SECONDS, self.before)
        if ran_out_of_time(state):
            control.should_training_stop = True

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.spent = self.before + time.monotonic() - self.began
        self.over = any_process(self.spent > 60 * self.minutes)
        if self.over:
            control.should_evaluate = control.should_save = control.should_training_stop = True

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        # The trainer has logged this evaluation by now, and keeps its log in every checkpoint.
        state.log_history[-1] |= {SECONDS: self.spent, OUT_OF_TIME: self.over}


def ran_out_of_time(state: TrainerState) -> bool:
    """Return whether `TimeLimit` stopped this training, in this process or in one before it."""
    return any(entry.get(OUT_OF_TIME, False) for entry in state.log_history)


def callbacks(
    settings: Finetune,
    records: EpochDataset,
    average: ExponentialMovingAverage,
    history: History,
    lines: ProgressLines,
) -> list[TrainerCallback]:
    """Return what watches a training run: field orders, weight average, loss curve, progress, early stop, time limit."""
    found: list[TrainerCallback] = [FieldOrders(records), average, history, lines]
    if settings.patience is not None:
        found.append(EarlyStop(settings.patience))
    if settings.max_minutes is not None:
        found.append(TimeLimit(settings.max_minutes))
    return found

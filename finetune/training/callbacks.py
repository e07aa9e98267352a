"""Callbacks of the trainer: epochs of the data set, loss curve, progress lines, early stopping, time limit."""

import json
import math
import time
from pathlib import Path
from typing import Any

from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from paracosm.finetune.distributed.processes import any_process
from paracosm.finetune.objectives.epoch_dataset import EpochDataset
from paracosm.finetune.tracking.tracked_run import TrackedRun
from paracosm.finetune.training.ema import ExponentialMovingAverage
from paracosm.foundation.files import write_text
from paracosm.foundation.progress import Progress, Step
from paracosm.recipes.sections.finetune import Finetune

BITS = "eval_control_bits"
"""Metric of the trainer's log: mean bits per control record."""
SECONDS = "seconds_spent"
OUT_OF_TIME = "out_of_time"


class EpochStart(TrainerCallback):
    """Tells the data set which epoch begins: the same on every rank and after every resumption."""

    def __init__(self, records: EpochDataset) -> None:
        self.records = records

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.records.begin_epoch(int((state.epoch or 0.0) + 1e-6))


class History(TrainerCallback):
    """Writes the loss curve, one line per evaluation; it is rebuilt from the trainer's log, so that a resumed run writes the same."""

    def __init__(self, path: Path, decisions_per_record: float) -> None:
        self.path = path
        self.decisions_per_record = decisions_per_record

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if state.is_world_process_zero:
            write_text(self.path, "".join(json.dumps(line) + "\n" for line in self.lines(state)))

    def lines(self, state: TrainerState) -> list[dict[str, float]]:
        """Return for each evaluation: step, epoch, bits per control record, and mean train bits since the previous evaluation."""
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


class CurveTracking(TrainerCallback):
    """Sends the loss curve to the recipe's tracker after every evaluation; comes after `History`, which writes it."""

    def __init__(self, tracked: TrackedRun) -> None:
        self.tracked = tracked

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if state.is_world_process_zero:
            self.tracked.send_curve()

    def on_train_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.tracked.close()


class ProgressLines(TrainerCallback):
    """Reports every step, and the control loss at every evaluation."""

    def __init__(self, tokens_per_step: float, progress: Progress, max_minutes: float | None = None) -> None:
        self.tokens_per_step = tokens_per_step
        self.progress = progress
        self.max_minutes = max_minutes
        self.began = time.monotonic()
        self.first_step = 0

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.began = time.monotonic()
        self.first_step = state.global_step

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if state.is_world_process_zero:
            elapsed = time.monotonic() - self.began
            left = None if self.max_minutes is None else max(60 * self.max_minutes - elapsed, 0.0)
            self.progress(
                Step(
                    "training",
                    state.global_step,
                    state.max_steps,
                    unit="steps",
                    detail=f"epoch {state.epoch or 0:.1f}",
                    left=left,
                )
            )

    def on_evaluate(  # type: ignore[override]  # the base takes metrics as one of its keywords
        self,
        args: TrainingArguments,
        state: TrainerState,
        control: TrainerControl,
        metrics: dict[str, float],
        **_: Any,
    ) -> None:
        if state.is_world_process_zero:
            self.progress(
                f"epoch {state.epoch or 0:.1f} · control loss {metrics[BITS]:.2f} bits per record"
                f" · {self.speed(state):,.0f} tokens/s"
            )

    def speed(self, state: TrainerState) -> float:
        """Return tokens per second since training began or resumed."""
        return (
            (state.global_step - self.first_step)
            * self.tokens_per_step
            / max(time.monotonic() - self.began, 1e-9)
        )


class EarlyStop(TrainerCallback):
    """Stops training after `patience` evaluations without a lower control loss.

    They are counted in the trainer's log, which checkpoints contain.
    """

    def __init__(self, patience: int) -> None:
        self.patience = patience

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._check(state, control)

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self._check(state, control)

    def _check(self, state: TrainerState, control: TrainerControl) -> None:
        bits = [entry[BITS] for entry in state.log_history if BITS in entry]
        if bits and len(bits) - 1 - bits.index(min(bits)) >= self.patience:
            control.should_training_stop = True


class TimeLimit(TrainerCallback):
    """Stops training after a number of minutes of wall time, on every rank in the same step.

    In a resumed training, the time up to its checkpoint counts.
    """

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes
        self.began = time.monotonic()
        self.spent_before = self.spent = 0.0
        self.over = False

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        for entry in state.log_history:
            self.spent_before = entry.get(SECONDS, self.spent_before)
        if ran_out_of_time(state):
            control.should_training_stop = True

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.spent = self.spent_before + time.monotonic() - self.began
        self.over = any_process(self.spent > 60 * self.minutes)
        if self.over:
            control.should_evaluate = control.should_save = control.should_training_stop = True

    def on_evaluate(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        # The trainer has logged this evaluation already, and saves its log in every checkpoint.
        state.log_history[-1] |= {SECONDS: self.spent, OUT_OF_TIME: self.over}


def ran_out_of_time(state: TrainerState) -> bool:
    """Return whether `TimeLimit` stopped this training, in this process or before it was resumed."""
    return any(entry.get(OUT_OF_TIME, False) for entry in state.log_history)


def callbacks(
    settings: Finetune,
    records: EpochDataset,
    average: ExponentialMovingAverage,
    history: History,
    lines: ProgressLines,
    tracked: TrackedRun,
) -> list[TrainerCallback]:
    """Return the callbacks of a training run, in the order in which the trainer calls them."""
    active: list[TrainerCallback] = [EpochStart(records), average, history, CurveTracking(tracked), lines]
    if settings.patience is not None:
        active.append(EarlyStop(settings.patience))
    if settings.max_minutes is not None:
        active.append(TimeLimit(settings.max_minutes))
    return active

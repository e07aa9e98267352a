"""Train a model on a run's records with transformers' loop: control loss, early stopping, EMA, checkpoints."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import PrinterCallback

from paracosm.finetune.distributed.processes import is_leader, run_on_leader, uses_fsdp, uses_zero3, world
from paracosm.finetune.models.lora import micro_batch_size
from paracosm.finetune.objectives.causal import CausalObjective
from paracosm.finetune.objectives.causal_dataset import Collator
from paracosm.finetune.objectives.objective import TrainingObjective
from paracosm.finetune.objectives.packing import (
    MIN_PADDING_FACTOR,
    PackedCollator,
    padding_factor,
    use_packed_attention,
)
from paracosm.finetune.tracking.tracked_run import TrackedRun
from paracosm.finetune.training.callbacks import History, ProgressLines, callbacks, ran_out_of_time
from paracosm.finetune.training.checkpoint import last_whole_checkpoint
from paracosm.finetune.training.ema import ExponentialMovingAverage
from paracosm.finetune.training.fused_lora import fuse
from paracosm.finetune.training.trainer import RecordTrainer, training_arguments
from paracosm.foundation.errors import ModelError
from paracosm.foundation.progress import Progress
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Fitted:
    """Result of a training.

    Attributes:
        model: with the best weights; under FSDP or ZeRO-3 with the last ones, sharded.
        facts: for `run.json`.
        weights: the best weights by name, on the leader, if those of `model` are sharded.
    """

    model: "PreTrainedModel"
    facts: dict[str, Any]
    weights: dict[str, torch.Tensor] | None = None


def fit(
    model: "PreTrainedModel",
    objective: TrainingObjective,
    recipe: Recipe,
    run: Run,
    progress: Progress,
) -> Fitted:
    """Train a model on a run's records, resuming from the last checkpoint of a killed run. All ranks call this.

    Args:
        model: base model with an untrained adapter, or with trainable weights.
        objective: data sets, collator and loss.
        recipe: `model` and `finetune` are read.
        run: checkpoints and the loss curve are written to it.
        progress: receives progress lines.

    Raises:
        ModelError: the recipe asks for packing, which the model does not support.
    """
    settings = recipe.finetune
    if not uses_zero3():
        # ZeRO-3 gathers the weights of a layer when the layer is called, and a fused layer does not call its base layer.
        fuse(model)
    objective = _packed(objective, model, recipe)
    last = is_leader() and last_whole_checkpoint(run.checkpoints, progress)
    checkpoint = run_on_leader(lambda: str(last) if last else None)
    average = ExponentialMovingAverage(model, settings.average_decay)
    if checkpoint:
        average.load(Path(checkpoint))
    lines = ProgressLines(
        objective.train.mean_tokens * min(settings.batch_size, len(objective.train)),
        progress,
        settings.max_minutes,
    )
    history = History(run.history, objective.mean_decisions)
    trainer = RecordTrainer(
        objective=objective,
        average=average,
        batch_size=settings.batch_size,
        model=model,
        args=training_arguments(
            recipe,
            folder=run.checkpoints,
            records=len(objective.train),
            micro_batch=_micro_batch(objective, recipe),
            world_size=world(),
        ),
        callbacks=callbacks(
            settings, objective.train, average, history, lines, TrackedRun(recipe, run, progress)
        ),
    )
    trainer.remove_callback(PrinterCallback)
    if world() > settings.batch_size:
        progress(
            f"{world()} processes for {settings.batch_size} records per step (finetune.batch_size): some processes are idle"
        )
    if checkpoint:
        progress(f"resuming at {Path(checkpoint).name}")
    trainer.train(resume_from_checkpoint=checkpoint)
    trainer.accelerator.wait_for_everyone()
    weights = None
    if is_leader():
        best = run.checkpoints / f"checkpoint-{trainer.state.best_global_step}"
        if uses_fsdp() or uses_zero3():
            weights = average.read(best)
        else:
            average.load(best)
            average.set_weights()
    curve = history.lines(trainer.state)
    minutes = settings.max_minutes if ran_out_of_time(trainer.state) else None
    ending = _ending(curve, trainer.state.epoch or 0.0, settings.epochs, minutes)
    progress(ending["reading"])
    device = trainer.args.device.type
    return Fitted(
        trainer.model,  # type: ignore[arg-type]  # set by the constructor
        {
            "device": device + (f" x {torch.get_num_threads()} threads" if device == "cpu" else ""),
            "packed": isinstance(objective.collate, PackedCollator),
            "tokens_per_second": round(lines.speed(trainer.state), 1),
            "best_control_bits": round(min(line["control_bits"] for line in curve), 4),
            "stopped": ending,
        },
        weights,
    )


def _packed(objective: TrainingObjective, model: "PreTrainedModel", recipe: Recipe) -> TrainingObjective:
    """Return the objective with packed batches if the recipe asks for them, or by default if packing is faster.

    Raises:
        ModelError: the recipe asks for packing, and packed records of this model would affect one another.
    """
    packing = recipe.finetune.packing
    if not isinstance(objective, CausalObjective):
        if packing:
            raise ModelError(
                "finetune.packing: is for causal models; set it to false or null for a masked model"
            )
        return objective
    if packing is None:
        lengths = [record.tokens for record in objective.train.records]
        packing = padding_factor(lengths, _micro_batch(objective, recipe), 0) >= MIN_PADDING_FACTOR
        if not (packing and use_packed_attention(model)):
            return objective
    elif not packing:
        return objective
    elif not use_packed_attention(model):
        raise ModelError(
            f"finetune.packing: {recipe.model.base!r} cannot keep packed records apart; set it to false, which pads records"
        )
    assert isinstance(objective.collate, Collator)
    return replace(objective, collate=PackedCollator(objective.collate))


def _micro_batch(objective: TrainingObjective, recipe: Recipe) -> int:
    return micro_batch_size(recipe, objective.codec, objective.train.max_tokens, world())


def _ending(
    curve: list[dict[str, float]], epoch: float, planned: int, minutes: float | None
) -> dict[str, Any]:
    """Return where and why training ended.

    Args:
        curve: the evaluations.
        epoch: at the end.
        planned: number of epochs in the recipe.
        minutes: the time limit, if it was reached.
    """
    best = min(curve, key=lambda line: line["control_bits"])
    turned = curve[-1]["control_bits"] > best["control_bits"]
    early = epoch < planned - 1e-6
    selected = f"kept epoch {best['epoch']:.2f} at {best['control_bits']:.2f} bits per record"
    reason = "control loss turned" if turned and early else "planned epochs done"
    if early and minutes is not None:
        reason = f"stopped after {minutes:g} minutes, at epoch {epoch:.2f} of {planned}"
        trend = "had turned" if turned else "still fell"
        reading = f"time was up after {minutes:g} minutes, at epoch {epoch:.2f}, when control loss {trend}: {selected}"
    elif turned and early:
        reading = f"control loss turned while train loss fell, which is memorisation: stopped at epoch {epoch:.2f} and {selected}"
    elif turned:
        reading = f"control loss had turned at the end: {selected}"
    else:
        reading = f"control loss still fell when the planned epochs ended: {selected}"
    return {
        "epoch": round(epoch, 4),
        "best_epoch": best["epoch"],
        "best_step": best["step"],
        "turned": turned,
        "reading": reading,
        "reason": reason,
        "minutes": minutes if early else None,
    }

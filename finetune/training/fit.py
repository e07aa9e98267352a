"""Fitting an adapter to records with transformers' loop: control loss, early stop, weight average, checkpoints."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from transformers import PrinterCallback

from paracosm.finetune.distributed.processes import leading, on_leader_first, sharded, world, zero3
from paracosm.finetune.models.fused_lora import fuse
from paracosm.finetune.models.lora import micro_batch_size
from paracosm.finetune.objectives.causal import CausalObjective
from paracosm.finetune.objectives.causal_dataset import Collator
from paracosm.finetune.objectives.objective import TrainingObjective
from paracosm.finetune.objectives.packing import WORTH_IT, PackedCollator, attend_packed, padding_factor
from paracosm.finetune.training.callbacks import History, ProgressLines, callbacks, ran_out_of_time
from paracosm.finetune.training.ema import ExponentialMovingAverage
from paracosm.finetune.training.trainer import RecordTrainer, last_whole_checkpoint, training_arguments
from paracosm.foundation.errors import ModelError
from paracosm.foundation.progress import Progress
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run

if TYPE_CHECKING:
    from transformers import PreTrainedModel


@dataclass(frozen=True)
class Fitted:
    """An adapter that was fitted, and how.

    Attributes:
        model: with the weights that are kept; under FSDP, this process's part of them.
        facts: for `run.json`.
        weights: the trained ones by name, on the first process, where the model holds only parts of them.
    """

    model: "PreTrainedModel"
    facts: dict[str, Any]
    weights: dict[str, torch.Tensor] | None = None


def fit(
    model: "PreTrainedModel",
    material: TrainingObjective,
    recipe: Recipe,
    run: Run,
    progress: Progress,
) -> Fitted:
    """Train the adapter on the run's records; resume where a killed run stopped. Every process of a launch calls this.

    Args:
        model: base model with an untrained adapter.
        material: the records.
        recipe: `finetune` is read.
        run: holds checkpoints and the loss curve.
        progress: takes progress lines.
    """
    settings = recipe.finetune
    if not zero3():
        # It brings the weights of a layer when that layer is called, and a fused one calls none of its own.
        fuse(model)
    material = _packed(material, model, recipe)
    resumed = leading() and last_whole_checkpoint(run.checkpoints)
    checkpoint = on_leader_first(lambda: str(resumed) if resumed else None)
    average = ExponentialMovingAverage(model, settings.average_decay)
    if checkpoint:
        average.load(Path(checkpoint))
    lines = ProgressLines(material.tokens * min(settings.batch_size, len(material.train)), progress)
    history = History(run.history, material.decisions)
    trainer = RecordTrainer(
        material=material,
        average=average,
        batch_size=settings.batch_size,
        model=model,
        args=training_arguments(
            recipe,
            folder=run.checkpoints,
            records=len(material.train),
            micro_batch=_micro_batch(material, recipe),
            world_size=world(),
        ),
        callbacks=callbacks(settings, material.train, average, history, lines),
    )
    trainer.remove_callback(PrinterCallback)
    if world() > settings.batch_size:
        progress(
            f"{world()} processes share {settings.batch_size} records a step (finetune.batch_size): the others idle"
        )
    if checkpoint:
        progress(f"resuming at {Path(checkpoint).name}")
    trainer.train(resume_from_checkpoint=checkpoint)
    trainer.accelerator.wait_for_everyone()
    weights = None
    if leading():
        kept = run.checkpoints / f"checkpoint-{trainer.state.best_global_step}"
        if sharded() or zero3():
            weights = average.read(kept)
        else:
            average.load(kept)
            average.put()
    curve = history.lines(trainer.state)
    minutes = settings.max_minutes if ran_out_of_time(trainer.state) else None
    ending = _ending(curve, trainer.state.epoch or 0.0, settings.epochs, minutes)
    progress(ending["reading"])
    device = trainer.args.device.type
    return Fitted(
        trainer.model,  # type: ignore[arg-type]  # set by the constructor
        {
            "device": device + (f" x {torch.get_num_threads()} threads" if device == "cpu" else ""),
            "packed": isinstance(material.collate, PackedCollator),
            "tokens_per_second": round(lines.speed(trainer.state), 1),
            "best_control_bits": round(min(line["control_bits"] for line in curve), 4),
            "stopped": ending,
        },
        weights,
    )


def _packed(material: TrainingObjective, model: "PreTrainedModel", recipe: Recipe) -> TrainingObjective:
    """Return the material with its records packed, where the recipe asks for it or where it pays.

    Raises:
        ModelError: the recipe asks for it, and the model cannot keep packed records apart.
    """
    wanted = recipe.finetune.packing
    if not isinstance(material, CausalObjective):
        if wanted:
            raise ModelError("finetune.packing: is for causal models; a masked one pads its records")
        return material
    if wanted is None:
        lengths = [record.tokens for record in material.train.records]
        wanted = padding_factor(lengths, _micro_batch(material, recipe), 0) >= WORTH_IT
        if not (wanted and attend_packed(model)):
            return material
    elif not wanted:
        return material
    elif not attend_packed(model):
        raise ModelError(
            f"finetune.packing: {recipe.model.base!r} cannot keep packed records apart; take false, which pads them"
        )
    assert isinstance(material.collate, Collator)
    return replace(material, collate=PackedCollator(material.collate))


def _micro_batch(material: TrainingObjective, recipe: Recipe) -> int:
    return micro_batch_size(recipe, material.codec, material.longest, world())


def _ending(
    curve: list[dict[str, float]], epoch: float, planned: int, minutes: float | None
) -> dict[str, Any]:
    """Return where training ended and why; `minutes` is the time limit, where it was reached."""
    best = min(curve, key=lambda line: line["control_bits"])
    turned = curve[-1]["control_bits"] > best["control_bits"]
    early = epoch < planned - 1e-6
    where = f"kept epoch {best['epoch']:.2f} at {best['control_bits']:.2f} bits per control record"
    reason = "control loss turned" if turned and early else "planned epochs done"
    if early and minutes is not None:
        reason = f"stopped after {minutes:g} minutes, at epoch {epoch:.2f} of {planned}"
        trend = "had turned" if turned else "still fell"
        reading = (
            f"time was up after {minutes:g} minutes, at epoch {epoch:.2f}, when control loss {trend}: {where}"
        )
    elif turned and early:
        reading = f"control loss turned while train loss fell, which is memorisation: stopped at epoch {epoch:.2f} and {where}"
    elif turned:
        reading = f"control loss had turned at the end: {where}"
    else:
        reading = f"control loss still fell when the planned epochs ended: {where}"
    return {
        "epoch": round(epoch, 4),
        "best_epoch": best["epoch"],
        "best_step": best["step"],
        "turned": turned,
        "reading": reading,
        "reason": reason,
        "minutes": minutes if early else None,
    }

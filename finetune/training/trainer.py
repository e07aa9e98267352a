"""The trainer: transformers' loop with the loss under the grammar and the control loss in bits per record."""

import json
import math
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from transformers import (
    Trainer,
    TrainingArguments,
)

from paracosm.finetune.distributed.processes import on_processor, sharded, zero3
from paracosm.finetune.models.base_model import frozen_dtype
from paracosm.finetune.objectives.grammar_loss import IGNORED
from paracosm.finetune.objectives.objective import TrainingObjective
from paracosm.finetune.training.batch_sampler import GlobalBatchSampler, passes_per_step
from paracosm.finetune.training.callbacks import BITS
from paracosm.finetune.training.ema import AVERAGE, ExponentialMovingAverage
from paracosm.foundation.errors import ModelError
from paracosm.recipes.recipe import Recipe


class RecordTrainer(Trainer):
    """Trains on the mean loss per decision over the global batch, whatever its division into steps and processes."""

    def __init__(
        self,
        *,
        material: TrainingObjective,
        average: ExponentialMovingAverage,
        batch_size: int,
        **arguments: Any,
    ) -> None:
        super().__init__(
            train_dataset=material.train,  # type: ignore[arg-type]  # a protocol's
            eval_dataset=material.control,  # type: ignore[arg-type]
            **arguments,
        )
        self.material = material
        self.average = average
        self.batch_size = batch_size
        # The loss below is a sum over this micro-batch divided by the decisions of the whole global batch.
        self.model_accepts_loss_kwargs = True
        self.loss_is_scaled_for_ga = True

    def create_accelerator_and_postprocess(self) -> None:
        """Let accelerate shard on CPUs too, which it does on accelerators only."""
        from accelerate import PartialState
        from accelerate.utils import DistributedType

        launch = PartialState()
        if launch.distributed_type is DistributedType.MULTI_CPU and sharded():
            launch.distributed_type = DistributedType.MULTI_GPU
            super().create_accelerator_and_postprocess()
            launch.distributed_type = DistributedType.MULTI_CPU
        else:
            super().create_accelerator_and_postprocess()

    def get_train_dataloader(self) -> DataLoader:
        """Return this process's part of every step."""
        dealt = GlobalBatchSampler(
            self.material.train,
            batch_size=self.batch_size,
            micro_batch=self.args.per_device_train_batch_size,
            rank=self.args.process_index,
            processes=self.args.world_size,
            seed=self.args.seed,
        )
        return DataLoader(
            self.material.train,  # type: ignore[arg-type]  # a protocol's
            batch_sampler=dealt,
            collate_fn=self._collate,
            pin_memory=self.args.dataloader_pin_memory,
        )

    def _collate(self, examples: list[dict[str, list[int]]]) -> dict[str, Any]:
        if examples:
            return self.material.collate(examples)
        # A process without a record goes through the same motions on any other one, which then counts for nothing.
        stand_in = self.material.collate([self.material.train[0]])
        uncounted = {
            name: torch.full_like(stand_in[name], IGNORED)
            for name in ("labels", "shift_labels")
            if name in stand_in
        }
        return {**stand_in, **uncounted, "stand_in": stand_in}

    def _summed_loss(self, model: torch.nn.Module, inputs: dict[str, Any]) -> torch.Tensor:
        if "stand_in" in inputs:
            return self.material.summed_loss(model, inputs["stand_in"]) * 0.0
        return self.material.summed_loss(model, inputs)

    def _save_checkpoint(self, *given: Any, **named: Any) -> None:
        # Where weights are sharded nobody has made the folder yet when transformers looks whether it is there, to remember
        # the best one; processes that see different things load different things in the end, and wait for each other.
        (Path(str(self.args.output_dir)) / f"checkpoint-{self.state.global_step}").mkdir(
            parents=True, exist_ok=True
        )
        super()._save_checkpoint(*given, **named)

    def _run_epoch(self, *given: Any, **named: Any) -> None:
        # A training that was killed after its last step goes on without another one.
        if not self.control.should_training_stop:
            super()._run_epoch(*given, **named)

    def compute_loss(  # type: ignore[override]
        self,
        model: torch.nn.Module,
        inputs: dict[str, torch.Tensor],
        return_outputs: bool = False,
        num_items_in_batch: Any = None,
    ) -> torch.Tensor:
        total = self._summed_loss(model, inputs)
        return total * self.accelerator.num_processes / num_items_in_batch

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        # Nobody reads it, and counting the weights anew at every step takes as long as the optimizer.
        return 0

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:  # type: ignore[override]
        """Return the mean bits per control record under the grammar and the averaged weights, and log it."""
        model = self._wrap_model(self.model, training=False)  # type: ignore[arg-type]  # set by the constructor
        model.eval()
        total = torch.zeros((), dtype=torch.float64, device=self.args.device)
        with torch.no_grad(), self.average.in_place():
            for batch in self._own_share():
                total += self._summed_loss(model, self._prepare_inputs(batch)).double()
        total = self.accelerator.reduce(total, "sum")
        model.train()
        metrics = {
            BITS: float(total) / math.log(2) / len(self.material.control),  # type: ignore[arg-type]  # a tensor, as it went in
            "epoch": round(self.state.epoch or 0.0, 6),
        }
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _own_share(self) -> Iterator[dict[str, Any]]:
        """Batches of the control records that this process measures: as many as every other process has."""
        control, size = self.material.control, self.args.per_device_eval_batch_size
        rows = range(self.args.process_index, len(control), self.args.world_size)
        for each in range(passes_per_step(len(control), size, self.args.world_size)):
            yield self._collate([control[row] for row in rows[each * size : (each + 1) * size]])


def training_arguments(
    recipe: Recipe, *, folder: Path, records: int, micro_batch: int, world_size: int
) -> TrainingArguments:
    """Translate the recipe into transformers' arguments.

    Args:
        recipe: `model` and `finetune` are read.
        folder: where checkpoints go.
        records: training records.
        micro_batch: records per forward pass of one process.
        world_size: number of processes.
    """
    settings = recipe.finetune
    steps_per_epoch = math.ceil(records / settings.batch_size)
    interval = max(1, steps_per_epoch // settings.evaluations_per_epoch)
    schedules = {"constant": "constant_with_warmup", "linear": "linear", "cosine": "cosine"}
    return TrainingArguments(
        output_dir=str(folder),
        use_cpu=on_processor() and not zero3(),
        ddp_backend="gloo" if on_processor() and zero3() else None,
        per_device_train_batch_size=micro_batch,
        per_device_eval_batch_size=max(micro_batch, 4),
        gradient_accumulation_steps=passes_per_step(settings.batch_size, micro_batch, world_size),
        num_train_epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=schedules[settings.schedule],
        warmup_steps=settings.warmup_steps,
        weight_decay=settings.weight_decay,
        max_grad_norm=1.0,
        seed=settings.seed,
        data_seed=settings.seed,
        eval_strategy="steps",
        eval_steps=interval,
        save_strategy="steps",
        save_steps=interval,
        save_total_limit=2,
        logging_steps=max(1, interval // 8),
        # The best checkpoint is kept beside the last one; `train` loads its averaged weights at the end.
        load_best_model_at_end=True,
        metric_for_best_model=BITS,
        greater_is_better=False,
        remove_unused_columns=False,
        **_of_method(recipe),
        label_names=["shift_labels"],
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=torch.cuda.is_available(),
        ddp_find_unused_parameters=False if world_size > 1 else None,
        save_only_model=False,
    )


def _of_method(recipe: Recipe) -> dict[str, Any]:
    """Return the arguments that depend on what is trained, and over what."""
    found: dict[str, Any] = {}
    if recipe.finetune.gradient_checkpointing:
        found |= {
            "gradient_checkpointing": True,
            "gradient_checkpointing_kwargs": {"use_reentrant": False},
        }
    if recipe.model.quantize is not None and torch.cuda.is_available():
        # Its moments take a quarter of the memory, and move to the host where a long batch needs their place.
        found["optim"] = "paged_adamw_8bit"
    if recipe.finetune.method == "full" and frozen_dtype(recipe.model.dtype) == torch.bfloat16:
        # Weights and moments in float32, products in bfloat16.
        found["bf16"] = True
    if zero3() and frozen_dtype(recipe.model.dtype) == torch.bfloat16:
        if on_processor():
            raise ModelError(
                "model.dtype: DeepSpeed trains in float32 on CPUs; set model.dtype=float32, or launch with fsdp2"
            )
        # DeepSpeed keeps all weights in one precision, and the adapter's own in float32 beside them.
        found["bf16"] = True
    return found


def last_whole_checkpoint(folder: Path) -> Path | None:
    """Return the newest checkpoint that was written to its end; remove those that a kill cut short."""
    whole = []
    for path in folder.glob("checkpoint-*"):
        # The average is written last, and atomically.
        if not (path / AVERAGE).is_file():
            shutil.rmtree(path)
            continue
        step = json.loads((path / "trainer_state.json").read_text())["global_step"]
        whole.append((step, path))
    return max(whole)[1] if whole else None

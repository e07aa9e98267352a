"""Trainer: the loop of transformers with the objective's loss, and an evaluation in bits per control record."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch.utils.data import DataLoader
from transformers import Trainer, TrainingArguments

from paracosm.finetune.distributed.processes import on_cpu, uses_fsdp, uses_zero3
from paracosm.finetune.models.base_model import frozen_dtype
from paracosm.finetune.models.weight_files import write_errors
from paracosm.finetune.objectives.grammar_loss import IGNORED
from paracosm.finetune.objectives.objective import TrainingObjective
from paracosm.finetune.training.batch_sampler import GlobalBatchSampler, passes_per_step
from paracosm.finetune.training.callbacks import BITS
from paracosm.finetune.training.ema import ExponentialMovingAverage
from paracosm.foundation.errors import ModelError
from paracosm.recipes.recipe import Recipe


class ShardOnCpu(Trainer):
    """A trainer that lets accelerate shard weights on CPUs, which it does on accelerators only."""

    def create_accelerator_and_postprocess(self) -> None:
        """Make the accelerator; FSDP on CPUs is announced to it as FSDP on accelerators."""
        from accelerate import PartialState
        from accelerate.utils import DistributedType

        state = PartialState()
        if state.distributed_type is DistributedType.MULTI_CPU and uses_fsdp():
            state.distributed_type = DistributedType.MULTI_GPU
            super().create_accelerator_and_postprocess()
            state.distributed_type = DistributedType.MULTI_CPU
        else:
            super().create_accelerator_and_postprocess()


class RecordTrainer(ShardOnCpu):
    """Trains on the mean loss per decision of the global batch, however it is divided into forward passes and ranks.

    Attributes:
        training_objective: data sets, collator and loss.
        average: the weights that are evaluated.
        batch_size: records in a step, over all ranks.
    """

    def __init__(
        self,
        *,
        objective: TrainingObjective,
        average: ExponentialMovingAverage,
        batch_size: int,
        **arguments: Any,
    ) -> None:
        super().__init__(
            train_dataset=objective.train,  # type: ignore[arg-type]  # typed as a map-style Dataset of transformers
            eval_dataset=objective.control,  # type: ignore[arg-type]
            **arguments,
        )
        self.training_objective = objective
        self.average = average
        self.batch_size = batch_size
        # `compute_loss` returns a sum over the micro-batch, divided by the number of decisions of the global batch.
        self.model_accepts_loss_kwargs = True
        self.loss_is_scaled_for_ga = True

    def get_train_dataloader(self) -> DataLoader:
        """Return a data loader of this rank's part of every global batch."""
        sampler = GlobalBatchSampler(
            self.training_objective.train,
            batch_size=self.batch_size,
            micro_batch=self.args.per_device_train_batch_size,
            rank=self.args.process_index,
            processes=self.args.world_size,
            seed=self.args.seed,
        )
        return DataLoader(
            self.training_objective.train,  # type: ignore[arg-type]  # typed as a map-style Dataset of transformers
            batch_sampler=sampler,
            collate_fn=self._collate,
            pin_memory=self.args.dataloader_pin_memory,
        )

    def _collate(self, examples: list[dict[str, list[int]]]) -> dict[str, Any]:
        if examples:
            return self.training_objective.collate(examples)
        # A rank without samples runs a dummy batch whose loss is multiplied by zero, so that collectives stay in step.
        dummy = self.training_objective.collate([self.training_objective.train[0]])
        uncounted = {
            name: torch.full_like(dummy[name], IGNORED)
            for name in ("labels", "shift_labels")
            if name in dummy
        }
        return {**dummy, **uncounted, "dummy": dummy}

    def _summed_loss(self, model: torch.nn.Module, inputs: dict[str, Any]) -> torch.Tensor:
        if "dummy" in inputs:
            return self.training_objective.summed_loss(model, inputs["dummy"]) * 0.0
        return self.training_objective.summed_loss(model, inputs)

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        # With sharded weights the folder does not exist yet when transformers checks for it to remember the best checkpoint;
        # ranks that see different states would load different weights in the end, and deadlock.
        checkpoint = Path(str(self.args.output_dir)) / f"checkpoint-{self.state.global_step}"
        checkpoint.mkdir(parents=True, exist_ok=True)
        with write_errors(checkpoint):
            super()._save_checkpoint(*args, **kwargs)

    def _run_epoch(self, *args: Any, **kwargs: Any) -> None:
        # A training that was killed after its last step has none left.
        if not self.control.should_training_stop:
            super()._run_epoch(*args, **kwargs)

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
        # The count is not used, and counting the weights at every step takes as long as the optimizer.
        return 0

    def evaluate(self, *_: Any, **__: Any) -> dict[str, float]:  # type: ignore[override]
        """Return and log the mean bits per control record, under the averaged weights."""
        model = self._wrap_model(self.model, training=False)  # type: ignore[arg-type]  # set by the constructor
        model.eval()
        total = torch.zeros((), dtype=torch.float64, device=self.args.device)
        with torch.no_grad(), self.average.applied():
            for batch in self._control_batches():
                total += self._summed_loss(model, self._prepare_inputs(batch)).double()
        total = self.accelerator.reduce(total, "sum")
        model.train()
        metrics = {
            BITS: float(total) / math.log(2) / self.training_objective.control.record_count,  # type: ignore[arg-type]  # returned as a tensor, like the argument
            "epoch": round(self.state.epoch or 0.0, 6),
        }
        self.log(metrics)
        self.control = self.callback_handler.on_evaluate(self.args, self.state, self.control, metrics)
        return metrics

    def _control_batches(self) -> Iterator[dict[str, Any]]:
        """Yield this rank's batches of control records: the same number on every rank."""
        control, size = self.training_objective.control, self.args.per_device_eval_batch_size
        rows = range(self.args.process_index, len(control), self.args.world_size)
        for number in range(passes_per_step(len(control), size, self.args.world_size)):
            yield self._collate([control[row] for row in rows[number * size : (number + 1) * size]])


def training_arguments(
    recipe: Recipe, *, folder: Path, records: int, micro_batch: int, world_size: int
) -> TrainingArguments:
    """Translate the recipe into the training arguments of transformers.

    Args:
        recipe: `model` and `finetune` are read.
        folder: of the checkpoints.
        records: number of training records.
        micro_batch: records in a forward pass of one rank.
        world_size: number of ranks.
    """
    settings = recipe.finetune
    steps_per_epoch = math.ceil(records / settings.batch_size)
    interval = max(1, steps_per_epoch // settings.evaluations_per_epoch)
    schedules = {"constant": "constant_with_warmup", "linear": "linear", "cosine": "cosine"}
    return TrainingArguments(
        output_dir=str(folder),
        use_cpu=on_cpu() and not uses_zero3(),
        ddp_backend="gloo" if on_cpu() and uses_zero3() else None,
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
        # The best checkpoint is kept beside the last one; `fit` loads its averaged weights at the end.
        load_best_model_at_end=True,
        metric_for_best_model=BITS,
        greater_is_better=False,
        remove_unused_columns=False,
        **_method_arguments(recipe),
        label_names=["shift_labels"],
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=torch.cuda.is_available(),
        ddp_find_unused_parameters=False if world_size > 1 else None,
        save_only_model=False,
    )


def _method_arguments(recipe: Recipe) -> dict[str, Any]:
    """Return the arguments that depend on the method, the quantization and the precision."""
    arguments: dict[str, Any] = {}
    if recipe.finetune.gradient_checkpointing:
        arguments |= {
            "gradient_checkpointing": True,
            "gradient_checkpointing_kwargs": {"use_reentrant": False},
        }
    if recipe.model.quantize is not None and torch.cuda.is_available():
        # Its moments take a quarter of the memory, and are paged to the host when a long batch needs the space.
        arguments["optim"] = "paged_adamw_8bit"
    if recipe.finetune.method == "full" and frozen_dtype(recipe.model.dtype) == torch.bfloat16:
        # Weights and moments in float32, matrix products in bfloat16.
        arguments["bf16"] = True
    if uses_zero3() and frozen_dtype(recipe.model.dtype) == torch.bfloat16:
        if on_cpu():
            raise ModelError(
                "model.dtype: DeepSpeed trains in float32 on CPUs; set model.dtype=float32, or launch with fsdp2"
            )
        # DeepSpeed keeps all weights in one precision, with float32 copies of the adapter.
        arguments["bf16"] = True
    return arguments

"""TRL's `SFTTrainer` for an adaptation: packed blocks, the same global batches on any number of ranks, sealed checkpoints."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from datasets import Dataset
from torch.utils.data import Sampler
from transformers import PrinterCallback, TrainerCallback, TrainerControl, TrainerState, TrainingArguments
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from paracosm.finetune.adaptation.encoding import EncodedDocument
from paracosm.finetune.distributed.processes import on_cpu, training_barrier, uses_zero3
from paracosm.finetune.models.base_model import frozen_dtype
from paracosm.finetune.models.weight_files import write_errors
from paracosm.finetune.training.checkpoint import seal
from paracosm.finetune.training.trainer import ShardOnCpu
from paracosm.foundation.errors import RecipeError
from paracosm.foundation.progress import Progress, Step
from paracosm.recipes.sections.training.adapt import Adapt

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

SAVES = 10
"""Checkpoints of a training."""


class BlockSampler(Sampler[int]):
    """Yields the blocks of an epoch in random order, in whole global batches.

    Each epoch leaves out the blocks that do not fill a batch, which differ from epoch to epoch. Ranks then take part in every
    step with the same number of blocks, whatever their number.

    Attributes:
        blocks: number of blocks.
        batch_size: blocks in a step, over all ranks.
        seed: of the order.
        epoch: that begins.
    """

    def __init__(self, blocks: int, batch_size: int, seed: int) -> None:
        self.blocks = blocks
        self.batch_size = batch_size
        self.seed = seed
        self.epoch = 0

    def __len__(self) -> int:
        return max(1, self.blocks // self.batch_size) * self.batch_size

    def __iter__(self) -> Iterator[int]:
        order = np.random.default_rng([self.seed, self.epoch]).permutation(self.blocks)
        yield from np.resize(order, len(self)).tolist()


class _Epochs(TrainerCallback):
    """Tells the sampler which epoch begins: the same on every rank and after every resumption."""

    def __init__(self, sampler: BlockSampler) -> None:
        self.sampler = sampler

    def on_epoch_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        self.sampler.epoch = int((state.epoch or 0.0) + 1e-6)


class _Reports(TrainerCallback):
    """Reports every step, and seals every checkpoint once all ranks have written their part of it."""

    def __init__(self, progress: Progress) -> None:
        self.progress = progress

    def on_step_end(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        if state.is_world_process_zero:
            loss = next((entry["loss"] for entry in reversed(state.log_history) if "loss" in entry), None)
            detail = "" if loss is None else f"loss {loss:.3f} nats per token"
            self.progress(Step("adapting", state.global_step, state.max_steps, unit="steps", detail=detail))

    def on_save(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **_: Any
    ) -> None:
        training_barrier()
        if state.is_world_process_zero:
            seal(Path(str(args.output_dir)) / f"checkpoint-{state.global_step}")


class AdaptationTrainer(ShardOnCpu, SFTTrainer):
    """TRL's trainer on global batches that do not depend on the number of ranks."""

    def __init__(self, *, blocks: BlockSampler, **arguments: Any) -> None:
        self.blocks = blocks
        super().__init__(**arguments)

    def _get_train_sampler(self, *_: Any, **__: Any) -> Sampler[int]:
        return self.blocks

    def create_model_card(self, *_: Any, **__: Any) -> None:
        """Write no card: that of the run names the corpus."""

    def _save_checkpoint(self, *args: Any, **kwargs: Any) -> None:
        checkpoint = Path(str(self.args.output_dir)) / f"checkpoint-{self.state.global_step}"
        with write_errors(checkpoint):
            super()._save_checkpoint(*args, **kwargs)


def adaptation_trainer(
    model: "PreTrainedModel",
    tokenizer: "PreTrainedTokenizerBase",
    documents: Sequence[EncodedDocument],
    settings: Adapt,
    *,
    folder: Path,
    lora: "LoraConfig | None",
    packed: bool,
    world_size: int,
    progress: Progress,
) -> AdaptationTrainer:
    """Return the trainer of an adaptation.

    Args:
        model: the base model.
        tokenizer: of the base model.
        documents: to train on.
        settings: the recipe's section.
        folder: of the checkpoints.
        lora: configuration of the adapter; None trains all weights.
        packed: whether the model keeps documents in a block apart. Otherwise each has a block for itself.
        world_size: number of ranks.
        progress: receives a line per step.

    Raises:
        RecipeError: the blocks of a step cannot be divided among the ranks.
    """
    if settings.batch_size % world_size:
        raise RecipeError(
            f"adapt.batch_size: {settings.batch_size} blocks cannot be divided among {world_size} processes; set it to a multiple of {world_size}"
        )
    pieces = [piece for document in documents for piece in _pieces(document, settings.block)]
    table = Dataset.from_dict(
        {"input_ids": [piece.ids for piece in pieces], "labels": [piece.labels for piece in pieces]}
    )
    trainer = AdaptationTrainer(
        blocks=BlockSampler(0, settings.batch_size, settings.seed),
        model=model,
        args=_arguments(settings, folder, packed=packed, world_size=world_size),
        train_dataset=table,
        processing_class=tokenizer,
        peft_config=lora,
    )
    trainer.blocks.blocks = len(cast("Dataset", trainer.train_dataset))
    interval = max(1, len(trainer.blocks) // settings.batch_size * settings.epochs // SAVES)
    trainer.args.save_steps = trainer.state.save_steps = interval
    trainer.args.logging_steps = trainer.state.logging_steps = max(1, interval // 4)
    trainer.add_callback(_Epochs(trainer.blocks))
    trainer.add_callback(_Reports(progress))
    trainer.remove_callback(PrinterCallback)
    return trainer


def separates_documents(model: "PreTrainedModel") -> bool:
    """Return whether a model keeps documents in one row apart by their positions, as packed blocks need it.

    This is tested on the model itself: what stands before a document must not change its logits.
    """
    generator = torch.Generator().manual_seed(0)
    vocabulary = cast("torch.nn.Embedding", model.get_input_embeddings()).num_embeddings
    first, second, document = (
        torch.randint(vocabulary, (1, length), generator=generator).to(model.device) for length in (5, 5, 7)
    )
    positions = torch.cat([torch.arange(5), torch.arange(7)])[None].to(model.device)
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            after_first, after_second = (
                model(input_ids=torch.cat([before, document], 1), position_ids=positions, use_cache=False)
                .logits[0, 5:]
                .float()
                for before in (first, second)
            )
    except (TypeError, ValueError):
        return False
    finally:
        model.train(was_training)
    return torch.allclose(after_first, after_second, atol=1e-5)


def _pieces(document: EncodedDocument, block: int) -> Iterator[EncodedDocument]:
    """Yield the parts of a document that fit into a block and have a token to learn."""
    for begin in range(0, len(document.ids), block):
        piece = EncodedDocument(document.ids[begin : begin + block], document.labels[begin : begin + block])
        if any(label >= 0 for label in piece.labels[1:]):
            yield piece


def _arguments(settings: Adapt, folder: Path, *, packed: bool, world_size: int) -> SFTConfig:
    bfloat16 = settings.method == "full" and frozen_dtype("auto") == torch.bfloat16 and not on_cpu()
    return SFTConfig(
        output_dir=str(folder),
        use_cpu=on_cpu() and not uses_zero3(),
        ddp_backend="gloo" if on_cpu() and uses_zero3() else None,
        max_length=settings.block,
        packing=packed,
        packing_strategy="bfd",
        per_device_train_batch_size=1,
        gradient_accumulation_steps=settings.batch_size // world_size,
        num_train_epochs=settings.epochs,
        learning_rate=settings.learning_rate,
        lr_scheduler_type="cosine",
        warmup_steps=settings.warmup_steps,
        weight_decay=0.0,
        max_grad_norm=1.0,
        bf16=bfloat16,
        gradient_checkpointing=settings.gradient_checkpointing,
        seed=settings.seed,
        data_seed=settings.seed,
        save_strategy="steps",
        save_total_limit=1,
        eval_strategy="no",
        logging_strategy="steps",
        report_to=[],
        disable_tqdm=True,
        dataloader_pin_memory=torch.cuda.is_available(),
        ddp_find_unused_parameters=False if world_size > 1 else None,
    )

"""The `finetune` stage: records and a base model in, an adapter with its codec out."""

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paracosm.finetune.base_model import ALIASES, base_digest, load_base, load_tokenizer
from paracosm.finetune.processes import leading, on_leader_first, world
from paracosm.recipes.atomic import replacing
from paracosm.recipes.digest import file_digest
from paracosm.recipes.errors import DataError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run_directory import Run
from paracosm.records.codec import Codec
from paracosm.records.schema import Schema
from paracosm.records.typed_table import read_table, to_records

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase


SHORT = 128
"""Tokens per record below which plain attention beats the fused kernel on CPU."""
LOGITS_AT_ONCE = 40_000_000
"""Entries of the logits in one forward pass, beyond which a step is split."""


def say_on_stderr(line: str) -> None:
    """Print a progress line."""
    print(f"  {line}", file=sys.stderr, flush=True)


def train(*, recipe: Recipe, run: Run, say: Callable[[str], None] = say_on_stderr) -> bool:
    """Fine-tune the base model on the run's training split; resume where a killed run stopped.

    Every process of an `accelerate launch` calls this; the first one writes.

    Args:
        recipe: the whole recipe; `model` and `finetune` are read.
        run: a run whose `records` stage is done.
        say: takes progress lines.

    Returns:
        Whether anything was trained (False: the stage was done already).

    Raises:
        ModelError: the base model is missing or unsuitable.
        DataError: the records cannot be encoded for it.
    """
    inputs = stage_inputs(recipe, run)
    if not leading():
        if not on_leader_first(lambda: run.is_done("finetune", inputs)):
            _train(recipe, run, say)
        return False
    if on_leader_first(lambda: run.is_done("finetune", inputs)):
        return False
    return run.stage("finetune", inputs, lambda: _train(recipe, run, say))


def stage_inputs(recipe: Recipe, run: Run) -> dict[str, Any]:
    """Return everything that the adapter depends on."""
    splits = {name: file_digest(run.split(name)) for name in ("train", "control")}
    settings = recipe.finetune.model_dump(mode="json", exclude={"micro_batch_size"})
    return {
        "splits": splits,
        "schema": file_digest(run.schema),
        "model": recipe.model.model_dump(mode="json"),
        "base": base_digest(recipe.model),
        "finetune": settings,
    }


def _train(recipe: Recipe, run: Run, say: Callable[[str], None]) -> dict[str, Any]:
    import torch
    from transformers import PrinterCallback, set_seed

    from paracosm.finetune.encoded_records import (
        Collator,
        RecordDataset,
        encode_all,
        encode_known,
        encode_record,
    )
    from paracosm.finetune.grammar_head import GrammarLoss
    from paracosm.finetune.record_trainer import (
        History,
        Progress,
        RecordTrainer,
        callbacks,
        last_whole_checkpoint,
        training_arguments,
    )
    from paracosm.finetune.smoothing import Smoothing, default_ranks
    from paracosm.finetune.weight_average import WeightAverage
    from paracosm.records.token_masks import TokenMasks

    settings = recipe.finetune
    set_seed(settings.seed)
    schema = Schema.load(run.schema)
    tokenizer = load_tokenizer(recipe.model)
    codec = Codec(schema, tokenizer, "markers" if settings.order == "shuffled" else "places")  # type: ignore[arg-type]
    masks = TokenMasks(codec)
    records = to_records(read_table(run.split("train"), schema), schema)
    encoded = encode_all(records, codec, masks)
    control, unknown = encode_known(
        to_records(read_table(run.split("control"), schema), schema), codec, masks
    )
    if not control:
        raise DataError(
            "no control record can be encoded: each holds a value that training never saw; enlarge data.split.control"
        )

    longest = max(record.tokens for record in encoded)
    model = _with_adapter(recipe, codec, longest)
    world_size = world()
    micro_batch = micro_batch_size(recipe, codec, longest, world_size)
    shuffled = settings.order == "shuffled"
    decisions = sum(record.decisions for record in encoded) / len(encoded)
    tokens = sum(record.tokens for record in encoded) / len(encoded)
    resumed = leading() and last_whole_checkpoint(run.checkpoints)
    checkpoint = on_leader_first(lambda: str(resumed) if resumed else None)
    average = WeightAverage(model, settings.average_decay)
    if checkpoint:
        average.load(Path(checkpoint))
    progress = Progress(tokens * min(settings.batch_size, len(encoded)), say)
    history = History(run.history, decisions)
    ranks = default_ranks(len(records)) if settings.smoothing is None else settings.smoothing
    if schema.sequence is not None:
        # Moved times would leave their order.
        ranks = 0
    smoothing = Smoothing.of(records, schema, ranks=ranks, seed=settings.seed)
    training_set = RecordDataset(
        encoded,
        start=codec.start,
        shuffled=shuffled,
        seed=settings.seed,
        redraw=(lambda index, epoch: encode_record(smoothing(index, epoch), codec, masks)) if ranks else None,
    )
    trainer = RecordTrainer(
        grammar_loss=GrammarLoss(masks, codec.vocabulary),
        average=average,
        model=model,
        args=training_arguments(
            settings,
            folder=run.checkpoints,
            records=len(encoded),
            micro_batch=micro_batch,
            world_size=world_size,
        ),
        train_dataset=training_set,
        eval_dataset=RecordDataset(control, start=codec.start, shuffled=shuffled, seed=-1),
        data_collator=Collator(codec.vocabulary, codec.alphabet.stop),
        callbacks=callbacks(settings, training_set, average, history, progress),
    )
    trainer.remove_callback(PrinterCallback)
    trainable = sum(weights.numel() for weights in model.parameters() if weights.requires_grad)
    say(
        f"{len(encoded)} records · {tokens:.1f} tokens each, {decisions:.1f} of them decisions · {trainable:,} trainable weights"
    )
    if checkpoint:
        say(f"resuming at {Path(checkpoint).name}")
    trainer.train(resume_from_checkpoint=checkpoint)
    trainer.accelerator.wait_for_everyone()
    if not leading():
        return {}
    average.load(run.checkpoints / f"checkpoint-{trainer.state.best_global_step}")
    average.put()
    _save(trainer.model, tokenizer, codec, recipe, run)  # type: ignore[arg-type]
    curve = history.lines(trainer.state)
    ending = _ending(curve, trainer.state.epoch or 0.0, settings.epochs)
    say(ending["reading"])
    return {
        "base_model": ALIASES[recipe.model.base].upstream
        if recipe.model.base in ALIASES
        else recipe.model.base,
        "base_digest": base_digest(recipe.model),
        "layers": model.config.num_hidden_layers,
        "dtype": str(next(model.get_base_model().parameters()).dtype).removeprefix("torch."),  # type: ignore[operator]  # typed as a tensor
        "rank": settings.rank,
        "smoothing_ranks": ranks,
        "trainable_parameters": trainable,
        "processes": world_size,
        "device": str(trainer.args.device.type)
        + (f" x {torch.get_num_threads()} threads" if trainer.args.device.type == "cpu" else ""),
        "tokens_per_record": round(tokens, 2),
        "decisions_per_record": round(decisions, 2),
        "tokens_per_second": round(progress.speed(trainer.state), 1),
        "control_records_with_unknown_values": unknown,
        "best_control_bits": round(min(line["control_bits"] for line in curve), 4),
        "stopped": ending,
    }


def _with_adapter(recipe: Recipe, codec: Codec, longest: int) -> "PreTrainedModel":
    from peft import LoraConfig, get_peft_model

    from paracosm.finetune.grammar_head import restrict_head

    settings = recipe.finetune
    base = load_base(recipe.model, short_sequences=longest < SHORT)
    limit = getattr(base.config, "max_position_embeddings", None)
    if limit is not None and longest > limit:
        raise DataError(
            f"the longest record has {longest} tokens; {recipe.model.base!r} reads at most {limit}; lower max_length or drop a text field"
        )
    restrict_head(base, codec.vocabulary)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,  # type: ignore[arg-type]
        lora_dropout=settings.dropout,
        target_modules=settings.target_modules,
        task_type="CAUSAL_LM",
    )
    # Adapters stay in float32 over a bfloat16 base: peft's autocast_adapter_dtype.
    return get_peft_model(base, config)  # type: ignore[return-value]


def micro_batch_size(recipe: Recipe, codec: Codec, longest: int, world_size: int) -> int:
    """Return how many records one process puts through one forward pass."""
    settings = recipe.finetune
    share = max(1, settings.batch_size // world_size)
    if settings.micro_batch_size is not None:
        return min(settings.micro_batch_size, share)
    width = len(codec.vocabulary) if codec.vocabulary is not None else len(codec.tokenizer)
    fits = max(1, LOGITS_AT_ONCE // (longest * width))
    # A divisor of the share, so that accumulated steps add up to the recipe's batch.
    return max(size for size in range(1, share + 1) if share % size == 0 and size <= max(fits, 1))


def _save(
    model: "PreTrainedModel", tokenizer: "PreTrainedTokenizerBase", codec: Codec, recipe: Recipe, run: Run
) -> None:
    with replacing(run.adapter) as folder:
        model.save_pretrained(folder, save_embedding_layers=False)
        (folder / "README.md").unlink(missing_ok=True)
        tokenizer.save_pretrained(folder)
        (folder / run.codec.name).write_text(codec.to_json() + "\n", encoding="utf-8")
        (folder / "base.json").write_text(
            json.dumps(recipe.model.model_dump(mode="json"), indent=1) + "\n", encoding="utf-8"
        )
        _portable_config(folder / "adapter_config.json", recipe)


def _portable_config(path: Path, recipe: Recipe) -> None:
    """Name the public base model rather than a folder of this machine, and write sets in a fixed order."""
    config = json.loads(path.read_text())
    config["base_model_name_or_path"] = (
        ALIASES[recipe.model.base].upstream if recipe.model.base in ALIASES else recipe.model.base
    )
    if isinstance(config.get("target_modules"), list):
        config["target_modules"] = sorted(config["target_modules"])
    path.write_text(json.dumps(config, indent=2, sort_keys=True) + "\n")


def _ending(curve: list[dict[str, float]], epoch: float, planned: int) -> dict[str, Any]:
    best = min(curve, key=lambda line: line["control_bits"])
    turned = curve[-1]["control_bits"] > best["control_bits"]
    early = epoch < planned - 1e-6
    where = f"kept epoch {best['epoch']:.2f} at {best['control_bits']:.2f} bits per control record"
    if turned and early:
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
        "reason": "control loss turned" if turned and early else "planned epochs done",
    }

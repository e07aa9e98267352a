"""How fast training is, and what it has learnt by when: this trainer against TRL's on "name is value" text.

    python bench/training/speed.py healthcare-heart --seconds 60
    python bench/training/speed.py healthcare-heart --seconds 60 --arms lora nf4 int8 dora full
    python bench/training/speed.py my.yaml finetune.micro_batch_size=16 --arms padded packed
    python bench/training/speed.py --memory

Every arm is a process of its own, trains the same base model on the same records with the same rank, learning rate and
batch, and stops after the same wall time. `trl` is plain `SFTTrainer` on the text that GReaT writes (Borisov et al.
2023); `text` is this trainer on that same text as one field; the others read the codec. Bits per control record: for
`trl` only over the tokens of values, names and separators given away; for the rest over every decision. `--memory` trains
nothing: it prints what `paracosm validate` would expect of models of 1 and 8 billion weights.
"""

import argparse
import json
import math
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from record_layouts import as_texts, named
from rich.console import Console
from rich.table import Table

from paracosm.finetune.models.library_logging import quiet_libraries
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.schema.table import to_records, to_table, write_table
from paracosm.records.stage import preview

ARMS = {
    "trl": [],
    "text": [],
    "lora": [],
    "padded": ["finetune.packing=false"],
    "packed": ["finetune.packing=true"],
    "checkpointed": ["finetune.gradient_checkpointing=true"],
    "nf4": ["model.quantize=nf4"],
    "int8": ["model.quantize=int8"],
    "rslora": ["finetune.method=rslora"],
    "dora": ["finetune.method=dora"],
    "full": ["finetune.method=full", "finetune.learning_rate=1.0e-4"],
}
SIZES = {
    "1.2B (16 layers of 2048)": {"hidden_size": 2048, "intermediate_size": 8192, "num_hidden_layers": 16,
                                 "num_attention_heads": 32, "num_key_value_heads": 8, "tie_word_embeddings": True},
    "8.0B (32 layers of 4096)": {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32,
                                 "num_attention_heads": 32, "num_key_value_heads": 8},
}  # fmt: skip
CARDS = (24, 80, 140)


def main() -> None:
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("recipe", nargs="?", default="healthcare-heart")
    given.add_argument("overrides", nargs="*")
    given.add_argument("--seconds", type=float, default=60)
    given.add_argument("--arms", nargs="+", choices=ARMS, default=["trl", "text", "lora"])
    given.add_argument("--only", choices=ARMS, help=argparse.SUPPRESS)
    given.add_argument("--memory", action="store_true")
    asked = given.parse_intermixed_args()
    if asked.memory:
        print_memory()
    elif asked.only:
        print(json.dumps(one_arm(asked.recipe, asked.overrides, asked.only, asked.seconds)))
    else:
        print_arms([in_own_process(asked, arm) for arm in asked.arms], asked)


def in_own_process(asked: argparse.Namespace, arm: str) -> dict[str, Any]:
    """Train one arm in a process of its own, so that its peak memory is its own."""
    command = [sys.executable, __file__, asked.recipe, *asked.overrides]
    done = subprocess.run(
        [*command, "--only", arm, "--seconds", str(asked.seconds)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return {"arm": arm} | json.loads(done.stdout.splitlines()[-1])


def one_arm(name: str, overrides: list[str], arm: str, seconds: float) -> dict[str, Any]:
    """Train one arm for a while; return speed, bits and memory."""
    limits = ["finetune.epochs=1000", "finetune.patience=null", f"finetune.max_minutes={seconds / 60}"]
    recipe = load_recipe(Path(name), [*limits, *ARMS[arm], *overrides])
    schema, tables = preview(recipe, root=Path(name).resolve().parent)
    splits = {part: to_records(tables[part], schema) for part in ("train", "control")}
    if arm == "trl":
        found = by_trl(recipe, schema, splits, seconds)
    else:
        if arm == "text":
            schema, splits = as_texts(schema, splits, named)
        found = by_paracosm(recipe, schema, splits)
    # Kibibytes on Linux.
    return found | {"peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9}


def by_paracosm(recipe: Recipe, schema: Schema, splits: dict[str, list[Record]]) -> dict[str, Any]:
    """Train by this package's `finetune`."""
    from paracosm.finetune.cost_estimate import config_as_trained, count_weights, gemm_rate, operations
    from paracosm.finetune.stage import train

    curve: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        run = Run.create(Path(folder) / "run")
        for part, records in splits.items():
            write_table(to_table(records, schema), run.split(part), schema)
        schema.save(run.schema)
        began = time.monotonic()
        train(recipe=recipe, run=run, progress=lambda line: _note(line, curve, began))
        facts = run.journal.stage("finetune")["facts"]
    speed = facts["tokens_per_second"]
    weights = count_weights(recipe.model, recipe.finetune, config_as_trained(recipe.model))
    tokens = facts["tokens_per_record"]
    needed = operations(weights, recipe.finetune, tokens, 0)
    return {
        "tokens": tokens,
        "tokens_per_second": speed,
        "records_per_second": speed / tokens,
        "bits": facts["best_control_bits"],
        "curve": curve,
        "of_gemm": speed / tokens * needed / gemm_rate(recipe),
    }


def _note(line: str, curve: list[tuple[float, float]], began: float) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)
    found = re.search(r"control ([\d.]+) bits", line)
    if found:
        curve.append((time.monotonic() - began, float(found[1])))


@quiet_libraries()
def by_trl(recipe: Recipe, schema: Schema, splits: dict[str, list[Record]], seconds: float) -> dict[str, Any]:
    """Train by TRL on text, and read the bits of the values in control records afterwards."""
    from datasets import Dataset
    from transformers import TrainerCallback
    from trl import SFTConfig, SFTTrainer  # type: ignore[import-not-found]  # only this bench needs it

    from paracosm.finetune.models.base_model import device_type, load_base, load_tokenizer
    from paracosm.finetune.models.lora import lora_config

    settings, tokenizer = recipe.finetune, load_tokenizer(recipe.model)
    cells = [
        [(each.name, each.write(record[each.name])) for each in schema.modelled] for record in splits["train"]
    ]
    texts = [named(each) for each in cells]

    class Clock(TrainerCallback):
        began = 0.0

        def on_train_begin(self, *_: Any, **__: Any) -> None:
            Clock.began = time.monotonic()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            control.should_training_stop = time.monotonic() - Clock.began > seconds

    with tempfile.TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            model=load_base(recipe.model),
            args=SFTConfig(
                output_dir=folder,
                use_cpu=device_type() == "cpu",
                bf16=False,
                gradient_checkpointing=False,
                per_device_train_batch_size=settings.batch_size,
                num_train_epochs=1000,
                learning_rate=settings.learning_rate,
                lr_scheduler_type="constant_with_warmup",
                warmup_steps=settings.warmup_steps,
                save_strategy="no",
                logging_strategy="no",
                report_to=[],
                disable_tqdm=True,
                seed=settings.seed,
            ),
            train_dataset=Dataset.from_dict({"text": texts}),
            processing_class=tokenizer,
            peft_config=lora_config(settings),
            callbacks=[Clock()],
        )
        trainer.train()
    took = time.monotonic() - Clock.began
    seen = trainer.state.global_step * settings.batch_size
    tokens = sum(len(ids) for ids in tokenizer(texts)["input_ids"]) / len(texts) + 1
    control = [
        [(each.name, each.write(record[each.name])) for each in schema.modelled]
        for record in splits["control"]
    ]
    return {
        "tokens": tokens,
        "tokens_per_second": seen * tokens / took,
        "records_per_second": seen / took,
        "bits": value_bits(trainer.model, tokenizer, control),
        "curve": [],
        "of_gemm": None,
    }


def value_bits(model: Any, tokenizer: Any, records: list[list[tuple[str, str | None]]]) -> float:
    """Return the mean bits per record of the tokens that write its values."""
    import torch

    total = 0.0
    model.eval()
    for cells in records:
        text = named(cells)
        encoded = tokenizer(text, return_offsets_mapping=True, return_tensors="pt")
        spans, at = [], 0
        for name, cell in cells:
            begin = at + len(f"{name} is")
            # With the space before it, which belongs to its first token.
            spans.append((begin, begin + 1 + len(str(cell))))
            at = spans[-1][1] + len(", ")
        ids = encoded["input_ids"].to(model.device)
        with torch.no_grad():
            logs = model(input_ids=ids).logits[0, :-1].float().log_softmax(-1)
        found = logs.gather(1, ids[0, 1:, None])[:, 0]
        inside = [
            any(begin < stop and start < end for begin, end in spans)
            for start, stop in encoded["offset_mapping"][0, 1:].tolist()
        ]
        total -= float(found[torch.tensor(inside, device=found.device)].sum())
    return total / math.log(2) / len(records)


def print_arms(found: list[dict[str, Any]], asked: argparse.Namespace) -> None:
    """Print one row per arm, and the loss against wall time."""
    table = Table(title=f"{asked.recipe}, {asked.seconds:g} s of training each")
    for column in (
        "arm",
        "tokens/record",
        "tokens/s",
        "records/s",
        "bits/control record",
        "of GEMM",
        "peak GB",
    ):
        table.add_column(column, justify="left" if column == "arm" else "right")
    for each in found:
        share = "" if each["of_gemm"] is None else f"{each['of_gemm']:.0%}"
        numbers = (each["tokens"], each["tokens_per_second"], each["records_per_second"], each["bits"])
        table.add_row(each["arm"], *(f"{number:,.1f}" for number in numbers), share, f"{each['peak_gb']:.2f}")
    Console(width=110).print(table)
    for each in found:
        if each["curve"]:
            print(f"{each['arm']}: " + ", ".join(f"{at:.0f} s {bits:.2f}" for at, bits in each["curve"]))


def print_memory(tokens: int = 4096, columns: int = 128_256) -> None:
    """Print the expected peak per model and method, with a text field's whole head, and the cards that it fits."""
    from transformers import LlamaConfig

    from paracosm.finetune.cost_estimate import count_weights, memory
    from paracosm.recipes.sections.finetune import Finetune
    from paracosm.recipes.sections.model import Model

    ways: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "lora": ({}, {}),
        "lora, checkpointed": ({}, {"gradient_checkpointing": True}),
        "nf4": ({"quantize": "nf4"}, {}),
        "nf4, checkpointed": ({"quantize": "nf4"}, {"gradient_checkpointing": True}),
        "full, checkpointed": ({}, {"method": "full", "gradient_checkpointing": True}),
    }
    table = Table("model", "method", "GB", *(f"{card} GB" for card in CARDS),
                  title=f"expected peak, {tokens} tokens in a forward pass, head of {columns:,}")  # fmt: skip
    for name, sizes in SIZES.items():
        for way, (of_model, of_training) in ways.items():
            model, settings = Model(**of_model), Finetune(**of_training)
            weights = count_weights(model, settings, LlamaConfig(vocab_size=columns, **sizes))
            need = memory(weights, model, settings, frozen_bytes=2, tokens=tokens, columns=columns) / 1e9
            fits: Callable[[int], str] = lambda card, need=need: "yes" if need < 0.92 * card else "no"  # noqa: E731
            table.add_row(name, way, f"{need:.1f}", *(fits(card) for card in CARDS))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()

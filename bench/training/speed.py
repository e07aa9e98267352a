"""Training speed and progress of this trainer against TRL's on "name is value" text.

    pip install "paracosm[adapt]"
    python bench/training/speed.py healthcare-heart --seconds 60
    python bench/training/speed.py healthcare-heart --seconds 60 --arms lora nf4 int8 dora full
    python bench/training/speed.py my.yaml finetune.micro_batch_size=16 --arms padded packed
    python bench/training/speed.py --memory

Every arm is a separate process, trains the same base model on the same records with the same rank, learning rate and
batch size, and stops after the same wall time. `trl` is plain `SFTTrainer` on the text that GReaT writes (Borisov et al.
2023); `text` is this trainer on that same text as one field; the others use the codec. Bits per control record: for `trl`
only over the tokens of values, so that names and separators cost nothing; for the others over every decision. `--memory`
trains nothing: it prints the memory that `paracosm validate` expects for models of 1 and 8 billion weights.
"""

import argparse
import json
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
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", nargs="?", default="healthcare-heart")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--arms", nargs="+", choices=ARMS, default=["trl", "text", "lora"])
    parser.add_argument("--only", choices=ARMS, help=argparse.SUPPRESS)
    parser.add_argument("--memory", action="store_true")
    arguments = parser.parse_intermixed_args()
    if arguments.memory:
        print_memory()
    elif arguments.only:
        print(json.dumps(one_arm(arguments.recipe, arguments.overrides, arguments.only, arguments.seconds)))
    else:
        print_arms([in_separate_process(arguments, arm) for arm in arguments.arms], arguments)


def in_separate_process(arguments: argparse.Namespace, arm: str) -> dict[str, Any]:
    """Train one arm in a separate process, so that its peak memory is measured alone."""
    command = [sys.executable, __file__, arguments.recipe, *arguments.overrides]
    completed = subprocess.run(
        [*command, "--only", arm, "--seconds", str(arguments.seconds)],
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return {"arm": arm} | json.loads(completed.stdout.splitlines()[-1])


def one_arm(name: str, overrides: list[str], arm: str, seconds: float) -> dict[str, Any]:
    """Train one arm for some seconds; return speed, bits and memory."""
    limits = ["finetune.epochs=1000", "finetune.patience=null", f"finetune.max_minutes={seconds / 60}"]
    recipe = load_recipe(Path(name), [*limits, *ARMS[arm], *overrides])
    schema, tables = preview(recipe, root=Path(name).resolve().parent)
    splits = {part: to_records(tables[part], schema) for part in ("train", "control")}
    if arm == "trl":
        from trl_baseline import by_trl

        result = by_trl(recipe, schema, splits, seconds)
    else:
        if arm == "text":
            schema, splits = as_texts(schema, splits, named)
        result = by_paracosm(recipe, schema, splits)
    # Kibibytes on Linux.
    return result | {"peak_gb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9}


def by_paracosm(recipe: Recipe, schema: Schema, splits: dict[str, list[Record]]) -> dict[str, Any]:
    """Train with paracosm's `finetune` stage."""
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
    flops = operations(weights, recipe.finetune, tokens, 0)
    return {
        "tokens": tokens,
        "tokens_per_second": speed,
        "records_per_second": speed / tokens,
        "bits": facts["best_control_bits"],
        "curve": curve,
        "of_gemm": speed / tokens * flops / gemm_rate(recipe),
    }


def _note(line: str, curve: list[tuple[float, float]], began: float) -> None:
    print(f"  {line}", file=sys.stderr, flush=True)
    match = re.search(r"control ([\d.]+) bits", line)
    if match:
        curve.append((time.monotonic() - began, float(match[1])))


def print_arms(results: list[dict[str, Any]], arguments: argparse.Namespace) -> None:
    """Print a row for each arm, and the control bits over wall time."""
    table = Table(title=f"{arguments.recipe}, {arguments.seconds:g} s of training each")
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
    for result in results:
        share = "" if result["of_gemm"] is None else f"{result['of_gemm']:.0%}"
        numbers = (
            result["tokens"],
            result["tokens_per_second"],
            result["records_per_second"],
            result["bits"],
        )
        table.add_row(
            result["arm"], *(f"{number:,.1f}" for number in numbers), share, f"{result['peak_gb']:.2f}"
        )
    Console(width=110).print(table)
    for result in results:
        if result["curve"]:
            print(f"{result['arm']}: " + ", ".join(f"{at:.0f} s {bits:.2f}" for at, bits in result["curve"]))


def print_memory(tokens: int = 4096, columns: int = 128_256) -> None:
    """Print the expected peak memory by model and method, with the whole head of a text field, and which cards fit."""
    from transformers import LlamaConfig

    from paracosm.finetune.cost_estimate import count_weights, memory
    from paracosm.recipes.sections.finetune import Finetune
    from paracosm.recipes.sections.model import Model

    methods: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
        "lora": ({}, {}),
        "lora, checkpointed": ({}, {"gradient_checkpointing": True}),
        "nf4": ({"quantize": "nf4"}, {}),
        "nf4, checkpointed": ({"quantize": "nf4"}, {"gradient_checkpointing": True}),
        "full, checkpointed": ({}, {"method": "full", "gradient_checkpointing": True}),
    }
    table = Table("model", "method", "GB", *(f"{card} GB" for card in CARDS),
                  title=f"expected peak, {tokens} tokens in a forward pass, head of {columns:,}")  # fmt: skip
    for name, sizes in SIZES.items():
        for method, (of_model, of_training) in methods.items():
            model, settings = Model(**of_model), Finetune(**of_training)
            weights = count_weights(model, settings, LlamaConfig(vocab_size=columns, **sizes))
            need = memory(weights, model, settings, frozen_bytes=2, tokens=tokens, columns=columns) / 1e9
            fits: Callable[[int], str] = lambda card, need=need: "yes" if need < 0.92 * card else "no"  # noqa: E731
            table.add_row(name, method, f"{need:.1f}", *(fits(card) for card in CARDS))
    Console(width=110).print(table)


if __name__ == "__main__":
    main()

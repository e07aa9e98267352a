"""Time of one training step with peft's LoRA layers, with fused ones, and compiled.

    python bench/training/step_time.py
    python bench/training/step_time.py healthcare-heart model.layers=10 --steps 60

Every model takes the same steps (forward, backward, AdamW) on the same batches in turn, in one process, so that other load
on the machine affects all alike. `compiled` compiles each decoder layer with torch.compile for any length; its first
steps, which include compilation, are timed separately.
"""

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from paracosm.finetune.models.lora import with_adapter
from paracosm.finetune.objectives.causal import causal_objective
from paracosm.finetune.training.fused_lora import fuse
from paracosm.recipes.loading.load import find_recipe, load_recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.stage import prepare

FIRST = 5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", nargs="?", default="healthcare-heart")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--steps", type=int, default=60)
    arguments = parser.parse_intermixed_args()
    recipe = load_recipe(Path(arguments.recipe), arguments.overrides)
    with tempfile.TemporaryDirectory() as folder:
        run = Run.create(Path(folder) / "run")
        prepare(recipe=recipe, run=run, root=find_recipe(Path(arguments.recipe)).resolve().parent)
        objective = causal_objective(recipe, run)
    models = {}
    for name in ("peft", "fused", "peft, compiled", "fused, compiled"):
        torch.manual_seed(0)
        model = with_adapter(recipe, objective.codec, objective.train.max_tokens).train()
        if "fused" in name:
            fuse(model)
        if "compiled" in name:
            # Layer by layer: the whole graph would break at the hook that gathers decisions.
            for layer in model.get_base_model().model.layers:
                layer.compile(dynamic=True)
        models[name] = model
    optimizers = {
        name: torch.optim.AdamW([weight for weight in model.parameters() if weight.requires_grad], lr=1e-4)
        for name, model in models.items()
    }
    seconds: dict[str, list[float]] = {name: [] for name in models}
    losses: dict[str, list[float]] = {name: [] for name in models}
    size, records = recipe.finetune.batch_size, len(objective.train)
    for step in range(arguments.steps + FIRST):
        batch = objective.collate([objective.train[(step * size + at) % records] for at in range(size)])
        for name, model in models.items():
            began = time.perf_counter()
            loss = objective.summed_loss(model, batch)
            (loss / size).backward()
            optimizers[name].step()
            optimizers[name].zero_grad()
            seconds[name].append(time.perf_counter() - began)
            losses[name].append(float(loss.detach()))
    table = Table(
        "layers",
        f"first {FIRST} steps, s",
        "a step, ms",
        "ratio to peft, paired",
        "largest relative difference of loss",
        title=f"{arguments.recipe}, {arguments.steps} steps, {torch.get_num_threads()} threads",
    )
    plain = np.array(seconds["peft"][FIRST:])
    for name, spent in seconds.items():
        steps = np.array(spent[FIRST:])
        difference = np.abs(np.array(losses[name]) / np.array(losses["peft"]) - 1).max()
        table.add_row(
            name,
            f"{sum(spent[:FIRST]):.1f}",
            f"{1000 * np.median(steps):.0f}",
            f"{np.median(steps / plain):.2f}",
            f"{difference:.1e}",
        )
    Console(width=120).print(table)


if __name__ == "__main__":
    main()

"""Runs with differential privacy on a tiny model: recipe, records, and a training before its first step."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paracosm.finetune.dp.accountant import Budget, budget_of
from paracosm.finetune.dp.dp_sgd import PrivateTraining
from paracosm.finetune.dp.secret_rng import SecretRng
from paracosm.finetune.dp.settings import as_trained
from paracosm.finetune.models.lora import with_adapter
from paracosm.finetune.objectives.causal import CausalObjective, causal_objective
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.stage import prepare

FIELDS: dict[str, dict[str, Any]] = {
    "age": {"type": "integer", "minimum": 0, "maximum": 120, "nullable": False},
    "sex": {"type": "category", "categories": ["Female", "Male"], "nullable": False},
    "dose": {"type": "number", "minimum": 0.0, "maximum": 9.9, "decimals": 1, "nullable": True},
    "seen": {
        "type": "datetime",
        "minimum": "2020-01-01",
        "maximum": "2029-12-31",
        "format": "%Y-%m-%d",
        "nullable": False,
    },
    "ill": {"type": "boolean", "nullable": False},
}


def people(rows: int, seed: int = 0) -> pd.DataFrame:
    """Return a table of people as a source would hold it, in strings."""
    random = np.random.default_rng(seed)
    days = np.datetime64("2024-01-01") + random.integers(0, 365, rows)
    table = pd.DataFrame(
        {
            "age": random.integers(20, 90, rows).astype(str),
            "sex": random.choice(["Female", "Male"], rows),
            "dose": [f"{dose:.1f}" for dose in random.random(rows) * 4],
            "seen": days.astype(str),
            "ill": random.choice(["yes", "no"], rows),
        }
    )
    table.loc[random.random(rows) < 0.1, "dose"] = None
    return table


def private_recipe(base: Path, **sections: Any) -> Recipe:
    """Return a recipe with epsilon 8; the keys in `sections` override those of its sections."""
    plain: dict[str, Any] = {
        "name": "private",
        "data": {
            "source": "none.csv",
            "fields": FIELDS,
            "target": "ill",
            "split": {"control": 0.15, "test": 0.15},
        },
        "model": {"base": str(base), "dtype": "float32"},
        "finetune": {"rank": 4, "warmup_steps": 2},
        "privacy": {"epsilon": 8, "epochs": 4, "batch_size": 32, "learning_rate": 0.01},
    }
    for name, keys in sections.items():
        plain[name] = keys if keys is None else plain.get(name, {}) | keys
    return Recipe.model_validate(plain)


def prepared_run(folder: Path, recipe: Recipe, table: pd.DataFrame) -> Run:
    """Return a run whose records stage is done."""
    run = Run.create(folder)
    prepare(recipe=recipe, run=run, root=folder, table=table)
    return run


def begun(
    recipe: Recipe, run: Run, *, secret: bytes = bytes(32), budget: Budget | None = None
) -> tuple[PrivateTraining, CausalObjective]:
    """Return a private training before its first step, and its objective."""
    recipe = as_trained(recipe)
    assert recipe.privacy is not None
    objective = causal_objective(recipe, run)
    units = [[number] for number in range(len(objective.train))]
    model = with_adapter(recipe, objective.codec, objective.train.max_tokens)
    budget = budget or budget_of(recipe.privacy, len(units), "record")
    return PrivateTraining(model, objective, recipe, budget, SecretRng(secret), units), objective

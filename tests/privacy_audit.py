"""A private training with canaries and its audit, intact or with a deliberate defect."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from private_runs import people, prepared_run, private_recipe

from paracosm.eval.attacks.canary_audit import canary_audit
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.dp_claim import Claim, claim_of
from paracosm.eval.measuring.metric import Estimate
from paracosm.finetune.dp import dp_sgd
from paracosm.finetune.stage import train
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table

Defect = Literal["no noise", "no clipping"]


def train_and_audit(
    base: Path,
    folder: Path,
    *,
    epsilon: float,
    seed: int,
    canaries: int,
    defect: Defect | None = None,
    **privacy: Any,
) -> tuple[Claim, Estimate]:
    """Train with canaries; return the claimed epsilon and delta, and the empirical epsilon of the audit."""
    settings = {
        "epsilon": epsilon,
        "delta": 1e-5,
        "epochs": 24,
        "batch_size": 64,
        "learning_rate": 0.02,
        "rank": 16,
    }
    # Far below the norm of any gradient, so that without clipping the noise is negligible.
    settings["max_grad_norm"] = 0.01
    finetune = {"canaries": canaries, "seed": seed, "average_decay": 0.5, "evaluations_per_epoch": 1}
    recipe = private_recipe(base, privacy=settings | privacy, finetune=finetune)
    run = prepared_run(folder, recipe, people(60, seed))
    with _with_defect(defect):
        train(recipe=recipe, run=run, progress=lambda _: None)
    schema = Schema.load(run.schema)
    tables = [read_table(run.split(name), schema) for name in ("train", "control")]
    claim = claim_of(run)
    assert claim is not None
    context = Context(
        schema,
        *tables,
        None,
        None,
        Evaluate(bootstrap=100),
        10,
        adapter=run.adapter,
        canaries=run.canaries,
        claim=claim,
    )
    return claim, canary_audit(context, "adapter")["audit_epsilon"]


@contextmanager
def _with_defect(defect: Defect | None) -> Iterator[None]:
    """Disable noise or clipping inside the block; the accountant does not notice."""
    if defect is None:
        yield
        return
    whole = dp_sgd._optimizer

    def broken(weights: Any, settings: Any, budget: Any, rng: Any) -> Any:
        if defect == "no noise":
            return whole(weights, settings, replace(budget, noise_multiplier=0.0), rng)
        length = 1e6
        scaled = budget.noise_multiplier * budget.max_grad_norm / length
        changed = replace(budget, noise_multiplier=scaled, max_grad_norm=length)
        return whole(weights, settings, changed, rng)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dp_sgd, "_optimizer", broken)
        yield

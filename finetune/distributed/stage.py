"""Run a stage on every process of an `accelerate launch`: all of them work, and the leader writes the journal."""

from typing import Any

from paracosm.finetune.distributed.processes import barrier, is_leader, run_on_leader
from paracosm.foundation.progress import Progress, silent
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage import Stage, is_done, run_if_stale


def run_on_all(stage: Stage, *, recipe: Recipe, run: Run, progress: Progress) -> bool:
    """Run a stage on all processes unless it is up to date; return whether it ran. All ranks call this."""
    inputs = stage.inputs(recipe, run)
    if run_on_leader(lambda: is_done(run, stage.name, inputs)):
        return False
    if not is_leader():
        stage.check(recipe, run, silent)
        # After the barrier, the leader has removed the output of an earlier run.
        barrier()
        stage.work(recipe, run, silent)
        return True

    def work() -> dict[str, Any]:
        barrier()
        return stage.work(recipe, run, progress)

    return run_if_stale(run, stage.name, inputs, work, check=lambda: stage.check(recipe, run, progress))

"""A stage on every process of an `accelerate launch`: the first process keeps the journal, all of them work."""

from typing import Any

from paracosm.finetune.distributed.processes import leading, on_leader_first, wait
from paracosm.foundation.progress import Progress, silent
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage import Stage, is_done, run_if_stale


def run_on_all(stage: Stage, *, recipe: Recipe, run: Run, progress: Progress) -> bool:
    """Do a stage on all processes unless it is up to date; return whether it ran. Every process calls this."""
    inputs = stage.inputs(recipe, run)
    if on_leader_first(lambda: is_done(run, stage.name, inputs)):
        return False
    if not leading():
        stage.check(recipe, run, silent)
        # By then the leader has removed what an earlier call left.
        wait()
        stage.work(recipe, run, silent)
        return True

    def work() -> dict[str, Any]:
        wait()
        return stage.work(recipe, run, progress)

    return run_if_stale(run, stage.name, inputs, work, check=lambda: stage.check(recipe, run, progress))

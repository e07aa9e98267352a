"""`accelerate launch -m paracosm.finetune RECIPE|RUN [KEY=VALUE]...`: the finetune stage on one or more processes.

Libraries are imported inside functions, because OpenMP has to be set up before torch is imported.
"""

import sys

from paracosm.foundation.errors import RecipeError
from paracosm.foundation.process.kernel_downloads import forbid_kernel_downloads
from paracosm.foundation.process.openmp import wait_passively
from paracosm.foundation.progress import indented, to_stderr
from paracosm.recipes.run.open_run import OpenRun
from paracosm.recipes.run.stage_main import stage_main


def finetune(opened: OpenRun) -> None:
    """Run the records stage if it is not up to date, then train, on every process of the launch.

    Raises:
        RecipeError: the recipe's strategy trains no adapter.
        ParacosmError: the records cannot be prepared, or another process has ended.
    """
    from paracosm.finetune.distributed.processes import (
        check_shared_run,
        fail_together,
        is_leader,
        run_on_leader,
    )
    from paracosm.finetune.stage import train

    with fail_together():
        if opened.recipe.strategy != "finetuned":
            raise RecipeError(
                f"strategy: {opened.recipe.strategy} is prepared in one process, so there is nothing to launch; run: paracosm finetune"
            )
        run_on_leader(lambda: prepare_records(opened))
        check_shared_run("records", opened.run)
        trained = train(
            recipe=opened.recipe, run=opened.run, root=opened.root, progress=indented(to_stderr, 2)
        )
        if is_leader() and (trained or not opened.from_run):
            opened.keep_trained()


def prepare_records(opened: OpenRun) -> None:
    """Run the records stage, unless the command named a run that has its records."""
    from paracosm.records.stage import has_records, prepare

    if not (opened.from_run and has_records(opened)):
        prepare(recipe=opened.recipe, run=opened.run, root=opened.root)


if __name__ == "__main__":
    wait_passively()
    forbid_kernel_downloads()
    sys.exit(stage_main(finetune, prog="paracosm.finetune"))

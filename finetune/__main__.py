"""`accelerate launch -m paracosm.finetune RECIPE|RUN [key=value ...]`: fine-tune a model on every process of a launch."""

import sys

from paracosm.finetune.distributed.processes import check_shared_run, fail_together, run_on_leader
from paracosm.finetune.stage import train
from paracosm.foundation.progress import indented, to_stderr
from paracosm.recipes.run.open_run import OpenRun
from paracosm.recipes.run.stage_main import stage_main
from paracosm.records.stage import has_records, prepare


def finetune(opened: OpenRun) -> None:
    """Run the `records` stage on the leader if it is not up to date, then the `finetune` stage on every process.

    Raises:
        ParacosmError: the records cannot be prepared, training fails, or another process is gone.
    """
    with fail_together():
        run_on_leader(lambda: _prepare(opened))
        check_shared_run("records", opened.run)
        train(recipe=opened.recipe, run=opened.run, progress=indented(to_stderr, 2))


def _prepare(opened: OpenRun) -> None:
    if not (opened.from_run and has_records(opened)):
        prepare(recipe=opened.recipe, run=opened.run, root=opened.root)
    opened.keep_recipe()


if __name__ == "__main__":
    sys.exit(stage_main(finetune, prog="paracosm.finetune"))

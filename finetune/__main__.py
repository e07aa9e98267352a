"""`accelerate launch -m paracosm.finetune RECIPE|RUN [key=value ...]`: records and a base model in, an adapter out."""

import sys

from paracosm.finetune.distributed.processes import must_see, on_leader_first, together
from paracosm.finetune.stage import train
from paracosm.foundation.progress import indented, to_stderr
from paracosm.recipes.run.open_run import OpenRun
from paracosm.recipes.run.stage_main import stage_main
from paracosm.records.stage import has_records, prepare


def finetune(opened: OpenRun) -> None:
    """Do the `records` stage where it is not done, then train, on every process of the launch.

    Raises:
        ParacosmError: the records cannot be prepared, or another process is gone.
    """
    with together():
        on_leader_first(lambda: _prepare(opened))
        must_see("records", opened.run)
        train(recipe=opened.recipe, run=opened.run, progress=indented(to_stderr, 2))


def _prepare(opened: OpenRun) -> None:
    if not (opened.from_run and has_records(opened)):
        prepare(recipe=opened.recipe, run=opened.run, root=opened.root)
    opened.keep_recipe()


if __name__ == "__main__":
    sys.exit(stage_main(finetune, prog="paracosm.finetune"))

"""`accelerate launch -m paracosm.generate RUN|RECIPE [key=value ...]`: an adapter in, synthetic records out."""

import sys

from paracosm.finetune.distributed.processes import leading, must_see, together
from paracosm.foundation.errors import RunError
from paracosm.foundation.progress import indented, to_stderr
from paracosm.generate.stage import sample
from paracosm.recipes.run.open_run import OpenRun
from paracosm.recipes.run.stage_main import stage_main


def generate(opened: OpenRun) -> None:
    """Sample from the run's adapter, on every process of the launch.

    Raises:
        RunError: the run has no finished adapter.
    """
    with together():
        if leading() and opened.run.journal.stage("finetune").get("status") != "done":
            raise RunError(f"{opened.run.root}: has no finished adapter; run `paracosm finetune` on it first")
        must_see("finetune", opened.run)
        if leading():
            opened.keep_recipe()
        sample(recipe=opened.recipe, run=opened.run, root=opened.root, progress=indented(to_stderr, 2))


if __name__ == "__main__":
    sys.exit(stage_main(generate, prog="paracosm.generate"))

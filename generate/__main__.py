"""`accelerate launch -m paracosm.generate RUN|RECIPE [KEY=VALUE]...`: the generate stage on one or more processes.

Libraries are imported inside functions, because OpenMP has to be set up before torch is imported.
"""

import sys

from paracosm.foundation.errors import RunError
from paracosm.foundation.process.kernel_downloads import forbid_kernel_downloads
from paracosm.foundation.process.openmp import wait_passively
from paracosm.foundation.progress import indented, to_stderr
from paracosm.recipes.run.open_run import OpenRun
from paracosm.recipes.run.stage_main import stage_main


def generate(opened: OpenRun) -> None:
    """Sample with the strategy of the run, on every process of the launch.

    Raises:
        RunError: the finetune stage of the run is not finished.
    """
    from paracosm.finetune.distributed.processes import check_shared_run, fail_together, is_leader
    from paracosm.generate.stage import sample

    with fail_together():
        if is_leader() and opened.run.journal.stage("finetune").get("status") != "done":
            raise RunError(
                f"{opened.run.root}: has no finished finetune stage; run `paracosm finetune` on it first"
            )
        check_shared_run("finetune", opened.run)
        sample(
            recipe=opened.recipe,
            run=opened.run,
            root=opened.root,
            into=opened.records,
            progress=indented(to_stderr, 2),
        )


if __name__ == "__main__":
    wait_passively()
    forbid_kernel_downloads()
    sys.exit(stage_main(generate, prog="paracosm.generate", with_out=True))

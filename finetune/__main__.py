"""`accelerate launch -m paracosm.finetune RECIPE|RUN [key=value ...]`: records and a base model in, an adapter out."""

import sys

from paracosm.finetune.processes import on_leader_first
from paracosm.finetune.train import train
from paracosm.recipes.errors import ParacosmError
from paracosm.recipes.open_run import OpenRun
from paracosm.recipes.stage_arguments import stage_main
from paracosm.records.prepare import prepare, records_digest


def finetune(opened: OpenRun) -> None:
    """Do the `records` stage where it is not done, then train, on every process of the launch.

    Raises:
        ParacosmError: the leading process could not prepare the records.
    """
    fault = on_leader_first(lambda: _fault_of_preparing(opened))
    if fault is not None:
        raise ParacosmError(fault)
    train(recipe=opened.recipe, run=opened.run)


def _fault_of_preparing(opened: OpenRun) -> str | None:
    """Prepare the records; return what went wrong, so that the other processes hear of it and stop too."""
    try:
        if opened.from_run and has_records(opened):
            opened.keep_recipe()
            return None
        prepare(opened.recipe, opened.run, root=opened.root)
        opened.keep_recipe()
    except ParacosmError as fault:
        return str(fault)
    return None


def has_records(opened: OpenRun) -> bool:
    """Return whether the run's splits were made as the recipe says; a run stands without its source."""
    record = opened.run.stage_record("records")
    return record.get("status") == "done" and record["inputs"]["data"] == records_digest(opened.recipe)


if __name__ == "__main__":
    sys.exit(stage_main(finetune, prog="paracosm.finetune"))

"""`paracosm launch`: a stage on many GPUs or machines."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def launch(
    setup: Annotated[
        str | None,
        typer.Argument(
            metavar="[SETUP]", help="A configuration by name or path; none lists those that ship."
        ),
    ] = None,
    stage: Annotated[Literal["finetune", "generate"] | None, typer.Argument(metavar="[STAGE]")] = None,
    recipe: Annotated[
        str | None, typer.Argument(metavar="[RECIPE|RUN]", help="A recipe, or a run directory.")
    ] = None,
    overrides: Annotated[
        list[str] | None, typer.Argument(metavar="[key=value ...]", help="As in finetune.epochs=2.")
    ] = None,
    run: Annotated[
        Path | None, typer.Option("--run", metavar="DIR", help="The run directory; runs/NAME when absent.")
    ] = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Processes on all machines together; one a GPU.")
    ] = None,
    machines: Annotated[int | None, typer.Option(min=1, help="How many machines.")] = None,
    machine: Annotated[int | None, typer.Option(min=0, help="Number of this machine, from 0.")] = None,
    first: Annotated[
        str | None, typer.Option(metavar="HOST[:PORT]", help="Address of machine 0, which the others reach.")
    ] = None,
    patience: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS", help="After how long a silent process counts as dead; 120 by default."
        ),
    ] = None,
    path: Annotated[bool, typer.Option("--path", help="Print where the configuration lies instead.")] = False,
) -> None:
    """Start a stage on many processes.

    The same as `accelerate launch` with the configuration SETUP, but a failure is told in one line. The batch of the
    recipe is shared among the processes, so that their number does not change what is learnt.
    """
    from paracosm.finetune.distributed.launch import Topology, find_setup, setup_descriptions
    from paracosm.finetune.distributed.launch import launch as start
    from paracosm.foundation.errors import RunError

    if setup is None:
        for name, what in setup_descriptions():
            print(f"{name:<10} {what}")
        return
    found = find_setup(setup)
    if path:
        print(found)
        return
    if stage is None or recipe is None:
        raise RunError(f"launch {setup}: needs a stage (finetune or generate) and a recipe or run")
    arguments = [recipe, *(overrides or []), *(() if run is None else ("--run", str(run)))]
    raise typer.Exit(start(found, stage, arguments, Topology(processes, machines, machine, first, patience)))

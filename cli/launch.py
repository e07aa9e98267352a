"""`paracosm launch`: run a stage on several GPUs or machines."""

from typing import Annotated, Literal

import typer

from paracosm.cli.arguments import Overrides, RunFolder


def launch(
    setup: Annotated[
        str | None,
        typer.Argument(
            metavar="SETUP", help="Name or path of a configuration; without one, lists the shipped ones."
        ),
    ] = None,
    stage: Annotated[
        Literal["finetune", "generate"] | None, typer.Argument(metavar="STAGE", help="finetune or generate.")
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Argument(metavar="RECIPE|RUN", help="A recipe, the name of a shipped one, or a run directory."),
    ] = None,
    overrides: Overrides = None,
    run: RunFolder = None,
    processes: Annotated[
        int | None, typer.Option(min=1, help="Number of processes on all machines together, one per GPU.")
    ] = None,
    machines: Annotated[int | None, typer.Option(min=1, help="Number of machines.")] = None,
    machine: Annotated[int | None, typer.Option(min=0, help="Index of this machine, from 0.")] = None,
    first: Annotated[
        str | None, typer.Option(metavar="HOST[:PORT]", help="Address of machine 0 for the other machines.")
    ] = None,
    patience: Annotated[
        float | None,
        typer.Option(
            metavar="SECONDS",
            help="Time without a heartbeat after which a process counts as dead; 120 by default.",
        ),
    ] = None,
    path: Annotated[
        bool, typer.Option("--path", help="Print the path of the configuration and exit.")
    ] = False,
) -> None:
    """Run a stage on several GPUs or machines.

    Runs `accelerate launch` with the configuration SETUP, and reports a failure in one line. The recipe's batch is split over
    the processes, so their number does not change what the model learns.
    """
    from paracosm.finetune.distributed.launch import Topology, described, find_setup
    from paracosm.finetune.distributed.launch import launch as start
    from paracosm.foundation.errors import RunError

    if setup is None:
        for name, description in described():
            print(f"{name:<10} {description}")
        return
    configuration = find_setup(setup)
    if path:
        print(configuration)
        return
    if stage is None or recipe is None:
        raise RunError(f"launch {setup}: needs a stage (finetune or generate) and a recipe or run")
    arguments = [recipe, *(overrides or []), *(() if run is None else ("--run", str(run)))]
    topology = Topology(processes, machines, machine, first, patience)
    raise typer.Exit(start(configuration, stage, arguments, topology))

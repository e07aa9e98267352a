"""`paracosm run`, `finetune` and `generate`: all stages of a recipe, or one of them."""

from pathlib import Path
from typing import Annotated

import typer

from paracosm.cli.arguments import Overrides, RecipeOrRun, RecipeRunOrPulled, RunFolder
from paracosm.cli.evaluate import print_summary


def run(recipe: RecipeOrRun, overrides: Overrides = None, folder: RunFolder = None) -> None:
    """Run all stages that are not up to date.

    Prints the evaluation and exits with 0 whatever its verdict.
    """
    from paracosm.eval.results.evaluation_file import read_evaluation
    from paracosm.pipeline import run_stages
    from paracosm.recipes.run.open_run import open_run

    done = run_stages(open_run(Path(recipe), overrides or [], folder))
    print_summary(read_evaluation(done.metrics))
    print(f"report  {done.report}\ncard    {done.card}")


def finetune(recipe: RecipeOrRun, overrides: Overrides = None, folder: RunFolder = None) -> None:
    """Run the finetune stage.

    `paracosm launch` runs it on several GPUs or machines.
    """
    from paracosm.pipeline import prepare_generation, with_line
    from paracosm.recipes.run.stage_main import stage_main

    work = with_line("finetune", prepare_generation)
    raise typer.Exit(stage_main(work, _arguments(recipe, overrides, folder), prog="paracosm finetune"))


def generate(
    recipe: RecipeRunOrPulled,
    overrides: Overrides = None,
    folder: RunFolder = None,
    where: Annotated[
        list[str] | None,
        typer.Option(metavar="FIELD=VALUE", help="Value that every record has; repeatable for other fields."),
    ] = None,
    records: Annotated[int | None, typer.Option(min=1, help="Number of records.")] = None,
    seeds: Annotated[
        Path | None, typer.Option(metavar="FILE", help="File of partial records to complete.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder for another set of records; the run's own set is kept as it is."
        ),
    ] = None,
) -> None:
    """Run the generate stage.

    `paracosm launch` runs it on several GPUs or machines.
    """
    from paracosm.generate.__main__ import generate
    from paracosm.pipeline import with_line
    from paracosm.recipes.run.stage_main import stage_main
    from paracosm.registry.pulled import as_run, is_pulled

    if is_pulled(Path(recipe)):
        recipe, folder = str(as_run(Path(recipe), run=folder).root), None
    options = [f"generate.where.{condition}" for condition in where or []]
    options += [] if records is None else [f"generate.records={records}"]
    options += [] if seeds is None else [f"generate.seeds={seeds.resolve()}"]
    arguments = _arguments(recipe, [*(overrides or []), *options], folder)
    arguments += [] if out is None else ["--out", str(out)]
    work = with_line("generate", generate)
    raise typer.Exit(stage_main(work, arguments, prog="paracosm generate", with_out=True))


def _arguments(recipe: str, overrides: list[str] | None, folder: Path | None) -> list[str]:
    """Return the command line of `python -m paracosm.finetune` or `generate`."""
    return [recipe, *(overrides or []), *([] if folder is None else ["--run", str(folder)])]

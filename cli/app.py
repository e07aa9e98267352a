"""The `paracosm` command: its list of commands, its entry point and its exit codes.

Modules of this package import heavy libraries inside functions, so that `paracosm --help` answers at once.
"""

import os
import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from paracosm.cli import registry
from paracosm.cli.compare.command import compare
from paracosm.cli.evaluate import evaluate
from paracosm.cli.export import export
from paracosm.cli.impute import impute
from paracosm.cli.init.command import init
from paracosm.cli.launch import launch
from paracosm.cli.lists import metrics, models, schema
from paracosm.cli.pii import pii
from paracosm.cli.series.command import series
from paracosm.cli.split import split
from paracosm.cli.stages import finetune, generate, run
from paracosm.cli.texts.augment import augment
from paracosm.cli.texts.questions import questions
from paracosm.cli.validate import validate
from paracosm.cli.workspace.runs import clean, report, runs, show
from paracosm.cli.workspace.setup import setup
from paracosm.cli.workspace.shipped_recipes import recipes
from paracosm.foundation.credentials.redaction import redact
from paracosm.foundation.process.core_dumps import forbid_core_dumps
from paracosm.foundation.process.exit_codes import exit_code_of_command
from paracosm.foundation.process.kernel_downloads import forbid_kernel_downloads
from paracosm.foundation.process.openmp import wait_passively
from paracosm.foundation.process.usage_reports import forbid_usage_reports
from paracosm.foundation.suggestions import did_you_mean

COMPLETION = "_PARACOSM_COMPLETE"
"""Environment variable by which the shell asks for completions."""
UsageError = typer.BadParameter.__bases__[0]
"""Recent versions of typer contain a copy of click, so this class has no stable import path."""
START, RESULTS, STAGES, DATA, PUBLISH, LISTS = "Start", "Results", "One stage", "Data", "Publish", "Lists"


class CommandGroup(TyperGroup):
    """Commands listed by panel, with a suggestion for an unknown command.

    Typer itself shows panels only in rich markup, which takes longer to import than the rest of the help.
    """

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write one list of commands per panel, all with the same column width."""
        panels: dict[str, list[str]] = {}
        for name, command in self.commands.items():
            panels.setdefault(getattr(command, "rich_help_panel", None) or "Commands", []).append(name)
        width = max(map(len, self.commands))
        for panel, names in panels.items():
            with formatter.section(panel):
                limit = formatter.width - width - 6
                formatter.write_dl(
                    [(name.ljust(width), self.commands[name].get_short_help_str(limit)) for name in names]
                )

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the command that the arguments name, or fail with the nearest name."""
        if args[0] not in self.commands and not args[0].startswith("-"):
            ctx.fail(f"No such command {args[0]!r}{did_you_mean(args[0], self.commands)}")
        return super().resolve_command(ctx, args)


app = typer.Typer(
    cls=CommandGroup,
    help="Generate synthetic records with a fine-tuned language model, and measure what they leak.",
    epilog="Exit codes: 0 success (gate PASS), 1 gate FAIL, 2 error that you can fix, 3 gate INCONCLUSIVE.",
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
COMMANDS: dict[str, list[tuple[str, Callable[..., None], str]]] = {
    START: [
        ("setup", setup, "paracosm setup"),
        ("init", init, "paracosm init patients.csv --target outcome"),
        ("validate", validate, "paracosm validate recipe.yaml"),
        ("run", run, "paracosm run recipe.yaml finetune.epochs=4"),
        ("compare", compare, "paracosm compare recipe.yaml --strategies forest,finetuned"),
    ],
    RESULTS: [
        ("runs", runs, "paracosm runs"),
        ("show", show, "paracosm show runs/patients"),
        ("report", report, "paracosm report runs/patients"),
        ("clean", clean, "paracosm clean runs/patients"),
    ],
    STAGES: [
        ("finetune", finetune, "paracosm finetune recipe.yaml"),
        ("generate", generate, "paracosm generate runs/patients --records 500 --out more"),
        ("eval", evaluate, "paracosm eval runs/patients --gate partner"),
        ("launch", launch, "paracosm launch ddp finetune recipe.yaml --processes 4"),
    ],
    DATA: [
        ("split", split, "paracosm split loans.csv --subject client"),
        ("pii", pii, "paracosm pii patients.csv --examples"),
        ("augment", augment, "paracosm augment notes.csv --text note --times 3"),
        ("questions", questions, "paracosm questions runs/notes -o questions.jsonl"),
        ("impute", impute, "paracosm impute runs/patients holes.csv --times 5"),
        ("series", series, "paracosm series co2.csv --time month --period 12"),
    ],
    PUBLISH: [
        ("export", export, "paracosm export runs/patients merged"),
        ("publish", registry.publish, "paracosm publish runs/patients ./store"),
        ("pull", registry.pull, "paracosm pull patients@v1 --url ./store"),
    ],
    LISTS: [
        ("recipes", recipes, "paracosm recipes copy healthcare-heart my.yaml"),
        ("models", models, "paracosm models"),
        ("metrics", metrics, "paracosm metrics"),
        ("schema", schema, "paracosm schema > recipe.schema.json"),
    ],
}
"""Panel -> its commands in the order in which they are met: name, function and an example, which fits 80 columns."""
for _panel, _commands in COMMANDS.items():
    for _name, _function, _example in _commands:
        app.command(_name, rich_help_panel=_panel, epilog=f"Example: {_example}")(_function)
app.add_typer(registry.app, name="registry", cls=CommandGroup, rich_help_panel=PUBLISH)


@app.callback(invoke_without_command=True)
def paracosm(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False,
) -> None:
    """Print the version, or the help if no command is given."""
    if version:
        from paracosm import __version__

        print(f"paracosm {__version__}")
        raise typer.Exit
    if context.invoked_subcommand is None:
        print(context.get_help())
        raise typer.Exit(2)


def main(arguments: list[str] | None = None) -> None:
    """Run the command and exit with its exit code.

    Args:
        arguments: the command line without the program's name; that of this process if None.
    """
    wait_passively()
    forbid_kernel_downloads()
    forbid_usage_reports()
    forbid_core_dumps()
    sys.exit(exit_code_of_command(lambda: _invoke(sys.argv[1:] if arguments is None else arguments)))


def _invoke(arguments: list[str]) -> int:
    command = get_command(app)
    if COMPLETION in os.environ:
        # The shell asks for completions; typer answers, and ends the process.
        command.main(args=arguments, prog_name="paracosm")
    try:
        # The context is made here, because typer's own main() handles interrupts and closed pipes differently.
        with command.make_context("paracosm", arguments) as context:
            return command.invoke(context) or 0
    except typer.Exit as end:
        return end.exit_code
    except UsageError as error:  # type: ignore[misc]  # looked up, because typer does not export it
        context = getattr(error, "ctx", None)
        program = context.command_path if context else "paracosm"
        print(f"error: {redact(_one_line(error))} (see: {program} --help)", file=sys.stderr)
        return 2


def _one_line(error: Any) -> str:
    return " ".join(error.format_message().split()).rstrip(".")


if __name__ == "__main__":
    main()

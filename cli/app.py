"""The `paracosm` command: its list of commands, its entry point and its exit codes.

Modules of this package import heavy libraries inside functions, so that `paracosm --help` answers at once.
"""

import sys
from typing import Annotated, Any

import typer
from typer.core import TyperGroup
from typer.main import get_command

from paracosm.cli import registry
from paracosm.cli.evaluate import evaluate
from paracosm.cli.export import export
from paracosm.cli.impute import impute
from paracosm.cli.init.command import init
from paracosm.cli.launch import launch
from paracosm.cli.lists import metrics, models, recipes, schema
from paracosm.cli.pii import pii
from paracosm.cli.split import split
from paracosm.cli.stages import finetune, generate, run
from paracosm.cli.validate import validate
from paracosm.foundation.credentials.redaction import redact
from paracosm.foundation.process.exit_codes import exit_code_of_command
from paracosm.foundation.process.kernel_downloads import forbid_kernel_downloads
from paracosm.foundation.process.openmp import wait_passively
from paracosm.foundation.suggestions import did_you_mean

UsageError = typer.BadParameter.__bases__[0]
"""Recent versions of typer contain a copy of click, so this class has no stable import path."""
START, STAGES, DATA, PUBLISH = "Start", "Stages", "Data", "Publish"


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
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
for _command in (init, validate, run, recipes, models, metrics, schema):
    app.command(rich_help_panel=START)(_command)
for _command in (finetune, generate):
    app.command(rich_help_panel=STAGES)(_command)
app.command("eval", rich_help_panel=STAGES)(evaluate)
app.command(rich_help_panel=STAGES)(launch)
for _command in (split, pii, impute):
    app.command(rich_help_panel=DATA)(_command)
for _command in (export, registry.publish, registry.pull):
    app.command(rich_help_panel=PUBLISH)(_command)
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
    sys.exit(exit_code_of_command(lambda: _invoke(sys.argv[1:] if arguments is None else arguments)))


def _invoke(arguments: list[str]) -> int:
    command = get_command(app)
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

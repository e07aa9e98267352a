"""`paracosm runs`, `show`, `report` and `clean`: look at runs, and free the disk space that they no longer need."""

import os
import shutil
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from paracosm.cli.workspace.run_state import RunState

WIDTH = 80
RunFolder = Annotated[Path, typer.Argument(metavar="RUN", help="A run directory, such as runs/patients.")]


def runs(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="The folder that holds the runs.")] = Path(
        "runs"
    ),
) -> None:
    """List runs with their state and verdict."""
    from paracosm.cli.workspace.run_state import bytes_in, runs_in, size_words

    rows = [("run", "state", "verdict", "records", "on disk")]
    for state in runs_in(folder):
        records = "" if state.records is None else f"{state.records:,}"
        size = size_words(bytes_in(state.run.root))
        rows.append((state.run.root.name, state.words, state.verdict, records, size))
    if len(rows) == 1:
        print(f"no runs in {folder}; `paracosm run RECIPE` makes one in runs/NAME")
        return
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def show(run: RunFolder) -> None:
    """Show the verdict of a run, its files and the next step."""
    from paracosm.cli.workspace.run_state import RunState, bytes_in, size_words

    state = RunState.of(run)
    print(f"{run}: {state.words}{f', {state.verdict}' if state.verdict else ''}")
    for gate in _open_gates(state):
        print(textwrap.fill(gate, WIDTH, initial_indent="  ", subsequent_indent="    "))
    root = state.run
    files = {
        "synthetic": (root.synthetic, "synthetic records"),
        "report": (root.report, "report, for a browser"),
        "metrics": (root.metrics, "every metric and gate"),
        "card": (root.card, "model card"),
        "recipe": (root.recipe, "recipe as trained"),
        "adapter": (root.adapter, "adapter; treat it like the real records"),
        "splits": (root.splits, "REAL records: train, control, test"),
        "checkpoints": (root.checkpoints, "of the training; `paracosm clean` removes them"),
    }
    for path, what in files.values():
        if path.exists():
            print(f"  {path.relative_to(root.root)!s:<20} {size_words(bytes_in(path)):>7}  {what}")
    print(f"  {'in all':<20} {size_words(bytes_in(root.root)):>7}")
    print(f"next: {state.next_step}")


def report(
    run: RunFolder,
    as_text: Annotated[
        bool, typer.Option("--text", help="Print it here instead of opening the page.")
    ] = False,
) -> None:
    """Open the report of a run in the browser.

    Prints it where there is no browser.
    """
    import webbrowser

    from rich.console import Console

    from paracosm.eval.report.terminal import summary
    from paracosm.eval.results.evaluation_file import read_evaluation
    from paracosm.recipes.run.directory import Run

    found = Run.open(run)
    evaluation = read_evaluation(found.metrics)
    opened = not as_text and _has_browser() and webbrowser.open(found.report.resolve().as_uri())
    if not opened:
        Console().print(summary(evaluation))
    print(f"report  {found.report}")


def clean(
    run: RunFolder,
    attackers: Annotated[
        bool,
        typer.Option("--attackers", help="Also remove the models that attacks trained, which takes hours."),
    ] = False,
) -> None:
    """Remove the training checkpoints of a run.

    Records, adapter, report and card stay.
    """
    from paracosm.cli.workspace.run_state import RunState, bytes_in, size_words
    from paracosm.foundation.errors import RunError
    from paracosm.recipes.run.lock import locked

    state = RunState.of(run)
    if state.stages.get("finetune", {}).get("status") != "done":
        raise RunError(
            f"{run}: its training is not finished and resumes from the checkpoints; `paracosm run {run}` finishes it"
        )
    before = bytes_in(run)
    with locked(run):
        for folder in (state.run.checkpoints, *([state.run.attackers] if attackers else [])):
            if folder.exists():
                shutil.rmtree(folder)
    after = bytes_in(run)
    print(f"freed {size_words(before - after)}; {run} now has {size_words(after)}")


def _has_browser() -> bool:
    """Return whether a page can be shown: on a desktop, not on a server or in a pipe."""
    if not sys.stdout.isatty():
        return False
    return sys.platform == "darwin" or bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _open_gates(state: "RunState") -> list[str]:
    """Return one line per state of the gates that do not pass."""
    if not state.verdict:
        return []
    from paracosm.eval.results.evaluation_file import read_evaluation

    gates = read_evaluation(state.run.metrics).gates
    lines = []
    for word in ("FAIL", "INCONCLUSIVE"):
        names = [gate.gate for gate in gates if gate.state == word]
        if names:
            lines.append(f"{word}: {', '.join(names)}")
    return lines

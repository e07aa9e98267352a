"""The change of every metric against an earlier run or a published version, for `paracosm eval --against`."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paracosm.eval.results.change import Changes
    from paracosm.eval.results.evaluation_file import EvaluationFile

REGISTRY = "registry:"


def evaluation_at(reference: str) -> "EvaluationFile":
    """Return the evaluation of a run, or of a published version.

    Args:
        reference: a run directory, or `registry:NAME@v3`; after `registry:` all that `paracosm registry show` takes.

    Raises:
        RunError: there is no such run, or it was not evaluated.
        RegistryError: there is no such version, or it does not pass the checks.
    """
    from paracosm.eval.results.evaluation_file import read_evaluation
    from paracosm.recipes.run.directory import Run

    if not reference.startswith(REGISTRY):
        return read_evaluation(Run.open(Path(reference)).metrics)
    from paracosm.registry.stores.addresses import address
    from paracosm.registry.verbs import checked

    with checked(address(reference.removeprefix(REGISTRY), url=None), key=None) as version:
        return read_evaluation(version.folder / "metrics.json")


def print_changes(changes: "Changes", reference: str, *, every: bool) -> None:
    """Print the metrics that changed beyond chance, or all of them, and the verdict."""
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from paracosm.eval.measuring.number_format import figure

    shown = [change for change in changes.metrics if every or change.state != "same"]
    if shown:
        table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False)
        for heading in ("metric", "before", "now", "change"):
            table.add_column(heading, justify="left" if heading == "metric" else "right")
        for change in shown:
            values = (figure(each.value, each.unit) for each in (change.before, change.after))
            table.add_row(change.after.name, *values, change.state)
        Console().print(table)
    worse = ", ".join(change.after.name for change in changes.worse)
    words = {
        "FAIL": f"worse beyond chance: {worse}",
        "PASS": f"none of {len(changes.metrics)} metrics is worse beyond chance",
        "INCONCLUSIVE": f"not measured any more: {', '.join(changes.lost)}"
        if changes.metrics
        else "no metric was measured in both",
    }[changes.verdict]
    print(f"against {reference}  {changes.verdict}  {words}")

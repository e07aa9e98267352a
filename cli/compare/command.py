"""`paracosm compare`: one recipe under several strategies."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paracosm.cli.arguments import Overrides, RecipeName

if TYPE_CHECKING:
    from rich.table import Table

    from paracosm.cli.compare.comparison import Comparison


def compare(
    recipe: RecipeName,
    overrides: Overrides = None,
    strategies: Annotated[
        str,
        typer.Option(
            metavar="NAMES",
            help="Strategies with commas between them: forest, copula, marginals, prompt, chain, finetuned.",
        ),
    ] = "forest,copula,marginals,finetuned",
    train_rows: Annotated[
        str,
        typer.Option(
            metavar="NUMBERS",
            help="Also run on fewer training records, such as 50,200,all, with the same control and test records.",
        ),
    ] = "all",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder of the runs and of the comparison; comparisons/NAME by default."
        ),
    ] = None,
) -> None:
    """Run a recipe under several strategies and compare them.

    Every strategy gets the same records and the same evaluation. Stages that are up to date are not repeated.
    """
    from rich.console import Console

    from paracosm.cli.compare.recommendation import RULE
    from paracosm.cli.compare.strategy_names import read_strategies, read_train_rows
    from paracosm.cli.compare.strategy_runs import MARKDOWN, compare_strategies

    names, sizes = read_strategies(strategies), read_train_rows(train_rows)
    comparison, folder = compare_strategies(
        Path(recipe), names, overrides=overrides or [], train_rows=sizes, out=out
    )
    Console().print(_table(comparison))
    if comparison.curve is not None:
        print("\n".join(comparison.curve.sentences))
    for name, reason in comparison.left_out.items():
        print(f"left out: {name}: {reason}")
    print(f"{comparison.recommendation.sentence}\nrule: {RULE}\ncomparison  {folder / MARKDOWN}")


def _table(comparison: "Comparison") -> "Table":
    """Return the comparison as something that rich prints: a row for each quantity, a column for each strategy."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("", no_wrap=True)
    for run in comparison.runs:
        table.add_column(run.strategy, justify="right")
    group = ""
    for row in comparison.rows():
        if group and row.group != group:
            table.add_section()
        group = row.group
        # Intervals stand below their values, so that four strategies fit 80 columns.
        table.add_row(row.title, *(Text(cell.replace(" [", "\n[")) for cell in row.cells))
    return table

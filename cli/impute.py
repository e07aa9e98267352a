"""`paracosm impute`: fill the missing cells of a table by the model of a run or by a fitted method, or score the methods."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paracosm.cli.arguments import Overrides
from paracosm.foundation.progress import indented, to_stderr

if TYPE_CHECKING:
    from paracosm.recipes.run.open_run import OpenRun


class Method(StrEnum):
    """Methods of imputation. An enumeration, because typer does not support lists of literals."""

    MODEL = "model"
    MEAN = "mean"
    MEDIAN = "median"
    MODE = "mode"
    KNN = "knn"
    ITERATIVE = "iterative"
    FOREST = "forest"


def impute(
    folder: Annotated[Path, typer.Argument(metavar="RUN", help="A run.")],
    table: Annotated[
        Path | None,
        typer.Argument(metavar="TABLE", help="Table with missing cells: CSV, JSONL or Parquet."),
    ] = None,
    overrides: Overrides = None,
    method: Annotated[
        list[Method] | None,
        typer.Option(
            "--method",
            help="Method, `model` by default; the others are fitted to the training records. With --score it may be repeated.",
        ),
    ] = None,
    score: Annotated[
        bool,
        typer.Option(
            "--score",
            help="Take out cells of the held-out records, fill them by each method, and print how well.",
        ),
    ] = False,
    share: Annotated[
        float, typer.Option(min=0.01, max=0.9, help="Share of the known cells that --score takes out.")
    ] = 0.2,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FILE", help="File to write; TABLE.imputed.csv by default."),
    ] = None,
    times: Annotated[
        int,
        typer.Option(min=1, max=100, help="Number of completed tables (multiple imputation), by the model."),
    ] = 1,
) -> None:
    """Fill the missing cells of a table.

    Other cells are kept. The method `model` needs an adapter that was trained with finetune.order=shuffled; it draws cells that
    vary as real ones do, and keeps rules. The other methods fill in one best value.
    """
    from paracosm.generate.imputation import impute
    from paracosm.pipeline import require
    from paracosm.recipes.run.open_run import open_run

    overrides = list(overrides or [])
    if score and table is not None and "=" in str(table):
        # Without a table, the first override takes its position.
        overrides, table = [str(table), *overrides], None
    opened = open_run(folder, overrides)
    if score:
        if table is not None:
            raise typer.BadParameter(f"--score takes cells out of the run's own records; leave out {table}")
        _print_scores(opened, [each.value for each in method or Method], share)
        return
    if table is None:
        raise typer.BadParameter("name a TABLE with missing cells, or --score")
    chosen = [each.value for each in method or [Method.MODEL]]
    if len(chosen) > 1:
        raise typer.BadParameter("name one --method; only --score compares several")
    require(opened.run, "generate" if chosen == ["model"] else "finetune")
    written = impute(
        recipe=opened.recipe,
        run=opened.run,
        table=table,
        out=out or table.with_name(f"{table.name.split('.')[0]}.imputed.csv"),
        times=times,
        method=chosen[0],
        root=opened.root,
        progress=indented(to_stderr, 2),
    )
    for path in written:
        print(path)


def _print_scores(opened: "OpenRun", methods: list[str], share: float) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    from paracosm.generate.imputation_score import score_methods
    from paracosm.pipeline import require

    require(opened.run, "finetune")
    if "model" in methods and opened.run.journal.stage("finetune").get("status") == "done":
        # The slowest comes last.
        methods = [*(name for name in methods if name != "model"), "model"]
    scores, left_out = score_methods(
        recipe=opened.recipe,
        run=opened.run,
        methods=methods,
        share=share,
        root=opened.root,
        progress=indented(to_stderr, 2),
    )
    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False)
    for heading in ("method", "categories right", "error of numbers, in sd", "s"):
        table.add_column(heading, justify="left" if heading == "method" else "right")
    for each in scores:
        table.add_row(
            each.method,
            _with_interval(each.right, each.right_interval),
            _with_interval(each.error, each.error_interval),
            f"{each.seconds:.1f}",
        )
    Console().print(table)
    if scores:
        print(
            f"{scores[0].cells:,} cells of control and test taken out, {share:.0%} of those known; 95% intervals"
        )
    for name, reason in left_out.items():
        print(f"left out: {name}: {reason}")


def _with_interval(value: float | None, interval: tuple[float, float] | None) -> str:
    if value is None or interval is None:
        return "-"
    return f"{value:.3f} [{interval[0]:.3f}, {interval[1]:.3f}]"

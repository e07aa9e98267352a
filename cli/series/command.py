"""`paracosm series`: synthetic paths of one long series."""

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from paracosm.foundation.progress import to_stderr

if TYPE_CHECKING:
    from paracosm.eval.sequences.metrics import Measured

SERIES = Path("series")
"""Folder of the paths, below the current one."""


class Method(StrEnum):
    """Methods of series. An enumeration, because typer does not support lists of literals."""

    BOOTSTRAP = "bootstrap"
    STRUCTURAL = "structural"
    REGIME = "regime"


def series(
    source: Annotated[str, typer.Argument(metavar="TABLE", help="Table with one row for each time.")],
    time: Annotated[str, typer.Option(metavar="COLUMN", help="Column of the times: dates or numbers.")],
    columns: Annotated[
        str,
        typer.Option(
            metavar="NAMES", help="Columns with commas between them; all that hold numbers by default."
        ),
    ] = "",
    method: Annotated[
        Method,
        typer.Option(
            help="bootstrap: blocks of the series. regime: states that follow each other. structural: fitted level, trend and season"
            " (extra `series`)."
        ),
    ] = Method.BOOTSTRAP,
    period: Annotated[int, typer.Option(min=1, help="Steps of a season, 12 for months; 1 for none.")] = 1,
    paths: Annotated[int, typer.Option(min=1, help="Number of paths.")] = 20,
    forward: Annotated[
        int,
        typer.Option(min=0, metavar="STEPS", help="Continue the series; 0 draws paths over its own steps."),
    ] = 0,
    scenario: Annotated[
        str,
        typer.Option(
            metavar="CHANGES",
            help="level=5, trend=0.1 (each step), volatility=2, shock=-20%@12 (from step 12 on), with commas between them.",
        ),
    ] = "",
    held_out: Annotated[
        float,
        typer.Option(min=0.05, max=0.5, help="Last share of the series, on which the method is measured."),
    ] = 0.25,
    seed: Annotated[int, typer.Option(help="Seed of the paths.")] = 0,
    out: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Folder to write; series/NAME by default.")
    ] = None,
) -> None:
    """Draw synthetic paths of a long series.

    The method is measured first: fitted to the beginning of the series, and compared with the rest of it. Then it is fitted to the
    whole series, for the paths. Nothing here protects privacy: a path repeats stretches of the series.
    """
    from rich.console import Console

    from paracosm.eval.results.model import json_text
    from paracosm.eval.sequences.metrics import measure_sequences
    from paracosm.eval.sequences.report import series_report
    from paracosm.foundation.errors import DataError
    from paracosm.foundation.files import write_text
    from paracosm.generate.series.paths import as_table
    from paracosm.generate.series.paths import paths as draw
    from paracosm.generate.series.scenario import Scenario
    from paracosm.generate.series.series import read_series
    from paracosm.records.schema.csv_writer import write_csv

    changes = Scenario.read(scenario)
    names = [name.strip() for name in columns.split(",") if name.strip()]
    read, lines = read_series(source, time=time, columns=names)
    for line in lines:
        to_stderr(line)
    cut = round(len(read) * (1 - held_out))
    if period > 1 and cut < 3 * period:
        raise DataError(
            f"--period: {period} steps of a season are too many for the {cut} steps that the method is measured on; at least three seasons"
            " are needed"
        )
    past, later = read.part(0, cut), read.part(cut, len(read))
    kind = method.value
    judged = draw(kind, past, count=paths, period=period, seed=seed)
    measured = measure_sequences(list(judged), past.values, later.values, seed=seed)
    drawn = draw(kind, read, count=paths, period=period, ahead=forward, scenario=changes, seed=seed)
    folder = out or SERIES / Path(source).name.partition(".")[0]
    folder.mkdir(parents=True, exist_ok=True)
    write_csv(as_table(drawn, read, time, ahead=forward), folder / "paths.csv")
    plain = {
        each.metric.name: {
            "value": each.value,
            "interval": [each.low, each.high],
            "ceiling": each.ceiling,
            "floor": each.floor,
        }
        for each in measured
    }
    about = {
        "method": kind,
        "period": period,
        "paths": paths,
        "forward": forward,
        "scenario": scenario,
        "seed": seed,
    }
    write_text(folder / "metrics.json", json_text({"series": about, "metrics": plain}))
    write_text(
        folder / "report.html",
        series_report(
            read, past, list(judged), drawn, measured, title=f"{Path(source).name}: {kind}", ahead=forward
        ),
    )
    Console().print(_table(measured))
    print("brackets: 95% of the paths; later: the real stretch that follows; shuffled: steps in random order")
    print(f"paths   {folder / 'paths.csv'}\nreport  {folder / 'report.html'}")


def _table(measured: "list[Measured]"):  # rich is imported late
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE, show_edge=False, pad_edge=False)
    for heading in ("", "paths", "later", "shuffled"):
        table.add_column(heading, justify="right" if heading else "left")
    for each in measured:
        name = f"{each.metric.name}{' (higher is better)' if each.metric.higher_is_better else ''}"
        interval = f"{each.value:.3f} [{each.low:.3f}, {each.high:.3f}]"
        table.add_row(name, interval, f"{each.ceiling:.3f}", f"{each.floor:.3f}")
    return table

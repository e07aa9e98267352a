"""Evaluate records of any origin: real and synthetic tables in files, from whatever made them."""

from pathlib import Path
from typing import Literal

import pandas as pd

from paracosm.eval.measure import Evaluation, measure
from paracosm.eval.report import report_html
from paracosm.recipes.atomic import write_text
from paracosm.recipes.errors import DataError
from paracosm.recipes.nearest import did_you_mean
from paracosm.recipes.recipe import Data, Evaluate, Release
from paracosm.records.infer import infer
from paracosm.records.sources import read_source
from paracosm.records.typed_table import to_typed


def evaluate_files(
    *,
    train: Path,
    control: Path,
    synthetic: Path,
    test: Path | None = None,
    target: str | None = None,
    out: Path | None = None,
    profile: Literal["internal", "partner", "public"] = "internal",
    settings: Evaluate | None = None,
) -> Evaluation:
    """Measure a synthetic table against the real ones it was made from; every file in any format that a recipe reads.

    Args:
        train: the records that the generator learnt from.
        control: real records that it never saw.
        synthetic: the records to judge; columns that train lacks are ignored.
        test: further real records that it never saw; judges usefulness.
        target: the column that a downstream model would predict.
        out: folder for `metrics.json` and `report.html`; nothing is written without it.
        profile: which gates apply.
        settings: repeats, bootstrap resamples, caps and seed.

    Raises:
        DataError: a file cannot be read, lacks a column of train, or the target is no column.
    """
    paths = {"train": train, "control": control, "test": test, "synthetic": synthetic}
    raw = {name: _read(path) for name, path in paths.items() if path is not None}
    columns = list(raw["train"].columns)
    if target is not None and target not in columns:
        raise DataError(f"{train}: has no column {target!r} (--target){did_you_mean(target, columns)}")
    for name, table in raw.items():
        for column in columns:
            if column not in table.columns:
                near = did_you_mean(column, table.columns)
                raise DataError(f"{paths[name]}: lacks the column {column!r} of {train}{near}")
    together = pd.concat([table[columns].astype(object) for table in raw.values()], ignore_index=True)
    data = Data(source=str(train), target=target)
    inference = infer(together, data)
    typed = to_typed(together, inference.schema)
    starts = dict(zip(raw, _starts(list(raw.values())), strict=True))
    tables = {
        name: typed.iloc[start : start + len(raw[name])].reset_index(drop=True)
        for name, start in starts.items()
    }
    found = measure(
        train=tables["train"],
        control=tables["control"],
        synthetic=tables["synthetic"],
        test=tables.get("test"),
        schema=inference.schema,
        target=target,
        settings=settings,
        release=Release(profile=profile),
        notes=inference.warnings,
    )
    if out is not None:
        write_text(out / "metrics.json", found.to_json())
        write_text(
            out / "report.html", report_html(found.plain(), name=synthetic.name, nearest=found.nearest)
        )
    return found


def _read(path: Path) -> pd.DataFrame:
    return read_source(Data(source=str(path)), root=Path())


def _starts(tables: list[pd.DataFrame]) -> list[int]:
    starts = [0]
    for table in tables[:-1]:
        starts.append(starts[-1] + len(table))
    return starts

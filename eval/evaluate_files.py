"""Evaluate records of any origin: real and synthetic tables in files, from whatever made them."""

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

import pandas as pd

from paracosm.eval.catalogue import anchor_labels
from paracosm.eval.evaluation import Evaluation, compare, rule_on
from paracosm.eval.gates.ruling import check_names
from paracosm.eval.measure import measure
from paracosm.eval.measuring.attack_settings import AttackSettings
from paracosm.eval.report.comparison import comparison_html
from paracosm.eval.report.html import report_html
from paracosm.eval.results.evaluation_file import ComparisonFile
from paracosm.eval.shared_schema import read_synthetic, schema_of_both
from paracosm.foundation.errors import DataError
from paracosm.foundation.files import write_text
from paracosm.foundation.progress import Progress, silent
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.release import Release
from paracosm.records.inference.domains import fit_domains
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import to_typed
from paracosm.records.sources.read_source import read_source

SET = "synthetic "


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
    schema: Path | None = None,
    adapter: Path | None = None,
    attackers: AttackSettings | None = None,
) -> Evaluation:
    """Measure a synthetic table against the real ones it was made from; every file in any format that a recipe reads.

    Args:
        train: the records that the generator learnt from.
        control: real records that it never saw.
        synthetic: the records to judge; columns that train lacks are ignored, identifier columns may be absent.
        test: further real records that it never saw; judges usefulness.
        target: the column that a downstream model would predict.
        out: folder for `metrics.json` and `report.html`; nothing is written without it.
        profile: which gates apply.
        settings: repeats, bootstrap resamples, caps and seed.
        schema: a `schema.json` as runs hold it; inferred when absent, what a column is from the real tables alone.
        adapter: folder of the adapter that made the records, which is then attacked too; its schema applies.
        attackers: with what attacks train adapters of their own, where the settings ask for such attacks.

    Raises:
        DataError: a file cannot be read, lacks a column of train, or the target is no column.
        ModelError: the adapter or its base is not there.
    """
    paths = {"train": train, "control": control, "test": test}
    found = evaluate_sets(
        real={name: path for name, path in paths.items() if path is not None},
        synthetic={synthetic.name: synthetic},
        target=target,
        release=Release(profile=profile),
        settings=settings,
        schema=schema,
        adapter=adapter,
        attackers=attackers,
    )[synthetic.name]
    if out is not None:
        write_evaluation(found, out, synthetic.name)
    return found


def evaluate_sets(
    *,
    real: dict[str, Path],
    synthetic: dict[str, Path],
    target: str | None = None,
    release: Release | None = None,
    settings: Evaluate | None = None,
    schema: Path | None = None,
    adapter: Path | None = None,
    attackers: AttackSettings | None = None,
    progress: Progress = silent,
) -> dict[str, Evaluation]:
    """Measure several synthetic tables against the same real ones; see `evaluate_files`.

    Args:
        real: `train`, `control` and perhaps `test` -> file.
        synthetic: name of a set -> file; each is read by itself, so that none changes what is said of another.
        target: the column that a downstream model would predict.
        release: which gates apply, and limits of one's own.
        settings: repeats, bootstrap resamples, caps and seed.
        schema: a `schema.json`; inferred when absent.
        adapter: folder of the adapter that made the records.
        attackers: with what attacks train adapters of their own, where the settings ask for such attacks.
        progress: takes progress lines.
    """
    check_names(release or Release())
    paths = real | {f"{SET}{name}": path for name, path in synthetic.items()}
    raw = {name: _read(path) for name, path in paths.items()}
    given = _given_schema(schema, adapter)
    columns = list(raw["train"].columns) if given is None else [each.name for each in given]
    if target is not None and target not in columns:
        raise DataError(
            f"{real['train']}: has no column {target!r} (--target){did_you_mean(target, columns)}"
        )
    whose = real["train"] if given is None else schema or f"the adapter in {adapter}"
    for name in real:
        _check_columns(raw[name], columns, paths[name], whose)
    if given is not None:
        for table in raw.values():
            for field in given:
                if field.type == "integer" and field.name in table.columns:
                    # Other generators write whole numbers as floats.
                    table[field.name] = [_whole(cell) for cell in table[field.name]]
    data = Data(source=str(real["train"]), target=target)
    everything = pd.concat([_objects(raw[each], columns) for each in real], ignore_index=True)
    starts = dict(zip(real, _starts([raw[each] for each in real]), strict=True))
    found = {}
    for name in synthetic:
        table, path = raw[f"{SET}{name}"], paths[f"{SET}{name}"]
        if given is None:
            inference = schema_of_both(everything, _objects(table, columns), data)
            known, warnings = inference.schema, inference.warnings
        else:
            known, warnings = given, ()
        _check_columns(table, [each.name for each in known.modelled], path, whose)
        typed = to_typed(everything, known)
        records, notes = read_synthetic(table, known, path.name)
        if settings is not None and "auxiliary" in settings.attacks and given is None:
            # A codec needs domains; those of all tables together favour neither side.
            known = fit_domains(known, pd.concat([typed, records], ignore_index=True), data)
        tables = {
            each: typed.iloc[start : start + len(raw[each])].reset_index(drop=True)
            for each, start in starts.items()
        }
        measurements = measure(
            train=tables["train"],
            control=tables["control"],
            synthetic=records,
            test=tables.get("test"),
            schema=known,
            target=target,
            settings=settings,
            adapter=adapter,
            attackers=attackers,
            notes=[*warnings, *notes],
            progress=progress,
        )
        found[name] = rule_on(measurements, release)
    return found


def _check_columns(table: pd.DataFrame, columns: Sequence[str], path: Path, whose: object) -> None:
    for column in columns:
        if column not in table.columns:
            near = did_you_mean(column, table.columns)
            raise DataError(f"{path}: lacks the column {column!r} of {whose}{near}")


def _objects(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    return table[[each for each in columns if each in table.columns]].astype(object)


def write_evaluation(evaluation: Evaluation, folder: Path, name: str) -> None:
    """Write `metrics.json` and `report.html` into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "metrics.json", evaluation.to_json())
    page = report_html(
        evaluation.file, name=name, nearest=evaluation.measurements.nearest, labels=anchor_labels()
    )
    write_text(folder / "report.html", page)


def write_comparison(evaluations: dict[str, Evaluation], folder: Path) -> ComparisonFile:
    """Write each set into its own sub-folder, and the page that compares them; return what its JSON holds."""
    for name, evaluation in evaluations.items():
        write_evaluation(evaluation, folder / name, name)
    comparison = compare(evaluations)
    page = comparison_html(comparison.sets, {name: f"{quote(name)}/report.html" for name in comparison.sets})
    write_text(folder / "metrics.json", comparison.to_json())
    write_text(folder / "report.html", page)
    return comparison


def named_sets(paths: Sequence[Path]) -> dict[str, Path]:
    """Return synthetic files by name: the file's own without its endings, numbered where two are alike."""
    found: dict[str, Path] = {}
    for path in paths:
        stem = path.name.split(".")[0] or path.name
        name, number = stem, 2
        while name in found:
            name, number = f"{stem}-{number}", number + 1
        found[name] = path
    return found


def _whole(cell: Any) -> Any:
    return re.sub(r"^(-?\d+)\.0+$", r"\1", cell) if isinstance(cell, str) else cell


def _given_schema(schema: Path | None, adapter: Path | None) -> Schema | None:
    source = schema if schema is not None or adapter is None else adapter / "codec.json"
    if source is None:
        return None
    try:
        plain = json.loads(source.read_text(encoding="utf-8"))
        return Schema(Schema.from_json(json.dumps(plain if "fields" in plain else plain["schema"])).modelled)
    except OSError as fault:
        raise DataError(f"{source}: cannot be read: {fault.strerror}") from fault
    except (ValueError, TypeError, KeyError) as fault:
        raise DataError(f"{source}: is no schema as a run's splits/schema.json holds it") from fault


def _read(path: Path) -> pd.DataFrame:
    return read_source(Data(source=str(path)), root=Path())


def _starts(tables: list[pd.DataFrame]) -> list[int]:
    starts = [0]
    for table in tables[:-1]:
        starts.append(starts[-1] + len(table))
    return starts

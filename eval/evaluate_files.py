"""Evaluate files: synthetic tables of any generator against the real tables they were made from."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import accumulate, pairwise
from pathlib import Path
from typing import Literal
from urllib.parse import quote

import pandas as pd

from paracosm.eval.catalogue import anchor_labels
from paracosm.eval.evaluation import Evaluation, compare, rule_on
from paracosm.eval.gates.ruling import check_names
from paracosm.eval.measure_tables import measure
from paracosm.eval.measuring.attack_settings import AttackSettings
from paracosm.eval.report.about import facts_of_tables
from paracosm.eval.report.comparison import comparison_html
from paracosm.eval.report.html import report_html
from paracosm.eval.results.evaluation_file import ComparisonFile
from paracosm.eval.shared_schema import (
    absent_notes,
    divided_at_random,
    infer_shared_schema,
    integer_columns,
    read_synthetic,
    whole_columns,
    write_integers_plainly,
)
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
    """Measure a synthetic table against the real ones it was made from; files in any format that a recipe reads.

    Args:
        train: the records that the generator was trained on.
        control: real records that it was not trained on.
        synthetic: the records to evaluate; columns that train lacks are ignored, identifier columns may be absent.
        test: further real records that it was not trained on; utility is measured on them.
        target: the column that a downstream model would predict.
        out: folder for `metrics.json` and `report.html`; nothing is written without it.
        profile: which gates apply.
        settings: repeats, bootstrap resamples, caps and seed.
        schema: a `schema.json` as a run holds it; inferred when absent, with column types from the real tables alone.
        adapter: folder of the adapter that made the records, which is then attacked too; its schema applies.
        attackers: how attacks train models, where the settings ask for such attacks.

    Raises:
        DataError: a file cannot be read or lacks a column of train, or the target is not a column.
        ModelError: the adapter or its base model is missing.
    """
    paths = {"train": train, "control": control, "test": test}
    evaluation = evaluate_sets(
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
        write_evaluation(evaluation, out, synthetic.name)
    return evaluation


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
        real: `train`, `control` and optionally `test` -> file; or `real` -> file, where nobody knows which records the
            generator has seen. Those are divided at random, and nothing about privacy is measured.
        synthetic: name of a set -> file; the result of a set does not depend on the others.
        target: the column that a downstream model would predict.
        release: which gates apply, and the user's limits.
        settings: repeats, bootstrap resamples, caps and seed.
        schema: a `schema.json`; inferred when absent.
        adapter: folder of the adapter that made the records.
        attackers: how attacks train models, where the settings ask for such attacks.
        progress: takes progress lines.

    Returns:
        Name of a set -> its evaluation.
    """
    check_names(release or Release())
    kept_away = "real" not in real
    tables = {name: _read(path) for name, path in real.items()}
    if not kept_away:
        tables = divided_at_random(tables["real"], (settings or Evaluate()).seed)
        real = dict.fromkeys(tables, real["real"])
    synthetic_tables = {name: _read(path) for name, path in synthetic.items()}
    given = _given_schema(schema, adapter)
    columns = list(tables["train"].columns) if given is None else [field.name for field in given]
    if target is not None and target not in columns:
        raise DataError(
            f"{real['train']}: has no column {target!r} (--target){did_you_mean(target, columns)}"
        )
    source = real["train"] if given is None else schema or f"the adapter in {adapter}"
    for name, table in tables.items():
        _check_columns(table, columns, real[name], source)
    whole = whole_columns(list(tables.values()), columns) if given is None else integer_columns(given)
    for table in (*tables.values(), *synthetic_tables.values()):
        write_integers_plainly(table, whole)
    data = Data(source=str(real["train"]), target=target)
    all_real = pd.concat([_objects(table, columns) for table in tables.values()], ignore_index=True)
    sizes = {name: len(table) for name, table in tables.items()}
    fit_domains_too = settings is not None and "auxiliary" in settings.attacks and given is None
    evaluations = {}
    for name, table in synthetic_tables.items():
        warnings: Sequence[str] = ()
        if given is None:
            inference = infer_shared_schema(all_real, _objects(table, columns), data)
            its_schema, warnings = inference.schema, inference.warnings
        else:
            its_schema = given
        its_schema, absent = _shared(its_schema, table, synthetic[name], source, adapter)
        its_target = None if target in absent else target
        typed = to_typed(all_real, its_schema)
        records, notes = read_synthetic(table, its_schema, synthetic[name].name, all_real)
        if fit_domains_too:
            # A codec needs domains; those of all tables together favour no side.
            its_schema = fit_domains(its_schema, pd.concat([typed, records], ignore_index=True), data)
        splits = _divided(typed, sizes)
        measurements = measure(
            train=splits["train"],
            control=splits["control"],
            synthetic=records,
            test=splits.get("test"),
            schema=its_schema,
            target=its_target,
            settings=settings,
            adapter=adapter,
            kept_away=kept_away,
            attackers=attackers,
            notes=[*absent_notes(absent, target, synthetic[name].name), *warnings, *notes],
            progress=progress,
        )
        evaluations[name] = rule_on(replace(measurements, absent_columns=absent), release)
    return evaluations


def write_evaluation(evaluation: Evaluation, folder: Path, name: str) -> None:
    """Write `metrics.json` and `report.html` of one evaluation into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    write_text(folder / "metrics.json", evaluation.to_json())
    page = report_html(
        evaluation.file,
        name=name,
        facts=facts_of_tables(name),
        nearest=evaluation.measurements.nearest,
        labels=anchor_labels(),
    )
    write_text(folder / "report.html", page)


def write_comparison(evaluations: dict[str, Evaluation], folder: Path) -> ComparisonFile:
    """Write each evaluation into a subfolder, and a page and a `metrics.json` that compare them.

    Returns:
        The content of the `metrics.json` that compares them.
    """
    for name, evaluation in evaluations.items():
        write_evaluation(evaluation, folder / name, name)
    comparison = compare(evaluations)
    page = comparison_html(comparison.sets, {name: f"{quote(name)}/report.html" for name in comparison.sets})
    write_text(folder / "metrics.json", comparison.to_json())
    write_text(folder / "report.html", page)
    return comparison


def named_sets(paths: Sequence[Path]) -> dict[str, Path]:
    """Return synthetic files by name: the file name without its endings, numbered where it occurs again."""
    sets: dict[str, Path] = {}
    for path in paths:
        stem = path.name.split(".")[0] or path.name
        name, number = stem, 2
        while name in sets:
            name, number = f"{stem}-{number}", number + 1
        sets[name] = path
    return sets


def _shared(
    schema: Schema, table: pd.DataFrame, path: Path, source: object, adapter: Path | None
) -> tuple[Schema, list[str]]:
    """Return the fields that a synthetic table has, and the names of those that it lacks.

    A column under a similar name is refused instead, because renaming it is better than leaving it out. So is any missing column
    where an adapter is attacked, which reads whole records.
    """
    names = [field.name for field in schema.modelled]
    absent = [name for name in names if name not in table.columns]
    others = [column for column in table.columns if column not in schema.names]
    for name in absent:
        if adapter is not None or did_you_mean(name, others) or len(absent) == len(names):
            raise DataError(f"{path}: lacks the column {name!r} of {source}{did_you_mean(name, others)}")
    return Schema(tuple(field for field in schema if field.name not in absent)), absent


def _check_columns(table: pd.DataFrame, columns: Sequence[str], path: Path, source: object) -> None:
    for column in columns:
        if column not in table.columns:
            suggestion = did_you_mean(column, table.columns)
            raise DataError(f"{path}: lacks the column {column!r} of {source}{suggestion}")


def _objects(table: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    return table[[column for column in columns if column in table.columns]].astype(object)


def _divided(table: pd.DataFrame, sizes: Mapping[str, int]) -> dict[str, pd.DataFrame]:
    """Return consecutive parts of a table by name."""
    ends = pairwise(accumulate(sizes.values(), initial=0))
    return {
        name: table.iloc[start:end].reset_index(drop=True)
        for name, (start, end) in zip(sizes, ends, strict=True)
    }


def _given_schema(schema: Path | None, adapter: Path | None) -> Schema | None:
    """Return the modelled fields of the given schema, or of the adapter's codec; None where neither is given."""
    source = schema if schema is not None or adapter is None else adapter / "codec.json"
    if source is None:
        return None
    try:
        plain = json.loads(source.read_text(encoding="utf-8"))
        return Schema(Schema.from_json(json.dumps(plain if "fields" in plain else plain["schema"])).modelled)
    except OSError as error:
        raise DataError(f"{source}: cannot be read: {error.strerror}") from error
    except (ValueError, TypeError, KeyError) as error:
        raise DataError(f"{source}: is not a schema as a run's splits/schema.json holds it") from error


def _read(path: Path) -> pd.DataFrame:
    return read_source(Data(source=str(path)), root=Path())

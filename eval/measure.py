"""Measure synthetic records against real ones: every metric between its anchors, every gate, one verdict."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paracosm.eval.catalogue import MEASURES
from paracosm.eval.evaluation import Evaluation
from paracosm.eval.gates.ruling import check_names, rule, verdict
from paracosm.eval.measuring.attack_settings import AttackSettings
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.dp_claim import Claim, with_claim
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import ANCHORS, FEWEST_ROWS, Anchor, Estimate, Obstacle, Result
from paracosm.eval.notes import notes_on
from paracosm.eval.parallel import run_measures
from paracosm.eval.report.histograms import distributions
from paracosm.foundation.errors import DataError
from paracosm.foundation.progress import Progress, silent
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.release import Release
from paracosm.records.schema.schema import Schema


def measure(
    *,
    train: pd.DataFrame,
    control: pd.DataFrame,
    synthetic: pd.DataFrame,
    schema: Schema,
    test: pd.DataFrame | None = None,
    target: str | None = None,
    settings: Evaluate | None = None,
    release: Release | None = None,
    subject: str | None = None,
    adapter: Path | None = None,
    canaries: Path | None = None,
    claim: Claim | None = None,
    attackers: AttackSettings | None = None,
    further: Sequence[pd.DataFrame] = (),
    history: Sequence[dict[str, Any]] | None = None,
    notes: Sequence[str] = (),
    progress: Progress = silent,
) -> Evaluation:
    """Measure synthetic records against real ones.

    Args:
        train: typed table of the records that the generator learnt from.
        control: real records that it never saw; the reference of every leakage metric.
        synthetic: the records to judge.
        schema: the fields; identifiers are left out of every metric.
        test: further real records that it never saw; judges usefulness.
        target: the field that a downstream model would predict.
        settings: repeats, bootstrap resamples, caps and seed.
        release: the profile of gates, and limits other than the profile's.
        subject: the identifier field that names whom a record is about; a row is its own subject when absent.
        adapter: folder of the adapter that made the records; it is attacked too.
        canaries: table of records that were planted in train by coin flips, with a column that says which went in.
        claim: what a private training states to have spent, which the planted records must not disprove.
        attackers: with what attacks train adapters of their own, where the settings ask for such attacks.
        further: other sets of synthetic records of the same generator: their spread widens the intervals of usefulness.
        history: loss per evaluation of the training run, drawn in the report.
        notes: what else the reader must know, put before the notes of the measurement.
        progress: takes progress lines.

    Raises:
        DataError: a table lacks a column or has no rows, or the target is no field.
        RecipeError: `release` names an unknown gate.
    """
    settings, release = settings or Evaluate(), with_claim(release or Release(), claim)
    check_names(release)
    tables = {"train": train, "control": control, "test": test, "synthetic": synthetic}
    context, synthetic = _context(tables, schema, target, settings)
    context = replace(
        context,
        subjects=_subjects(tables, subject),
        identifiers=_identifiers(tables, schema),
        adapter=adapter,
        canaries=canaries,
        claim=claim,
        attackers=attackers,
        further=further,
        untrained=_untrained(context, adapter, settings, progress),
    )
    results, missing = measure_all(context, synthetic, progress=progress)
    rulings = rule(results, missing, release)
    return Evaluation(
        results=results,
        missing=missing,
        gates=rulings,
        verdict=verdict(rulings),
        profile=release.profile,
        sizes={name: len(table) for name, table in tables.items() if table is not None},
        notes=[*notes, *notes_on(context, synthetic)],
        distributions=distributions(context.fields, train, synthetic),
        record_map=_map(context, synthetic),
        history=list(history or []),
        nearest=_nearest(context, synthetic) if settings.show_nearest else [],
    )


def measure_all(
    context: Context,
    synthetic: pd.DataFrame,
    measures: Sequence[Measure] = MEASURES,
    progress: Progress = silent,
) -> tuple[list[Result], dict[str, Obstacle]]:
    """Return the result of every metric that these tables allow, and the obstacle to every other."""
    obstacles = [each.obstacle(context) for each in measures]
    open_to = [each for each, obstacle in zip(measures, obstacles, strict=True) if obstacle is None]
    measured_ones = iter(run_measures(context, synthetic, open_to, progress))
    results: list[Result] = []
    missing: dict[str, Obstacle] = {}
    for each, obstacle in zip(measures, obstacles, strict=True):
        found = {} if obstacle is not None else next(measured_ones)
        for metric in each.metrics:
            estimates: dict[Anchor, Estimate] = {
                name: found[name][metric.name] for name in ANCHORS if metric.name in found.get(name, {})
            }
            if "synthetic" in estimates:
                results.append(Result(metric, estimates))
            else:
                missing[metric.name] = obstacle or each.absent
    return results, missing


def _context(
    tables: dict[str, pd.DataFrame | None], schema: Schema, target: str | None, settings: Evaluate
) -> tuple[Context, pd.DataFrame]:
    names = [each.name for each in schema.modelled]
    if target is not None and target not in names:
        raise DataError(f"target {target!r} is no column that is measured{did_you_mean(target, names)}")
    kept: dict[str, pd.DataFrame] = {}
    for name, table in tables.items():
        if table is None:
            continue
        absent = [column for column in names if column not in table.columns]
        if absent:
            raise DataError(
                f"{name}: column {absent[0]!r} is missing{did_you_mean(absent[0], table.columns)}"
            )
        if not len(table) and name != "test":
            raise DataError(f"{name}: has no rows; there is nothing to measure")
        if name == "train" and len(table) < FEWEST_ROWS:
            raise DataError(
                f"train: has {len(table)} records; at least {FEWEST_ROWS} are needed to measure anything"
            )
        kept[name] = table[names].reset_index(drop=True)
    test = kept.get("test")
    if test is not None and len(test) < FEWEST_ROWS:
        test = None
    held_out = len(kept["control"]) + (0 if test is None else len(test))
    size = min(held_out, len(kept["synthetic"]), settings.max_rows)
    context = Context(schema, kept["train"], kept["control"], test, target, settings, size)
    return context, kept["synthetic"]


def _subjects(tables: dict[str, pd.DataFrame | None], subject: str | None) -> dict[str, np.ndarray]:
    """Return whom each real record is about, as numbers that mean the same in every split."""
    real = {name: table for name, table in tables.items() if table is not None and name != "synthetic"}
    if subject is None or any(subject not in table.columns for table in real.values()):
        return {}
    codes, _ = pd.factorize(pd.concat([table[subject].astype("string") for table in real.values()]))
    ends = np.cumsum([len(table) for table in real.values()])
    return dict(zip(real, np.split(codes, ends[:-1]), strict=True))


def _identifiers(tables: dict[str, pd.DataFrame | None], schema: Schema) -> dict[str, list[frozenset[str]]]:
    """Return the cells of identifier columns, record by record."""
    found: dict[str, list[frozenset[str]]] = {}
    for name, table in tables.items():
        if table is None:
            continue
        present = [each.name for each in schema if not each.modelled and each.name in table.columns]
        rows = table[present].astype("string").itertuples(index=False)
        found[name] = [frozenset(cell for cell in row if not pd.isna(cell)) for row in rows]
    return found


def _untrained(
    context: Context, adapter: Path | None, settings: Evaluate, progress: Progress
) -> pd.DataFrame | None:
    if settings.floor != "base" or adapter is None or all(each.type != "text" for each in context.fields):
        return None
    from paracosm.eval.extra_samples import base_records
    from paracosm.eval.representations.texts import MOST_EMBEDDED

    rows = min(context.size, MOST_EMBEDDED)
    progress(f"sampling {rows:,} records of the base model without its adapter, the floor of the texts")
    return base_records(adapter, rows, settings.seed)


def _map(context: Context, synthetic: pd.DataFrame) -> dict[str, Any]:
    from paracosm.eval.report.record_map import record_map

    return record_map(context, synthetic)


def _nearest(context: Context, synthetic: pd.DataFrame) -> list[dict[str, Any]]:
    from paracosm.eval.report.nearest_pairs import nearest_pairs

    return nearest_pairs(context, synthetic)

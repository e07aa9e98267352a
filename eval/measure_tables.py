"""Measure synthetic records against real ones: every metric on the synthetic records and on its anchors."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd

from paracosm.eval.catalogue import MEASURES
from paracosm.eval.measurements import Measurements
from paracosm.eval.measuring.attack_settings import AttackSettings
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.dp_claim import Claim
from paracosm.eval.measuring.measure import NO_CONTROL, Measure
from paracosm.eval.measuring.metric import ANCHORS, FEWEST_ROWS, Anchor, Estimate, Obstacle, Result
from paracosm.eval.notes import notes_on
from paracosm.eval.parallel import run_measures
from paracosm.eval.report.aggregates.correlations import correlations
from paracosm.eval.report.aggregates.histograms import distributions
from paracosm.eval.report.aggregates.nearest_distances import nearest_distances
from paracosm.eval.results.finished_measures import MeasureStore
from paracosm.eval.results.report_data import NearestPair, RecordMap
from paracosm.foundation.errors import DataError
from paracosm.foundation.progress import Progress, silent
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Schema

NOT_KEPT_AWAY = Obstacle(
    "a leak cannot be told from chance without real records that were kept away from the generator; `paracosm split` keeps some away"
)


def measure(
    *,
    train: pd.DataFrame,
    control: pd.DataFrame,
    synthetic: pd.DataFrame,
    schema: Schema,
    test: pd.DataFrame | None = None,
    target: str | None = None,
    settings: Evaluate | None = None,
    subject: str | None = None,
    adapter: Path | None = None,
    statistics: Path | None = None,
    canaries: Path | None = None,
    kept_away: bool = True,
    claim: Claim | None = None,
    attackers: AttackSettings | None = None,
    further: Sequence[pd.DataFrame] = (),
    notes: Sequence[str] = (),
    store: MeasureStore | None = None,
    progress: Progress = silent,
) -> Measurements:
    """Measure synthetic records against real ones: every metric on them and on its anchors, without gates.

    Args:
        train: typed table of the records that the generator was trained on.
        control: real records that were not trained on; the reference of every leakage metric.
        synthetic: the records to measure.
        schema: the fields; identifiers are left out of every metric but their own replay.
        test: further real records that were not trained on; utility is measured on them.
        target: the field that a downstream model would predict.
        settings: repeats, bootstrap resamples, limits on rows, and seed.
        subject: the identifier field of the person a record is about; without it every row is its own subject.
        adapter: folder of the adapter that made the records; it is attacked too.
        statistics: folder of the fitted statistics that made them, likewise.
        canaries: table of the canaries, with a column that says which of them were trained on.
        kept_away: whether the generator is known not to have seen control and test; otherwise nothing about privacy is measured.
        claim: the epsilon and delta that a private training states; the audit compares canaries with it.
        attackers: settings for attacks that train models, where `settings` names such attacks.
        further: other sets of synthetic records of the same generator; their spread widens the intervals of utility.
        notes: what the reader must know, listed before the notes of the measurement.
        store: keeps each finished measure, so that an evaluation that was killed goes on from them.
        progress: takes progress lines.

    Raises:
        DataError: a table lacks a column or has no rows, or the target is not a measured field.
    """
    settings = settings or Evaluate()
    tables = {"train": train, "control": control, "test": test, "synthetic": synthetic}
    context, synthetic = _context(tables, schema, target, settings)
    context = replace(
        context,
        subjects=_subjects(tables, subject),
        synthetic_subjects=(
            None
            if subject is None or subject not in tables["synthetic"].columns
            else pd.factorize(tables["synthetic"][subject].astype("string"), use_na_sentinel=False)[0]
        ),
        identifiers=_identifiers(tables, schema),
        adapter=adapter,
        statistics=statistics,
        canaries=canaries,
        kept_away=kept_away,
        claim=claim,
        attackers=attackers,
        further=further,
        untrained=_untrained(context, adapter, settings, progress),
    )
    results, missing = measure_all(context, synthetic, progress=progress, store=store)
    return Measurements(
        results=results,
        missing=missing,
        sizes={name: len(table) for name, table in tables.items() if table is not None},
        notes=[*notes, *notes_on(context, synthetic)],
        distributions=distributions(context.fields, train, synthetic),
        record_map=_map(context, synthetic),
        correlations=correlations(context.fields, context.train, synthetic, settings.seed),
        distances=None if context.held_out.empty else nearest_distances(context, synthetic),
        nearest=_nearest(context, synthetic) if settings.show_nearest else [],
    )


def measure_all(
    context: Context,
    synthetic: pd.DataFrame,
    measures: Sequence[Measure] = MEASURES,
    progress: Progress = silent,
    store: MeasureStore | None = None,
) -> tuple[list[Result], dict[str, Obstacle]]:
    """Return the result of every metric that these tables allow, and the obstacle to every other one."""
    obstacles = [_obstacle(measure, context) for measure in measures]
    allowed = [measure for measure, obstacle in zip(measures, obstacles, strict=True) if obstacle is None]
    estimates_of_allowed = iter(run_measures(context, synthetic, allowed, progress, store))
    results: list[Result] = []
    missing: dict[str, Obstacle] = {}
    for measure, obstacle in zip(measures, obstacles, strict=True):
        by_anchor = {} if obstacle is not None else next(estimates_of_allowed)
        for metric in measure.metrics:
            estimates: dict[Anchor, Estimate] = {
                anchor: by_anchor[anchor][metric.name]
                for anchor in ANCHORS
                if metric.name in by_anchor.get(anchor, {})
            }
            if "synthetic" in estimates:
                results.append(Result(metric, estimates))
            else:
                missing[metric.name] = obstacle or measure.absent
    return results, missing


def _obstacle(measure: Measure, context: Context) -> Obstacle | None:
    """Return why a measure cannot be computed here, or None."""
    own = measure.obstacle(context)
    about_privacy = measure.metrics[0].section == "privacy"
    if about_privacy and not context.kept_away and (own is None or own.curable):
        return NOT_KEPT_AWAY
    if about_privacy and context.control.empty and (own is None or own.curable):
        return NO_CONTROL
    return own


def _context(
    tables: dict[str, pd.DataFrame | None], schema: Schema, target: str | None, settings: Evaluate
) -> tuple[Context, pd.DataFrame]:
    names = [field.name for field in schema.modelled]
    if target is not None and target not in names:
        raise DataError(f"target {target!r} is not a measured column{did_you_mean(target, names)}")
    modelled: dict[str, pd.DataFrame] = {}
    for name, table in tables.items():
        if table is None:
            continue
        absent = [column for column in names if column not in table.columns]
        if absent:
            raise DataError(
                f"{name}: column {absent[0]!r} is missing{did_you_mean(absent[0], table.columns)}"
            )
        if not len(table) and name not in ("control", "test"):
            raise DataError(f"{name}: has no rows; there is nothing to measure")
        if name == "train" and len(table) < FEWEST_ROWS:
            raise DataError(
                f"train: has {len(table)} records; at least {FEWEST_ROWS} are needed to measure anything"
            )
        modelled[name] = table[names].reset_index(drop=True)
    test = modelled.get("test")
    if test is not None and len(test) < FEWEST_ROWS:
        test = None
    held_out = len(modelled["control"]) + (0 if test is None else len(test))
    size = min(held_out, len(modelled["synthetic"]), settings.max_rows)
    context = Context(schema, modelled["train"], modelled["control"], test, target, settings, size)
    return context, modelled["synthetic"]


def _subjects(tables: dict[str, pd.DataFrame | None], subject: str | None) -> dict[str, np.ndarray]:
    """Return the subject of each real record as a number, the same number in every split; empty without subjects."""
    real = {name: table for name, table in tables.items() if table is not None and name != "synthetic"}
    if subject is None or any(subject not in table.columns for table in real.values()):
        return {}
    codes, _ = pd.factorize(pd.concat([table[subject].astype("string") for table in real.values()]))
    ends = np.cumsum([len(table) for table in real.values()])
    return dict(zip(real, np.split(codes, ends[:-1]), strict=True))


def _identifiers(tables: dict[str, pd.DataFrame | None], schema: Schema) -> dict[str, list[frozenset[str]]]:
    """Return the cells of the identifier columns of each record, by split."""
    identifiers: dict[str, list[frozenset[str]]] = {}
    for name, table in tables.items():
        if table is None:
            continue
        fields = [field for field in schema if not field.modelled and field.name in table.columns]
        # A given or a family name alone is shared by many people, and lists of invented ones repeat: together they identify.
        parts = [field.name for field in fields if field.personal in ("name.given", "name.family")]
        columns = [field.name for field in fields if field.name not in parts]
        cells = table[columns].astype("string").assign(**_joined_names(table, parts))
        identifiers[name] = [
            frozenset(cell for cell in row if not pd.isna(cell)) for row in cells.itertuples(index=False)
        ]
    return identifiers


def _joined_names(table: pd.DataFrame, parts: Sequence[str]) -> dict[str, pd.Series]:
    """Return one column with the given and family names of each record, or none where there is one part only."""
    if len(parts) < 2:
        return {}
    joined = table[parts[0]].astype("string")
    for part in parts[1:]:
        joined = joined + " " + table[part].astype("string")
    return {"names of one record": joined}


def _untrained(
    context: Context, adapter: Path | None, settings: Evaluate, progress: Progress
) -> pd.DataFrame | None:
    """Return records of the base model without the adapter, where `eval.floor` asks for them and there are texts."""
    if settings.floor != "base" or adapter is None or not any(field.is_text for field in context.fields):
        return None
    from paracosm.eval.extra_samples import base_records
    from paracosm.eval.representations.texts import MOST_EMBEDDED

    rows = min(context.size, MOST_EMBEDDED)
    progress(f"sampling {rows:,} records of the base model without its adapter, the floor of the texts")
    return base_records(adapter, rows, settings.seed)


def _map(context: Context, synthetic: pd.DataFrame) -> RecordMap:
    from paracosm.eval.report.aggregates.record_map import record_map

    return record_map(context, synthetic)


def _nearest(context: Context, synthetic: pd.DataFrame) -> list[NearestPair]:
    from paracosm.eval.report.aggregates.nearest_pairs import nearest_pairs

    return nearest_pairs(context, synthetic)

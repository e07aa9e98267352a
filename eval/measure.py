"""Measure synthetic records against real ones: every metric between its anchors, every gate, one verdict."""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paracosm.eval.catalogue import MEASURES, metrics
from paracosm.eval.context import Context
from paracosm.eval.distributions import Distribution, distributions
from paracosm.eval.gates import Ruling, Verdict, check_names, rule, verdict
from paracosm.eval.jobs import Say, measured, quiet
from paracosm.eval.measurement import Measure
from paracosm.eval.metric import ANCHORS, FEWEST_ROWS, Anchor, Estimate, Metric, Obstacle, Result
from paracosm.eval.stage import evaluate
from paracosm.eval.trained_attackers import Attackers
from paracosm.recipes.errors import DataError
from paracosm.recipes.nearest import did_you_mean
from paracosm.recipes.recipe import Evaluate, Release
from paracosm.records.schema import Schema

__all__ = ["Evaluation", "evaluate", "measure", "measure_all"]

SCHEMA_VERSION = 1
DECIMALS = 6


@dataclass(frozen=True)
class Evaluation:
    """What was measured, and what follows from it."""

    results: list[Result]
    missing: dict[str, Obstacle]
    """Metrics that were not measured, and why."""
    gates: list[Ruling]
    verdict: Verdict
    profile: str
    sizes: dict[str, int]
    notes: list[str]
    distributions: list[Distribution] = field(default_factory=list)
    record_map: dict[str, Any] = field(default_factory=dict)
    """Where training and synthetic records lie on a plane; see `record_map`."""
    history: list[dict[str, Any]] = field(default_factory=list)
    """Loss per evaluation of the training run, when there was one."""
    nearest: list[dict[str, Any]] = field(default_factory=list)
    """Synthetic records beside their nearest training records; only with `show_nearest`."""

    def result(self, name: str) -> Result | None:
        """Return the result of the metric of that name."""
        return next((each for each in self.results if each.metric.name == name), None)

    def plain(self) -> dict[str, Any]:
        """Return what `metrics.json` holds. Neither records nor times are among it."""
        return {
            "schema_version": SCHEMA_VERSION,
            "verdict": self.verdict,
            "profile": self.profile,
            "sizes": self.sizes,
            "metrics": [self._plain_metric(each) for each in metrics()],
            "gates": [_rounded(each.plain()) for each in self.gates if each.rules],
            "not_ruling": [_rounded(each.plain()) for each in self.gates if not each.rules],
            "notes": self.notes,
            "distributions": [_rounded(each.plain()) for each in self.distributions],
            "map": _rounded(self.record_map),
        }

    def to_json(self) -> str:
        """Return the evaluation as JSON; the same measurement gives the same bytes."""
        return json.dumps(self.plain(), indent=1, ensure_ascii=False, allow_nan=False) + "\n"

    def _plain_metric(self, metric: Metric) -> dict[str, Any]:
        result = self.result(metric.name)
        described = {
            "name": metric.name,
            "title": metric.title,
            "group": metric.section,
            "goal": metric.goal if metric.target is None else f"{metric.goal} {metric.target:g}",
            "range": [bound if math.isfinite(bound) else None for bound in metric.range],
            "unit": metric.unit,
            "source": metric.source,
            "what": metric.what,
        }
        if result is None:
            return described | {"value": None, "reason_not_measured": self.missing[metric.name].reason}
        return described | _plain_result(result)


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
    attackers: Attackers | None = None,
    history: Sequence[dict[str, Any]] | None = None,
    notes: Sequence[str] = (),
    say: Say = quiet,
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
        attackers: with what attacks train adapters of their own, where the settings ask for such attacks.
        history: loss per evaluation of the training run, drawn in the report.
        notes: what else the reader must know, put before the notes of the measurement.
        say: takes progress lines.

    Raises:
        DataError: a table lacks a column or has no rows, or the target is no field.
        RecipeError: `release` names an unknown gate.
    """
    settings, release = settings or Evaluate(), release or Release()
    check_names(release)
    tables = {"train": train, "control": control, "test": test, "synthetic": synthetic}
    context, synthetic = _context(tables, schema, target, settings)
    context = replace(
        context,
        subjects=_subjects(tables, subject),
        identifiers=_identifiers(tables, schema),
        adapter=adapter,
        canaries=canaries,
        attackers=attackers,
    )
    results, missing = measure_all(context, synthetic, say=say)
    rulings = rule(results, missing, release)
    return Evaluation(
        results=results,
        missing=missing,
        gates=rulings,
        verdict=verdict(rulings),
        profile=release.profile,
        sizes={name: len(table) for name, table in tables.items() if table is not None},
        notes=[*notes, *_notes(context, synthetic)],
        distributions=distributions(context.fields, train, synthetic),
        record_map=_map(context, synthetic),
        history=list(history or []),
        nearest=_nearest(context, synthetic) if settings.show_nearest else [],
    )


def measure_all(
    context: Context, synthetic: pd.DataFrame, measures: Sequence[Measure] = MEASURES, say: Say = quiet
) -> tuple[list[Result], dict[str, Obstacle]]:
    """Return the result of every metric that these tables allow, and the obstacle to every other."""
    obstacles = [each.obstacle(context) for each in measures]
    open_to = [each for each, obstacle in zip(measures, obstacles, strict=True) if obstacle is None]
    measured_ones = iter(measured(context, synthetic, open_to, say))
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
        if table is None or name == "synthetic":
            continue
        present = [each.name for each in schema if not each.modelled and each.name in table.columns]
        rows = table[present].astype("string").itertuples(index=False)
        found[name] = [frozenset(cell for cell in row if not pd.isna(cell)) for row in rows]
    return found


def _notes(context: Context, synthetic: pd.DataFrame) -> list[str]:
    notes = [*_cuts(context)]
    notes += [
        f"Fidelity compares {context.size:,} records at a time, so that synthetic records and the "
        f"{len(context.held_out):,} real records that never trained are measured alike; averaged over "
        f"{context.settings.repeats} draws."
    ]
    if len(context.train) > context.settings.max_rows:
        notes.append(
            f"Fidelity uses {context.settings.max_rows:,} random rows of the {len(context.train):,} training records."
        )
    if context.test is None:
        notes.append(
            "There is no test split of at least 10 records: the leakage ceiling is one half of control measured against the other."
        )
    if len(synthetic) < len(context.train):
        notes.append(
            f"There are fewer synthetic ({len(synthetic):,}) than training records ({len(context.train):,})."
        )
    return notes


def _cuts(context: Context) -> list[str]:
    """Return what is drawn at random because there is more of it than is looked at."""
    from paracosm.eval.data_membership import MOST_TARGETS
    from paracosm.eval.privacy_risks import MOST_TARGETS as MOST_AT_RISK

    notes = []
    for name, table in (("train", context.train), ("control", context.control)):
        if len(table) > MOST_AT_RISK:
            notes.append(
                f"Of {len(table):,} {name} records, {min(len(table), MOST_TARGETS):,} are attacked for membership and "
                f"{MOST_AT_RISK:,} for linkability and inference; the synthetic side is never cut."
            )
    if context.adapter is not None and len(context.train) > context.settings.attacked_records:
        notes.append(
            f"The adapter is attacked on {context.settings.attacked_records:,} of {len(context.train):,} training records."
        )
    if any(each.type == "text" for each in context.fields) and context.size > 1000:
        notes.append(
            "At most 2,000 texts of each side are compared by their words, and 1,000 by their meaning."
        )
    return notes


def _map(context: Context, synthetic: pd.DataFrame) -> dict[str, Any]:
    from paracosm.eval.record_map import record_map

    return record_map(context, synthetic)


def _nearest(context: Context, synthetic: pd.DataFrame) -> list[dict[str, Any]]:
    from paracosm.eval.nearest_pairs import nearest_pairs

    return nearest_pairs(context, synthetic)


def _plain_result(result: Result) -> dict[str, Any]:
    ours, normalised = result.synthetic, result.normalised
    plain = {
        "value": ours.value,
        "interval": [ours.low, ours.high],
        **{name: each.value for name, each in result.estimates.items() if name != "synthetic"},
        "normalised": None if normalised is None else normalised.value,
        "zero": result.metric.zero,
        "reading": result.reading,
        "closer_than_real": result.closer_than_real,
        "reason_not_measured": None,
        "facts": ours.facts,
        "breakdown": ours.breakdown,
        "curves": ours.curves,
        "anchors": {
            name: {
                "value": each.value,
                "interval": [each.low, each.high],
                "breakdown": each.breakdown,
                "curves": each.curves,
            }
            for name, each in result.estimates.items()
            if name != "synthetic"
        },
    }
    return _rounded(plain)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DECIMALS) + 0.0
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(each) for each in value]
    # Counts come out of numpy as its own integers, which JSON does not know.
    return int(value) if isinstance(value, np.integer) else value

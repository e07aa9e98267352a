"""The `eval` stage of a run: measures splits and synthetic records, rules on the gates, writes metrics.json and report.html.

Measuring is a stage within it, `measure`, with its own entry in `run.json`. Its inputs do not contain the release section:
another profile or another limit is ruled on the measurements that are there, and nothing is measured. A limit that another version
of Paracosm changed is ruled in the same way. Each finished measure is kept until all of them are, so that an evaluation that was
killed goes on from there.
"""

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd

from paracosm.foundation.digests import file_digest, folder_digest
from paracosm.foundation.errors import RunError
from paracosm.foundation.files import write_text
from paracosm.foundation.progress import Progress, silent
from paracosm.generate.settings import as_generated
from paracosm.generate.statistics.stored_chain import SETTINGS as STATISTICS
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import SPLITS, Run
from paracosm.recipes.run.stage import check_unchanged, run_stage
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Schema


def evaluate(*, recipe: Recipe, run: Run, root: Path | None = None, progress: Progress = silent) -> bool:
    """Run the `eval` stage unless it is up to date; return whether it ran.

    Args:
        recipe: what to measure, and which gates apply.
        run: a run whose `generate` stage is done.
        root: not read; the verbs share one signature.
        progress: takes progress lines.

    Raises:
        RunError: the run has no splits or no synthetic records yet.
        RecipeError: the recipe limits a gate that does not exist.
    """
    return run_stage(_Evaluate(), recipe=as_generated(recipe, run), run=run, progress=progress)


class _Evaluate:
    """The `eval` stage: rules on the measurements."""

    name = "eval"

    def inputs(self, recipe: Recipe, run: Run) -> dict[str, Any]:
        from paracosm.eval.gates.catalogue import gates_digest
        from paracosm.eval.gates.ruling import check_names

        check_names(recipe.release)
        return {
            **measuring_inputs(recipe, run),
            "history": file_digest(run.history) if run.history.is_file() else None,
            "release": recipe.release.model_dump(mode="json"),
            "gates": gates_digest(),
        }

    def check(self, recipe: Recipe, run: Run, progress: Progress) -> None:
        pass

    def work(self, recipe: Recipe, run: Run, progress: Progress) -> dict[str, Any]:
        from paracosm.eval.catalogue import anchor_labels
        from paracosm.eval.evaluation import rule_on
        from paracosm.eval.gates.making import Making
        from paracosm.eval.measurements import read_measurements
        from paracosm.eval.measuring.dp_claim import claim_of
        from paracosm.eval.report.about import about_run
        from paracosm.eval.report.html import report_html

        run_stage(_Measure(), recipe=recipe, run=run, progress=progress)
        claim = claim_of(run)
        trained = run.journal.stage("finetune").get("facts", {})
        evaluation = rule_on(
            read_measurements(run.measurements), recipe.release, claim, Making.of(recipe, trained)
        )
        write_text(run.metrics, evaluation.to_json())
        about = about_run(recipe, run)
        page = report_html(
            evaluation.file,
            name=about.title,
            facts=about.facts,
            history=_history(run.history),
            nearest=evaluation.measurements.nearest,
            claim=claim,
            minutes=trained.get("stopped", {}).get("minutes"),
            labels=anchor_labels(),
        )
        write_text(run.report, page)
        return {"verdict": evaluation.verdict, "profile": recipe.release.profile}


class _Measure:
    """The part of the `eval` stage that measures."""

    name = "measure"

    def inputs(self, recipe: Recipe, run: Run) -> dict[str, Any]:
        return measuring_inputs(recipe, run)

    def check(self, recipe: Recipe, run: Run, progress: Progress) -> None:
        pass

    def work(self, recipe: Recipe, run: Run, progress: Progress) -> dict[str, Any]:
        from paracosm.eval.measure_tables import measure
        from paracosm.eval.measuring.attack_settings import AttackSettings
        from paracosm.eval.measuring.dp_claim import claim_of
        from paracosm.eval.results.finished_measures import FinishedMeasures
        from paracosm.records.schema.table import read_table

        schema = Schema.load(run.schema)
        splits = {name: read_table(run.split(name), schema) for name in SPLITS}
        synthetic = pd.concat([read_table(path, schema) for path in _shards(run)], ignore_index=True)
        measurements = measure(
            train=splits["train"],
            control=splits["control"],
            test=splits["test"],
            synthetic=synthetic,
            schema=schema,
            target=recipe.data.target,
            subject=recipe.data.subject,
            adapter=run.adapter if run.codec.is_file() else None,
            # Prompts alone have no statistics that could be attacked.
            statistics=run.statistics if (run.statistics / STATISTICS).is_file() else None,
            canaries=run.canaries if run.canaries.is_file() else None,
            claim=claim_of(run),
            attackers=AttackSettings(recipe, run.attackers, progress, _pace(run)),
            further=_further(recipe, run, progress),
            notes=_rare_lines(run),
            store=FinishedMeasures(run.measured, measuring_inputs(recipe, run), progress),
            settings=recipe.eval,
            progress=progress,
        )
        write_text(run.measurements, measurements.to_json())
        for folder in (run.further, run.measured):
            shutil.rmtree(folder, ignore_errors=True)
        return {}


def measuring_inputs(recipe: Recipe, run: Run) -> dict[str, Any]:
    """Return what the measurements depend on; the release section does not change them.

    Raises:
        RunError: the run has no splits or no synthetic records yet, or they are not as their stages left them.
    """
    needed = [run.schema, *map(run.split, SPLITS)]
    for path in needed:
        if not path.is_file():
            raise RunError(f"{path}: is missing; run the records stage first")
    if not _shards(run):
        raise RunError(f"{run.synthetic}: holds no synthetic records; run the generate stage first")
    check_unchanged(run, ("records", "finetune", "generate"))
    return {
        "splits": {path.name: file_digest(path) for path in needed},
        "synthetic": folder_digest(run.synthetic),
        "adapter": folder_digest(run.adapter) if run.codec.is_file() else None,
        **({"statistics": folder_digest(run.statistics)} if run.statistics.is_dir() else {}),
        "canaries": file_digest(run.canaries) if run.canaries.is_file() else None,
        "target": recipe.data.target,
        "eval": _settings(recipe.eval),
        **_training(recipe),
    }


def _settings(settings: Evaluate) -> dict[str, Any]:
    """Return the settings that the measurements depend on."""
    unused = set() if "lira" in settings.attacks else {"shadows"}
    return settings.model_dump(mode="json", exclude=unused)


def _training(recipe: Recipe) -> dict[str, Any]:
    """Return how models are trained, where an attack trains some."""
    if not {"lira", "auxiliary", "cross_fit"}.intersection(recipe.eval.attacks):
        return {}
    return {"trained_as": recipe.model_dump(mode="json", include={"model", "finetune", "privacy"})}


def _rare_lines(run: Run) -> list[str]:
    """Return what became of values that few subjects have, as the records stage counted them."""
    from paracosm.records.suppression.suppress import rare_lines

    counted = run.journal.stage("records").get("facts", {}).get("rare")
    return [] if counted is None else rare_lines(counted)


def _pace(run: Run) -> float | None:
    """Return the seconds that training spent on one record in one epoch; None where the adapter was not trained here."""
    trained = run.journal.stage("finetune")
    rows = run.journal.stage("records").get("facts", {}).get("rows", {}).get("train")
    epochs = trained.get("facts", {}).get("stopped", {}).get("epoch")
    return trained["wall_seconds"] / (rows * epochs) if rows and epochs else None


def _further(recipe: Recipe, run: Run, progress: Progress) -> list[pd.DataFrame]:
    """Return further sets of synthetic records of the run's generator, where utility is measured on several."""
    if recipe.eval.generator_seeds == 1 or recipe.data.target is None or not run.prepared.is_dir():
        return []
    from paracosm.eval.extra_samples import further_sets

    return further_sets(recipe, run, recipe.eval.generator_seeds - 1, progress)


def _shards(run: Run) -> list[Path]:
    return sorted(run.synthetic.glob("part-*.parquet"))


def _history(path: Path) -> list[dict[str, Any]]:
    if not path.is_file():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]

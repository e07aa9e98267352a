"""The `eval` stage: what was measured is kept, and another profile or limit is ruled without measuring."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import example_tables
import pytest
from sampled_run import RECIPE, sampled_run

import paracosm.eval.gates.catalogue
import paracosm.eval.gates.ruling
import paracosm.eval.measure_tables
import paracosm.eval.report.html
from paracosm.cli.evaluate import evaluate_run
from paracosm.eval.gates.catalogue import GATES
from paracosm.eval.stage import evaluate
from paracosm.foundation.errors import DataError, RecipeError, RunError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage import is_done
from paracosm.registry.card.facts import cost_rows

PATIENTS = example_tables.PATIENTS


def released(**release: Any) -> Recipe:
    """Return the recipe with another release section."""
    return Recipe.model_validate(RECIPE.model_dump(mode="json") | {"release": release})


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = sampled_run(tmp_path_factory.mktemp("stage") / "run")
    assert evaluate(recipe=RECIPE, run=run)
    return run


@pytest.fixture
def nothing_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(**_: Any) -> None:
        raise AssertionError("measured again")

    monkeypatch.setattr(paracosm.eval.measure_tables, "measure", measure)


@pytest.mark.usefixtures("nothing_is_measured")
def test_another_profile_or_limit_measures_nothing(evaluated: Run) -> None:
    kept, before = evaluated.measurements.read_bytes(), evaluated.metrics.read_bytes()
    assert "gates" not in json.loads(kept)
    modified = evaluated.measurements.stat().st_mtime_ns
    assert evaluate(recipe=released(profile="public"), run=evaluated)
    public = json.loads(evaluated.metrics.read_text())
    assert public["profile"] == "public"
    assert evaluate(recipe=released(gates={"c2st_auc": 0.1}), run=evaluated)
    strict = json.loads(evaluated.metrics.read_text())
    assert {gate["gate"]: gate["state"] for gate in strict["gates"]}["c2st_auc"] == "FAIL"
    assert strict["metrics"] == public["metrics"]
    assert evaluate(recipe=RECIPE, run=evaluated)
    assert not evaluate(recipe=RECIPE, run=evaluated), "up to date"
    assert evaluated.metrics.read_bytes() == before
    assert evaluated.measurements.read_bytes() == kept
    assert evaluated.measurements.stat().st_mtime_ns == modified


@pytest.mark.usefixtures("nothing_is_measured")
def test_a_limit_that_changed_in_the_code_is_ruled_again(
    evaluated: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    changed = tuple(replace(gate, internal=0.1) if gate.name == "c2st_auc" else gate for gate in GATES)
    with monkeypatch.context() as patched:
        for module in (paracosm.eval.gates.catalogue, paracosm.eval.gates.ruling):
            patched.setattr(module, "GATES", changed)
        assert evaluate(recipe=RECIPE, run=evaluated)
        strict = json.loads(evaluated.metrics.read_text())
        assert {gate["gate"]: gate["state"] for gate in strict["gates"]}["c2st_auc"] == "FAIL"
    assert evaluate(recipe=RECIPE, run=evaluated), "the limits are the old ones again"
    assert not evaluate(recipe=RECIPE, run=evaluated)


@pytest.mark.usefixtures("nothing_is_measured")
def test_asking_for_another_profile_leaves_the_verdict_of_the_run(evaluated: Run) -> None:
    before = evaluated.metrics.read_bytes(), evaluated.report.read_bytes(), evaluated.journal.read()
    own, report = evaluate_run(str(evaluated.root), overrides=(), run=None, profile="internal")
    assert (own.profile, report) == ("internal", evaluated.report)
    public, report = evaluate_run(str(evaluated.root), overrides=(), run=None, profile="public")
    assert (public.profile, report) == ("public", None)
    limits = {gate.gate: gate.threshold for gate in public.every_gate}
    assert limits["singling_out"] == 0.05
    assert public.metrics == own.metrics
    assert (evaluated.metrics.read_bytes(), evaluated.report.read_bytes(), evaluated.journal.read()) == before


def test_a_limit_on_an_unknown_gate_is_refused(evaluated: Run) -> None:
    with pytest.raises(RecipeError, match="unknown gate 'c2st'"):
        evaluate(recipe=released(gates={"c2st": 0.1}), run=evaluated)


def test_other_records_or_settings_are_measured_again(
    evaluated: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    def measure(**_: Any) -> None:
        raise DataError("measured")

    monkeypatch.setattr(paracosm.eval.measure_tables, "measure", measure)
    other = RECIPE.model_copy(update={"eval": RECIPE.eval.model_copy(update={"seed": 7})})
    with pytest.raises(DataError, match="measured"):
        evaluate(recipe=other, run=evaluated)
    assert not evaluated.measurements.exists()
    assert not evaluated.metrics.exists()


def test_a_stage_killed_after_measuring_only_rules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = sampled_run(tmp_path / "run")

    def killed(*_: Any, **__: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(paracosm.eval.report.html, "report_html", killed)
        with pytest.raises(KeyboardInterrupt):
            evaluate(recipe=RECIPE, run=run)
    assert run.journal.stage("eval")["status"] == "started"
    assert run.journal.stage("measure")["status"] == "done"
    monkeypatch.setattr(paracosm.eval.measure_tables, "measure", killed)
    assert evaluate(recipe=RECIPE, run=run)
    # Measurements that were changed by hand are not ruled on.
    run.measurements.write_text(run.measurements.read_text().replace("0.", "0.9", 1))
    with pytest.raises(KeyboardInterrupt):
        evaluate(recipe=released(profile="public"), run=run)


def test_the_cost_of_an_evaluation_that_only_ruled_is_that_of_measuring() -> None:
    stages = {
        "eval": {"wall_seconds": 0.2, "peak_memory_bytes": 10},
        "measure": {"wall_seconds": 90.0, "peak_memory_bytes": 20},
    }
    assert cost_rows(stages) == [{"stage": "eval", "seconds": 90.0, "bytes": 20}]


def test_a_run_without_synthetic_records_says_so(tmp_path: Path) -> None:
    run = sampled_run(tmp_path / "run")
    run.shard(0).unlink()
    with pytest.raises(RunError, match="holds no synthetic records; run the generate stage first"):
        evaluate(recipe=RECIPE, run=run)
    assert not is_done(run, "eval", {})

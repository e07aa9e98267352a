"""A complete run without any training; every value that would come from real records holds a marker."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from paracosm.eval.catalogue import metrics
from paracosm.eval.gates.catalogue import GATES
from paracosm.eval.gates.ruling import rule
from paracosm.eval.gates.verdicts import summary, verdicts
from paracosm.eval.measuring.metric import Obstacle, Result
from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.eval.results.gate_result import GateResult
from paracosm.eval.results.metric_entry import MeasuredMetric
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage import run_if_stale
from paracosm.recipes.sections.release import Release, What
from paracosm.records.schema.schema import Field, Schema
from paracosm.registry.card.stage import write_card

MARK = "Zyzzyva"
"""Part of every value that must not appear on a card."""

SCHEMA = Schema(
    (
        Field(name="patient", type="identifier", pattern=f"{MARK}-99", fresh=True),
        Field(name="age", type="integer", minimum=1701791, maximum=9808913),
        Field(name="ward", type="category", categories=(f"{MARK} ward", f"rare {MARK}")),
        Field(name="note|html", type="text", max_length=80),
        Field(name="sick", type="boolean"),
    )
)


def recipe_of(**sections: Any) -> Recipe:
    """Return the recipe of the run; `sections` replace whole sections."""
    plain: dict[str, Any] = {
        "name": "ward-notes",
        "description": "Ward admissions of one hospital.",
        "data": {
            "source": "/home/someone/secret-place/admissions.csv",
            "subject": "patient",
            "target": "sick",
            "fields": {"ward": {"categories": [f"{MARK} ward", f"rare {MARK}"]}},
        },
        "model": {"layers": 10},
        "finetune": {"epochs": 8},
        "card": {
            "title": "Synthetic ward notes",
            "licence": "cc-by-4.0",
            "data_statement": "Admissions of 2019, released by the ethics board.",
            "intended_use": "Testing the admission software.\n## Gates that always pass",
            "not_for": "Staffing decisions.",
            "authors": ["A. Author"],
            "tags": ["medical"],
        },
    }
    return Recipe.model_validate(plain | sections)


def metric(name: str, group: str, value: float | None, **more: Any) -> dict[str, Any]:
    """Return one entry of `metrics.json`; the anchors in `more` get an interval of 0.01 to both sides."""
    described = {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "group": group,
        "goal": more.pop("goal", "down"),
        "range": [0, 1],
        "unit": "plain",
        "source": "",
        "what": "",
        "value": value,
    }
    if value is None:
        return described | more
    anchors = {key: each for key, each in more.items() if key in ("ceiling", "floor", "worst")}
    entry = {
        "interval": [value - 0.01, value + 0.01],
        "normalised": None,
        "zero": "floor",
        "reading": "",
        "closer_than_real": False,
        "reason_not_measured": None,
        "facts": {},
        "breakdown": {},
        "curves": {},
        "anchors": {
            key: {
                "value": anchor,
                "interval": [anchor - 0.01, anchor + 0.01],
                "breakdown": {f"{MARK} A": 0.5},
                "curves": {},
            }
            for key, anchor in anchors.items()
        },
    }
    return described | entry | more


COPIES = {"PASS": [0.0, 0.004], "FAIL": [0.21, 0.29], "INCONCLUSIVE": [0.0, 0.04]}
"""Per state of the gate on exact copies: the interval of the metric that leads to it."""


def metrics_of(state: str = "PASS", what: What = "both") -> dict[str, Any]:
    """Return the content of `metrics.json` with the gate on exact copies in `state` and good values elsewhere."""
    low, high = COPIES[state]
    shape = {"ceiling": 0.97, "floor": 0.6, "goal": "up"}
    entries = [
        metric("marginals", "fidelity", 0.965, **shape),
        metric("pairs", "fidelity", 0.96, **shape),
        metric(
            "c2st_auc",
            "fidelity",
            0.5321,
            goal="target 0.5",
            interval=[0.49, 0.571],
            ceiling=0.501,
            floor=0.91,
            worst=0.03,
            normalised=0.924,
            reading="A classifier hardly tells them apart.",
            source="Lopez-Paz and Oquab 2017",
            breakdown={"ward": 0.5, f"ward={MARK} ward": 0.7},
            facts={"rows": 3, "hardest": f"rare {MARK}"},
        ),
        metric("utility_skill", "utility", 0.987, goal="up", ceiling=1.0, floor=0.3, worst=1.0),
        metric(
            "exact_copies",
            "privacy",
            (low + high) / 2,
            interval=[low, high],
            ceiling=0.0,
            floor=0.0,
            worst=1.0,
            zero="worst",
            reading=f"Most often repeated: rare {MARK}.",
            facts={"copies": 0 if state != "FAIL" else 1},
        ),
        metric("near_copies", "privacy", 0.0, interval=[0.0, 0.004], ceiling=0.0, floor=0.0, worst=1.0),
        metric("dcr_share", "privacy", 0.501, ceiling=0.5, floor=0.49, worst=1.0, zero="worst"),
        metric("rows_alike", "privacy", None, reason_not_measured="too few records | for it"),
    ]
    results = _gate_results(entries)
    sizes = {"train": 3, "control": 3, "test": 3, "synthetic": 3}
    readings = {each["name"]: each["reading"] for each in entries if each["value"] is not None}
    questions = verdicts(results, readings=readings, sizes=sizes, what=what)
    return {
        "schema_version": 1,
        "verdict": state,
        "summary": summary(questions, results, what),
        "profile": "internal",
        "what": what,
        "verdicts": [each.plain() for each in questions],
        "sizes": sizes,
        "metrics": entries,
        "gates": [each.plain() for each in results if each.decides],
        "not_ruling": [each.plain() for each in results if not each.decides],
        "notes": ["The splits look alike (guard AUC 0.50)."],
        "distributions": [
            {
                "field": "ward",
                "type": "category",
                "kind": "categories",
                "labels": [f"rare {MARK}"],
                "train": [1.0],
                "synthetic": [1.0],
            }
        ],
    }


def evaluation_of(state: str = "PASS") -> EvaluationFile:
    """Return `metrics_of` as it is read from a file."""
    return EvaluationFile.model_validate_json(json.dumps(metrics_of(state)))


def _gate_results(entries: list[dict[str, Any]]) -> list[GateResult]:
    """Return the results of the real gates on these metrics; a gate without its metric does not apply."""
    registered = {each.name: each for each in metrics()}
    typed = [
        MeasuredMetric.model_validate_json(json.dumps(each)) for each in entries if each["value"] is not None
    ]
    measured = [Result(registered[each.name], each.estimates()) for each in typed if each.name in registered]
    missing = {gate.metric: Obstacle("not available for these data", curable=False) for gate in GATES}
    return rule(measured, missing, Release())


def finished_run(root: Path, recipe: Recipe, state: str = "PASS") -> Run:
    """Write a run to `root`, card included, whose gate on exact copies is in `state`."""
    run = Run.create(root)
    run_if_stale(run, "records", {"fake": 1}, lambda: _records(run))
    run_if_stale(run, "finetune", {"fake": 1}, lambda: _finetune(run))
    run_if_stale(run, "generate", {"fake": 1}, lambda: _generate(run))
    run_if_stale(
        run,
        "eval",
        {"state": state, "what": recipe.release.what},
        lambda: _evaluate(run, state, recipe.release.what),
    )
    write_card(recipe=recipe, run=run)
    return run


ADAPTER_CONFIG = {"peft_type": "LORA", "r": 16, "lora_alpha": 32, "target_modules": ["q_proj"]}
"""Configuration of the adapter of the run."""


def adapter_tensors(value: float = 1.0) -> dict[str, np.ndarray]:
    """Return the tensors of an adapter of rank 16 over one layer; every value is `value`."""
    stem = "base_model.model.model.layers.0.self_attn.q_proj.lora"
    return {
        f"{stem}_A.weight": np.full((16, 48), value, np.float32),
        f"{stem}_B.weight": np.full((48, 16), value, np.float32),
    }


def _table(word: str) -> pd.DataFrame:
    rows = [f"{MARK} {word} {number}" for number in range(3)]
    return pd.DataFrame(
        {
            "patient": rows,
            "age": [1701791, 4479113, 9808913],
            "ward": rows,
            "note|html": rows,
            "sick": [True, False, True],
        }
    )


def _records(run: Run) -> dict[str, Any]:
    run.splits.mkdir()
    SCHEMA.save(run.schema)
    for split in ("train", "control", "test"):
        _table(split).to_parquet(run.split(split))
    return {
        "rows": {"all": 9, "train": 3, "control": 3, "test": 3},
        "left_out": ["secret-place"],
        "groups": 8,
        "exact_duplicates": 1,
        "near_duplicates": 2,
        "outside_training_domain": {"control": 1, "test": 0},
        "warnings": [f"odd cell {MARK}"],
    }


def _finetune(run: Run) -> dict[str, Any]:
    run.adapter.mkdir()
    save_file(adapter_tensors(), run.adapter / "adapter_model.safetensors")
    config = ADAPTER_CONFIG | {"base_model_name_or_path": "/home/someone/secret-place/model"}
    (run.adapter / "adapter_config.json").write_text(json.dumps(config))
    (run.adapter / "base.json").write_text(
        json.dumps({"base": "/home/someone/secret-place/model", "layers": 10})
    )
    (run.adapter / "README.md").write_text("what peft writes here is replaced by the card")
    run.codec.write_text("{}")
    run.history.write_text(
        "".join(
            json.dumps({"epoch": n, "step": n, "train_bits": 50 - n, "control_bits": bits}) + "\n"
            for n, bits in ((1, 60.2), (2, 41.25), (3, 43.5))
        )
    )
    return {
        "rank": 16,
        "trainable_parameters": 1536,
        "stopped": {"epoch": 3, "reason": "control bits per record rose while train bits fell"},
    }


def _generate(run: Run) -> dict[str, Any]:
    run.synthetic.mkdir()
    _table("synthetic").to_parquet(run.shard(0))
    return {}


def _evaluate(run: Run, state: str, what: What = "both") -> dict[str, Any]:
    run.evaluation.mkdir(exist_ok=True)
    run.metrics.write_text(json.dumps(metrics_of(state, what)))
    return {}


def without_examples(card: str) -> str:
    """Return a card without its table of synthetic records."""
    lines = card.splitlines()
    start = next(
        (number for number, line in enumerate(lines) if line.startswith("**Example records**")), None
    )
    if start is None:
        return card
    rows = next(number for number in range(start + 2, len(lines)) if not lines[number].startswith("|"))
    return "\n".join(lines[:start] + lines[rows:])

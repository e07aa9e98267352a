"""A run as its stages leave it, without any training: marked values stand wherever real records would."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from safetensors.numpy import save_file

from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run_directory import Run
from paracosm.records.schema import Field, Schema
from paracosm.registry.card import write_card

MARK = "Zyzzyva"
"""Part of every value that may never reach a card."""

SCHEMA = Schema(
    (
        Field(name="patient", type="identifier", pattern=f"{MARK}-99", fresh=True),
        Field(name="age", type="integer", minimum=17017, maximum=98089),
        Field(name="ward", type="category", categories=(f"{MARK} ward", f"rare {MARK}")),
        Field(name="note|html", type="text", max_length=80),
        Field(name="sick", type="boolean"),
    )
)


def recipe_of(**sections: Any) -> Recipe:
    """Return the recipe of the fake run; `sections` replace whole sections."""
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
    """Return one entry of `metrics.json`."""
    entry = {
        "name": name,
        "title": name.replace("_", " ").capitalize(),
        "group": group,
        "goal": "down",
        "range": [0, 1],
        "value": value,
    }
    anchors = {"interval": None, "ceiling": None, "floor": None, "worst": None, "normalised": None}
    return entry | anchors | {"reading": "", "source": "", "reason_not_measured": None} | more


def metrics_of(state: str = "PASS") -> dict[str, Any]:
    """Return the content of `metrics.json`, its privacy gate in `state`."""
    return {
        "schema_version": 1,
        "verdict": state,
        "sizes": {"train": 3, "control": 3, "test": 3, "synthetic": 3},
        "metrics": [
            metric(
                "c2st_auc",
                "fidelity",
                0.5321,
                interval=[0.49, 0.571],
                ceiling=0.501,
                floor=0.91,
                worst=0.03,
                normalised=0.924,
                reading="A classifier hardly tells them apart.",
                source="Lopez-Paz and Oquab 2017",
            ),
            metric(
                "tstr_ratio",
                "utility",
                0.987,
                goal="up",
                interval=[0.95, 1.02],
                ceiling=1.0,
                floor=0.67,
                worst=1.0,
                normalised=0.96,
            ),
            metric("dcr_share", "privacy", 0.551, interval=[0.50, 0.60], ceiling=0.5, floor=0.49, worst=1.0),
            metric("rows_alike", "privacy", None, reason_not_measured="too few records | for it"),
        ],
        "gates": [
            {
                "metric": "c2st_auc",
                "state": "PASS",
                "threshold": 0.75,
                "side": "at most",
                "gate": "c2st_auc",
                "reason": "upper bound 0.571 is below 0.75",
            },
            {"metric": "dcr_share", "state": state, "threshold": 0.55, "reason": "interval 0.50 to 0.60"},
        ],
        "not_ruling": [
            {
                "gate": "twins",
                "metric": "c2st_auc",
                "state": "NO OBJECTION",
                "threshold": 0.4,
                "side": "at least",
                "reason": "0.53",
            }
        ],
        "distributions": [{"field": "ward", "labels": [f"rare {MARK}"], "train": [1.0]}],
        "notes": ["The splits look alike (guard AUC 0.50)."],
    }


def finished_run(root: Path, recipe: Recipe, state: str = "PASS") -> Run:
    """Write a run below `root` whose privacy gate is in `state`, up to its card."""
    run = Run.create(root)
    run.stage("records", {"fake": 1}, lambda: _records(run))
    run.stage("finetune", {"fake": 1}, lambda: _finetune(run))
    run.stage("generate", {"fake": 1}, lambda: _generate(run))
    run.stage("eval", {"state": state}, lambda: _evaluate(run, state))
    write_card(recipe, run)
    return run


def _table(word: str) -> pd.DataFrame:
    rows = [f"{MARK} {word} {number}" for number in range(3)]
    return pd.DataFrame(
        {
            "patient": rows,
            "age": [17017, 44444, 98089],
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
    save_file({"lora_A": np.zeros((2, 2), np.float32)}, run.adapter / "adapter_model.safetensors")
    config = {"peft_type": "LORA", "base_model_name_or_path": "/home/someone/secret-place/model"}
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
        "trainable_parameters": 1628160,
        "stopped": {"epoch": 3, "reason": "control bits per record rose while train bits fell"},
    }


def _generate(run: Run) -> dict[str, Any]:
    run.synthetic.mkdir()
    _table("synthetic").to_parquet(run.shard(0))
    return {}


def _evaluate(run: Run, state: str) -> dict[str, Any]:
    run.evaluation.mkdir()
    run.metrics.write_text(json.dumps(metrics_of(state)))
    return {}

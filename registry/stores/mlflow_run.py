"""The MLflow run that holds a version: its experiment, its metrics and settings, and its description."""

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paracosm.eval.results.evaluation_file import read_evaluation
from paracosm.foundation.errors import RegistryError
from paracosm.foundation.extras import require_extra
from paracosm.registry.versions.checks import FRONT_MATTER

if TYPE_CHECKING:
    from mlflow import MlflowClient

EXTRA = ("mlflow", "an MLflow registry")
"""Extra that installs the client, and what needs it."""
EXPERIMENT = "paracosm"
FOLDER = "version"
LONGEST_DESCRIPTION = 5000
"""Limit of MLflow's database, in characters."""


def experiment_id(client: "MlflowClient") -> str:
    exceptions = require_extra("mlflow.exceptions", *EXTRA)
    if (experiment := client.get_experiment_by_name(EXPERIMENT)) is not None:
        return experiment.experiment_id
    try:
        return client.create_experiment(EXPERIMENT)
    except exceptions.MlflowException as error:
        # Another publisher may have created it in the meantime.
        experiment = client.get_experiment_by_name(EXPERIMENT)
        if error.error_code != "RESOURCE_ALREADY_EXISTS" or experiment is None:
            raise
        return experiment.experiment_id


def log_metrics(client: "MlflowClient", run_id: str, folder: Path) -> None:
    """Log metrics with interval and anchors, and the settings, so that MLflow's own pages can compare versions."""
    entities = require_extra("mlflow.entities", *EXTRA)
    evaluation = read_evaluation(folder / "metrics.json", RegistryError)
    settings = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["recipe"]["settings"]
    values: dict[str, float] = {}
    for name, metric in evaluation.measured.items():
        values[name] = metric.value
        values[f"{name}.low"], values[f"{name}.high"] = metric.interval
        values |= {f"{name}.{anchor}": entry.value for anchor, entry in metric.anchors.items()}
    now = int(time.time() * 1000)
    rows = [entities.Metric(name, value, now, 0) for name, value in values.items()]
    params = [
        entities.Param(name, str(value)[:500])
        for section, given in settings.items()
        for name, value in _named(section, given)
    ]
    client.log_batch(run_id, metrics=rows, params=params[:100])


def _named(section: str, given: Any) -> list[tuple[str, Any]]:
    """Return the settings of a section of the recipe with dotted names, or a key that is not a section."""
    return (
        [(f"{section}.{key}", value) for key, value in given.items()]
        if isinstance(given, dict)
        else [(section, given)]
    )


def description(folder: Path) -> str:
    """Return the card without its front matter, cut to the length that MLflow stores."""
    card = FRONT_MATTER.sub("", (folder / "README.md").read_text(encoding="utf-8"), count=1).strip()
    if len(card) <= LONGEST_DESCRIPTION:
        return card
    ending = f"\n\n(The card is cut here. The complete card is the artifact {FOLDER}/README.md of the version's run.)"
    return card[: LONGEST_DESCRIPTION - len(ending)].rsplit("\n", 1)[0] + ending

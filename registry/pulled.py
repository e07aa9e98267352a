"""Turns a pulled version into a run directory, so that the generate stage works without the training records."""

import shutil
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from paracosm.finetune.models.trained_model import base_settings
from paracosm.foundation.digests import file_digest
from paracosm.foundation.errors import RegistryError, RunError
from paracosm.foundation.files import replacing, write_text
from paracosm.foundation.json_files import read_json
from paracosm.generate.prompting.stored_material import MATERIAL
from paracosm.generate.statistics.stored_chain import SETTINGS
from paracosm.recipes.loading.load import dump_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.lock import locked
from paracosm.recipes.run.open_run import RUNS, is_run
from paracosm.recipes.run.stage import output_digests
from paracosm.registry.versions.checks import check_version
from paracosm.registry.versions.manifest import DATASET, MANIFEST, RECORDS, REPORT, Version

CARDS = ("README.md", "metrics.json", "provenance.json", "schema.json", REPORT)
"""Files of a version that generation does not need."""


def is_pulled(folder: Path) -> bool:
    """Return whether `folder` was created by `pull`."""
    return (folder / MANIFEST).is_file() and not is_run(folder)


def as_run(folder: Path, *, run: Path | None = None) -> Run:
    """Return a run directory in which the generate stage can use a pulled version.

    Args:
        folder: a folder that `pull` created; the version is checked first.
        run: the run directory; `runs/NAME-vN` by default. A run directory of the same version is reused.

    Raises:
        RegistryError: the version does not pass the checks, or lacks settings.
        RunError: the run directory holds something else.
    """
    version = Version.load(folder)
    check_version(version)
    if not version.holds_adapter:
        raise RegistryError(
            f"{folder}: {version.reference} releases records alone, so nothing can be generated from it; they are in {folder / RECORDS}"
        )
    target = Run(run or RUNS / f"{version.name}-v{version.number}")
    digest = file_digest(folder / MANIFEST)
    if target.root.exists() and any(target.root.iterdir()):
        if not is_run(target.root) or target.journal.read().get("pulled") != digest:
            raise RunError(
                f"{target.root}: does not hold a run of {version.reference}; name another folder with --run"
            )
        return target
    recipe = _recipe(version)
    Run.create(target.root)
    with locked(target.root):
        _lay_out(target, version, recipe, digest)
    return target


def _lay_out(run: Run, version: Version, recipe: Recipe, digest: str) -> None:
    run.splits.mkdir(exist_ok=True)
    shutil.copyfile(version.folder / "schema.json", run.schema)
    kind = run.statistics if {SETTINGS, MATERIAL} & set(version.files) else run.adapter
    with replacing(kind) as adapter:
        adapter.mkdir()
        for name in version.files:
            if name not in CARDS and not name.startswith(f"{DATASET}/") and not name.endswith(".png"):
                (adapter / name).parent.mkdir(exist_ok=True)
                shutil.copyfile(version.folder / name, adapter / name)
    write_text(run.recipe, dump_recipe(recipe))
    # The journal comes last, because a folder counts as a run once it has one.
    done = {"status": "done", "inputs": {"pulled": version.reference}, "facts": {}}
    stages = {name: done | {"outputs": output_digests(run, name)} for name in ("records", "finetune")}
    run.journal.write({"stages": stages, "pulled": digest})


def _recipe(version: Version) -> Recipe:
    """Return a recipe with the settings of a pulled version; its data source is a placeholder."""
    path = version.folder / "provenance.json"
    try:
        provenance = read_json(path, RegistryError)
        settings: dict[str, Any] = provenance["recipe"]["settings"]
        sections = {
            key: settings[key]
            for key in (
                "strategy",
                "statistical",
                "prompt",
                "chain",
                "model",
                "finetune",
                "generate",
                "eval",
                "release",
            )
            if key in settings
        }
        told: dict[str, Any] = {}
        if MATERIAL in version.files:
            told = read_json(version.folder / MATERIAL, RegistryError)
        elif SETTINGS not in version.files:
            sections["model"] = base_settings(version.folder)
        sections["generate"] = sections["generate"] | {"records": provenance["records"]}
        source = f"pulled:{version.reference}"
        data = {"source": source, "target": told.get("target")}
        about = {"name": version.name, "description": told.get("description", ""), "data": data}
        return Recipe.model_validate(about | sections)
    except (KeyError, TypeError, AttributeError, ValidationError) as error:
        raise RegistryError(
            f"{path}: lacks settings that this version of Paracosm needs for generation"
        ) from error

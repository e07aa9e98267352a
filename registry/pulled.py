"""A pulled version as a run without records: its adapter generates wherever it was pulled to, the training data elsewhere."""

import json
import shutil
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from paracosm.foundation.digests import file_digest, folder_digest
from paracosm.foundation.errors import RegistryError, RunError
from paracosm.foundation.files import replacing, write_text
from paracosm.recipes.loading.load import dump_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.lock import locked
from paracosm.recipes.run.open_run import RUNS, is_run
from paracosm.registry.versions.checks import check_version
from paracosm.registry.versions.manifest import DATASET, MANIFEST, Version

CARDS = ("README.md", "metrics.json", "provenance.json", "schema.json")
"""Files of a version that its adapter does not need."""


def is_pulled(where: Path) -> bool:
    """Return whether `where` is a folder that `pull` made."""
    return (where / MANIFEST).is_file() and not is_run(where)


def as_run(folder: Path, *, run: Path | None = None) -> Run:
    """Return a run directory in which the `generate` stage can work with a pulled version.

    Args:
        folder: what `pull` made; every digest in it is checked first.
        run: the run directory; `runs/NAME-vN` when absent. One that came of the same version is used again.

    Raises:
        RegistryError: the folder is not as it was published.
        RunError: the run directory holds something else.
    """
    version = Version.load(folder)
    check_version(version)
    made = Run(run or RUNS / f"{version.name}-v{version.number}")
    digest = file_digest(folder / MANIFEST)
    if made.root.exists() and any(made.root.iterdir()):
        if not is_run(made.root) or made.journal.read().get("pulled") != digest:
            raise RunError(
                f"{made.root}: holds something else than {version.reference}; name another with --run"
            )
        return made
    recipe = _recipe(version)
    Run.create(made.root)
    with locked(made.root):
        _lay_out(made, version, recipe, digest)
    return made


def _lay_out(run: Run, version: Version, recipe: Recipe, digest: str) -> None:
    run.splits.mkdir(exist_ok=True)
    shutil.copyfile(version.folder / "schema.json", run.schema)
    with replacing(run.adapter) as adapter:
        adapter.mkdir()
        for name in version.files:
            if name not in CARDS and not name.startswith(f"{DATASET}/") and not name.endswith(".png"):
                shutil.copyfile(version.folder / name, adapter / name)
    write_text(run.recipe, dump_recipe(recipe))
    # Last, because a folder counts as a run once its journal is there.
    done = {"status": "done", "inputs": {"pulled": version.reference}, "facts": {}}
    outputs = {"splits": folder_digest(run.splits)}, {"adapter": folder_digest(run.adapter)}
    stages = {
        name: done | {"outputs": its} for name, its in zip(("records", "finetune"), outputs, strict=True)
    }
    run.journal.write({"stages": stages, "pulled": digest})


def _recipe(version: Version) -> Recipe:
    """Return the recipe of a pulled version: the settings that it was published with, and no data."""
    path = version.folder / "provenance.json"
    try:
        origin = json.loads(path.read_text(encoding="utf-8"))
        settings: dict[str, Any] = origin["recipe"]["settings"]
        sections = {
            key: settings[key]
            for key in ("model", "finetune", "generate", "eval", "release")
            if key in settings
        }
        sections["model"] = json.loads((version.folder / "base.json").read_text(encoding="utf-8"))
        sections["generate"] = sections["generate"] | {"records": origin["records"]}
        source = f"pulled:{version.reference}"
        return Recipe.model_validate({"name": version.name, "data": {"source": source}} | sections)
    except (KeyError, TypeError, AttributeError, ValidationError) as fault:
        raise RegistryError(
            f"{path}: lacks the settings that this version of Paracosm needs to generate from it"
        ) from fault

"""Where a version came from: settings, code, data, base model, seeds, environment and cost, as `provenance.json`.

What a small table holds can be guessed and hashed, so digests of private data are keyed with a salt that stays in the run.
"""

import hashlib
import hmac
import importlib
import secrets
from pathlib import Path
from typing import Any

from paracosm.foundation.digests import file_digest, value_digest
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import SPLITS, Run
from paracosm.recipes.run.journal import versions
from paracosm.registry.card.facts import cost_rows, energy, environment, source_kind
from paracosm.registry.card.metadata import base_name, hub_id
from paracosm.registry.card.redaction import WITHHELD

ROOMS = (
    "",
    ".foundation",
    ".recipes",
    ".records",
    ".finetune",
    ".generate",
    ".eval",
    ".registry",
    ".cli",
)
CODE = (".py", ".jinja", ".yaml", ".json")
PUBLIC_SOURCES = ("sample:", "hf://")


def provenance(recipe: Recipe, run: Run, *, salt: bytes) -> dict[str, Any]:
    """Return everything that says how the version was made; no value and no path of the data is in it.

    Args:
        recipe: of the run.
        run: with its stages done up to `eval`.
        salt: the run's own, see `run_salt`.
    """
    stages = run.journal.read()["stages"]
    training = stages.get("finetune", {}).get("facts", {})
    digests = stages.get("records", {}).get("facts", {}).get("sha256") or {
        name: file_digest(run.split(name)) for name in SPLITS
    }
    public = recipe.data.source.startswith(PUBLIC_SOURCES)
    shaped = settings(recipe)
    return {
        "recipe": {"name": recipe.name, "settings": shaped, "sha256": value_digest(shaped)},
        "code": {"paracosm": versions().get("paracosm", "unknown"), "sha256": code_digest()},
        "data": {
            "source": source_kind(recipe.data.source),
            "digest": "sha256 of the split's Parquet file"
            if public
            else "HMAC-SHA256 over the split's SHA-256; the key stays in the run directory",
            "splits": {name: digest if public else keyed(digest, salt) for name, digest in digests.items()},
        },
        "base_model": {
            "name": base_name(recipe.model.base),
            "revision": recipe.model.revision,
            "digest": training.get("base_digest"),
        },
        "seeds": {
            "split": recipe.data.split.seed,
            "finetune": recipe.finetune.seed,
            "generate": recipe.generate.seed,
            "eval": recipe.eval.seed,
        },
        "records": stages.get("generate", {}).get("facts", {}).get("records"),
        "environment": environment(stages),
        "cost": {"stages": cost_rows(stages), "energy": energy(stages)},
    }


def settings(recipe: Recipe) -> dict[str, Any]:
    """Return the sections of the recipe that hold no data: without paths, and without the cells that were asked for."""
    plain = recipe.model_dump(mode="json", include={"model", "finetune", "generate", "eval", "release"})
    if recipe.privacy is not None:
        plain["privacy"] = recipe.privacy.model_dump(mode="json")
    if hub_id(recipe.model.base) is None:
        plain["model"]["base"] = base_name(recipe.model.base)
    asked = plain["generate"]
    if asked["seeds"] is not None:
        asked["seeds"] = Path(asked["seeds"]).name
    asked["where"] = dict.fromkeys(asked["where"], WITHHELD)
    asked["quotas"] = {
        name: quota if isinstance(quota, str) else WITHHELD for name, quota in asked["quotas"].items()
    }
    plain["eval"]["embedder"] = base_name(recipe.eval.embedder)
    return plain | {"split": recipe.data.split.model_dump(mode="json")}


def run_salt(run: Run) -> bytes:
    """Return the run's salt, made at the first call and kept in `run.json`."""
    kept = run.journal.read().get("salt")
    if kept is None:
        kept = secrets.token_hex(32)
        run.journal.note(salt=kept)
    return bytes.fromhex(kept)


def keyed(digest: str, salt: bytes) -> str:
    """Return what only somebody with the salt can compare with a digest."""
    return hmac.new(salt, digest.encode(), hashlib.sha256).hexdigest()


def code_digest() -> str:
    """Return one SHA-256 over every source file of the installed package: releases differ, and so do local changes."""
    digests = {}
    for room in ROOMS:
        folder = Path(importlib.import_module(f"paracosm{room}").__path__[0])
        # The front door holds the rooms themselves where they are installed beside it.
        files = folder.rglob("*") if room else folder.glob("*")
        digests |= {
            f"{room}/{path.relative_to(folder)}": file_digest(path)
            for path in sorted(files)
            if path.suffix in CODE and path.is_file()
        }
    return value_digest(digests)

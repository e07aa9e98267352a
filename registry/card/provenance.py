"""Provenance of a version (`provenance.json`): settings, code, data, base model, seeds, environment and cost.

Somebody could guess the content of a small table, hash the guess and compare the digests. Digests of private data are
therefore keyed with a salt that stays in the run directory.
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
from paracosm.registry.card.facts import adaptation, cost_rows, energy, environment, source_kind
from paracosm.registry.card.metadata import base_name, hub_id, model_name
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
"""Suffixes of the files of the package that determine its results."""
PUBLIC_SOURCES = ("sample:", "hf://")
"""Beginnings of the sources whose data anybody can download; their digests need no key."""


def provenance(recipe: Recipe, run: Run, *, salt: bytes) -> dict[str, Any]:
    """Return how the version was made, without any value or path of the data.

    Args:
        recipe: the recipe of the run.
        run: a run that is done up to its `eval` stage.
        salt: the key for digests of private data, from `run_salt`.
    """
    stages = run.journal.read()["stages"]
    training = stages.get("finetune", {}).get("facts", {})
    digests = stages.get("records", {}).get("facts", {}).get("sha256") or {
        name: file_digest(run.split(name)) for name in SPLITS
    }
    public = recipe.data.source.startswith(PUBLIC_SOURCES)
    public_settings = settings(recipe)
    return {
        "recipe": {"name": recipe.name, "settings": public_settings, "sha256": value_digest(public_settings)},
        "code": {"paracosm": versions().get("paracosm", "unknown"), "sha256": code_digest()},
        "data": {
            "source": source_kind(recipe.data.source),
            "digest": "sha256 of the split's Parquet file"
            if public
            else "HMAC-SHA256 of the split's SHA-256; the key stays in the run directory",
            "splits": {name: digest if public else keyed(digest, salt) for name, digest in digests.items()},
        },
        "base_model": {
            "name": model_name(recipe),
            "revision": recipe.model.revision,
            "digest": training.get("base_digest"),
        },
        "adaptation": adaptation(recipe, stages),
        "training": {"trained_weights": training.get("trainable_parameters")},
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
    """Return the settings of the recipe that may be published: without paths, and without the values of conditions."""
    own = {
        "finetuned": {"model", "finetune"},
        "statistical": {"statistical"},
        "combined": {"model", "finetune", "statistical"},
        "prompt": {"prompt", "statistical", "model"},
        "chain": {"chain", "statistical", "model"},
        "augment": set[str](),
    }[recipe.strategy]
    published = {"strategy", "generate", "eval", "release"} | own
    plain = recipe.model_dump(mode="json", include=published)
    if recipe.privacy is not None:
        plain["privacy"] = recipe.privacy.model_dump(mode="json")
    if "model" in plain and hub_id(recipe.model.base) is None:
        plain["model"]["base"] = base_name(recipe.model.base)
    for step in plain.get("chain", {}).get("steps", ()):
        for name in ("adapter", "base"):
            if step[name] is not None:
                step[name] = base_name(step[name])
    generate = plain["generate"]
    rewording = (generate["questions"] or {}).get("rewording")
    if rewording is not None and rewording["base"] is not None:
        rewording["base"] = base_name(rewording["base"])
    if generate["seeds"] is not None:
        generate["seeds"] = Path(generate["seeds"]).name
    generate["where"] = dict.fromkeys(generate["where"], WITHHELD)
    generate["quotas"] = {
        name: quota if isinstance(quota, str) else WITHHELD for name, quota in generate["quotas"].items()
    }
    plain["eval"]["embedder"] = base_name(recipe.eval.embedder)
    return plain | {"split": recipe.data.split.model_dump(mode="json")}


def run_salt(run: Run) -> bytes:
    """Return the secret salt of a run; the first call creates it and stores it in `run.json`."""
    salt = run.journal.read().get("salt")
    if salt is None:
        salt = secrets.token_hex(32)
        run.journal.note(salt=salt)
    return bytes.fromhex(salt)


def keyed(digest: str, salt: bytes) -> str:
    """Return the HMAC-SHA256 of a digest; only somebody with the salt can compare it with another digest."""
    return hmac.new(salt, digest.encode(), hashlib.sha256).hexdigest()


def code_digest() -> str:
    """Return one SHA-256 over all source files of the installed package, so that a local change of the code shows."""
    digests = {}
    for room in ROOMS:
        folder = Path(importlib.import_module(f"paracosm{room}").__path__[0])
        # An installed `paracosm` folder contains the other packages, which have their own turn.
        files = folder.rglob("*") if room else folder.glob("*")
        digests |= {
            f"{room}/{path.relative_to(folder)}": file_digest(path)
            for path in sorted(files)
            if path.suffix in CODE and path.is_file()
        }
    return value_digest(digests)

"""What prompts may tell of the training records, as the finetune stage leaves it: summaries of columns, and no row."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from paracosm.foundation.errors import ModelError
from paracosm.foundation.json_files import read_json

MATERIAL = "prompt.json"
FORMAT = 1
"""Version of `prompt.json`."""


@dataclass(frozen=True)
class Material:
    """What prompts tell.

    Attributes:
        strategy: the strategy that it was prepared for.
        summaries: of each column; empty where the prompts tell none.
        description: what the records are, from the recipe.
        target: the column that comes first; None for none.
    """

    strategy: str
    summaries: Mapping[str, str] = field(default_factory=dict)
    description: str = ""
    target: str | None = None


def save_material(material: Material, folder: Path) -> None:
    """Write the material into a folder that exists."""
    plain = {"format": FORMAT, "strategy": material.strategy, "summaries": dict(material.summaries)}
    plain |= {"description": material.description, "target": material.target}
    (folder / MATERIAL).write_text(json.dumps(plain, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load_material(folder: Path, strategy: str) -> Material:
    """Return what `save_material` wrote.

    Raises:
        ModelError: it is missing or damaged, of another strategy, or of another version of Paracosm.
    """
    path = folder / MATERIAL
    if not path.is_file():
        raise ModelError(f"{path}: is missing; run the recipe with strategy={strategy} again")
    plain = read_json(path, ModelError)
    if plain.get("format") != FORMAT:
        raise ModelError(
            f"{path}: has format {plain.get('format')}; this version of paracosm reads format {FORMAT}"
        )
    summaries = plain.get("summaries")
    if not isinstance(summaries, dict) or not all(isinstance(each, str) for each in summaries.values()):
        raise ModelError(f"{path}: is damaged; run the recipe again")
    if plain.get("strategy") != strategy:
        raise ModelError(
            f"{path}: is of strategy {plain.get('strategy')}; set it, or run the recipe with strategy={strategy}"
        )
    return Material(strategy, summaries, str(plain.get("description", "")), plain.get("target"))

"""What a checked version says of itself."""

import json
from dataclasses import dataclass
from typing import Any

from paracosm.registry.versions.manifest import Version


@dataclass(frozen=True, kw_only=True)
class Details:
    """A version with its card (Markdown with YAML front matter), its metrics and its provenance."""

    version: Version
    card: str
    metrics: dict[str, Any]
    provenance: dict[str, Any]


def details(version: Version) -> Details:
    """Read what a version says of itself; its files must have been checked."""
    metrics, provenance = (
        json.loads((version.folder / f"{each}.json").read_text(encoding="utf-8"))
        for each in ("metrics", "provenance")
    )
    card = (version.folder / "README.md").read_text(encoding="utf-8")
    return Details(version=version, card=card, metrics=metrics, provenance=provenance)

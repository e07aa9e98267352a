"""A checked version with its card, its metrics and its provenance."""

import json
from dataclasses import dataclass
from typing import Any

from paracosm.eval.results.evaluation_file import EvaluationFile, read_evaluation
from paracosm.foundation.errors import RegistryError
from paracosm.registry.versions.manifest import Version


@dataclass(frozen=True, kw_only=True)
class Details:
    """A version with its card (Markdown with YAML front matter), its metrics and its provenance."""

    version: Version
    card: str
    metrics: EvaluationFile
    provenance: dict[str, Any]


def details(version: Version) -> Details:
    """Return a version with the content of its files, which must have been checked.

    Raises:
        RegistryError: its `metrics.json` was written by another version of Paracosm.
    """
    return Details(
        version=version,
        card=(version.folder / "README.md").read_text(encoding="utf-8"),
        metrics=read_evaluation(version.folder / "metrics.json", RegistryError),
        provenance=json.loads((version.folder / "provenance.json").read_text(encoding="utf-8")),
    )

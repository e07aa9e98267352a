"""The journal of a run, `run.json`: what each stage did, from what, with which versions and how long it took."""

import json
import platform
import resource
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from paracosm.foundation.digests import value_digest
from paracosm.foundation.errors import RunError
from paracosm.foundation.files import write_text
from paracosm.foundation.json_files import read_json

RECORDED_PACKAGES = (
    "paracosm",
    "torch",
    "transformers",
    "peft",
    "accelerate",
    "llguidance",
    "numpy",
    "pandas",
    "scikit-learn",
)


DIGEST = "sha256"
"""Key of the digest over the rest of the file, which shows damage (not tampering: whoever can write the file can write it)."""
START_OVER = "; restore it, or remove the run directory to start over"


@dataclass(frozen=True)
class Journal:
    """The file `run.json`. Every write replaces the whole file in one step."""

    path: Path

    def read(self) -> dict[str, Any]:
        """Return the content; an empty journal where there is no file.

        Raises:
            RunError: the file is not a journal.
        """
        if not self.path.exists():
            return {"stages": {}}
        content = read_json(self.path, RunError, advice=START_OVER)
        stages = content.get("stages")
        if not isinstance(stages, dict) or not all(isinstance(stage, dict) for stage in stages.values()):
            raise RunError(f"{self.path}: is not the journal of a run (no stages){START_OVER}")
        if content.pop(DIGEST, None) != value_digest(content):
            raise RunError(f"{self.path}: is damaged or was changed by hand{START_OVER}")
        return content

    def write(self, content: dict[str, Any]) -> None:
        """Replace the content.

        Raises:
            TypeError: a value is not JSON; written as text it would never equal itself after reading.
        """
        write_text(self.path, json.dumps(content | {DIGEST: value_digest(content)}, indent=2) + "\n")

    def note(self, **facts: Any) -> None:
        """Add facts at the top level."""
        self.write(self.read() | facts)

    def stage(self, name: str) -> dict[str, Any]:
        """Return the record of a stage; empty when it never ran."""
        return self.read()["stages"].get(name, {})

    def record(self, name: str, record: dict[str, Any]) -> None:
        """Replace the record of a stage."""
        content = self.read()
        content["stages"][name] = record
        self.write(content)


def peak_memory() -> int:
    """Return the largest resident size of this process so far, in bytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    # Linux counts in KiB, macOS in bytes.
    return peak if sys.platform == "darwin" else peak * 1024


def versions() -> dict[str, str]:
    """Return the versions that shape a result: Python, platform and the packages of `RECORDED_PACKAGES`."""
    recorded = {"python": platform.python_version(), "platform": platform.platform()}
    for package in RECORDED_PACKAGES:
        try:
            recorded[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return recorded

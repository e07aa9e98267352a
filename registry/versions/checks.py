"""Checks the folder of a version against its manifest, its metrics and its card, before anything is loaded from it."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml

from paracosm.eval.gates.ruling import verdict as verdict_of
from paracosm.eval.results.evaluation_file import read_evaluation
from paracosm.finetune.models.trained_model import ADAPTER, FULL_MODEL
from paracosm.foundation.digests import file_digest
from paracosm.foundation.errors import RegistryError
from paracosm.registry.versions.manifest import (
    BESIDE,
    LARGEST_TEXT,
    REQUIRED,
    Version,
    check_regular,
    names_in,
)
from paracosm.registry.versions.verdict import recomputed_verdict

FRONT_MATTER = re.compile(r"\A---\r?\n(.{0,1000000}?)\r?\n---\s", re.DOTALL)
OVERRIDDEN = "gate-overridden"
"""Tag on the card of a version that was published against its verdict."""


def check_version(version: Version) -> None:
    """Check every file of a version against its manifest, then its verdict and its card.

    Raises:
        RegistryError: a file is missing, added, changed, a link, or does not have the format that its name states; or
            the verdict does not follow from the metrics of the version.
    """
    folder = version.folder
    present = names_in(folder) - set(BESIDE)
    check_complete(version, where=str(folder))
    if missing := set(version.files) - present:
        raise RegistryError(f"{folder}: lacks {_listed(missing)}")
    if added := present - set(version.files):
        raise RegistryError(f"{folder}: holds {_listed(added)}, which its manifest does not list")
    for name, entry in version.files.items():
        path = folder / name
        check_regular(path, largest=entry.bytes)
        if path.stat().st_size != entry.bytes or file_digest(path) != entry.sha256:
            raise RegistryError(
                f"{path}: differs from its manifest; the version is damaged or was tampered with"
            )
        check_content(path)
    check_verdict(version)
    check_card(version)


def check_complete(version: Version, *, where: str) -> None:
    """Check that the manifest lists every file that a version needs.

    Raises:
        RegistryError: a file is missing in the manifest.
    """
    full = FULL_MODEL in version.files and any(map(_is_weights, version.files))
    if missing := {*REQUIRED, *(() if full else ADAPTER)} - set(version.files):
        raise RegistryError(f"{where}: lacks {_listed(missing)}")


def _is_weights(name: str) -> bool:
    return name.startswith("model") and name.endswith(".safetensors")


def _listed(names: Iterable[str]) -> str:
    shown = sorted(name if name.isprintable() else repr(name) for name in names)
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")


def check_content(path: Path) -> None:
    """Check that a file has the format that its name states, without unpickling or running anything.

    Raises:
        RegistryError: it does not.
    """
    try:
        if path.suffix == ".safetensors":
            _read_tensor_names(path)
        elif path.suffix == ".json":
            check_regular(path, largest=LARGEST_TEXT)
            json.loads(path.read_text(encoding="utf-8"))
        elif path.suffix == ".parquet":
            _check_ends(path, b"PAR1", b"PAR1")
        elif path.suffix == ".png":
            _check_ends(path, b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82")
    except (ValueError, RecursionError) as error:
        raise RegistryError(f"{path}: is not a valid {path.suffix[1:]} file ({error})") from error


def _read_tensor_names(path: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as tensors:
            tensors.keys()
    except SafetensorError as error:
        raise ValueError(error) from error


def _check_ends(path: Path, first: bytes, last: bytes) -> None:
    content = path.read_bytes()
    if not (content.startswith(first) and content.endswith(last)):
        raise ValueError("its first or last bytes are wrong")


def check_verdict(version: Version) -> None:
    """Compare the verdict of the manifest with the recorded gates, and with gates that are evaluated again.

    The gates are evaluated on the published metrics, under the profile and the limits of the manifest.

    Raises:
        RegistryError: manifest, gates and metrics do not agree, or a verdict other than PASS has no override.
    """
    path = version.folder / "metrics.json"
    evaluation = read_evaluation(path, RegistryError)
    recorded = verdict_of(evaluation.gates)
    if recorded != version.verdict:
        raise RegistryError(
            f"{version.folder}: claims the verdict {version.verdict}, but its gates give {recorded}"
        )
    verdict = recomputed_verdict(
        evaluation, profile=version.profile, limits=version.limits, paracosm=version.paracosm, where=path
    )
    if verdict != version.verdict:
        raise RegistryError(
            f"{version.folder}: claims the verdict {version.verdict}, but its metrics give {verdict}"
        )
    if verdict != "PASS" and not version.override:
        raise RegistryError(f"{version.folder}: has the verdict {verdict} and no override")


def check_card(version: Version) -> None:
    """Check that the tags of the card state the verdict of the manifest, and the override if there is one.

    Raises:
        RegistryError: a tag is missing or wrong.
    """
    path = version.folder / "README.md"
    check_regular(path, largest=LARGEST_TEXT)
    tags = front_matter(path.read_text(encoding="utf-8", errors="replace")).get("tags", [])
    tags = set(map(str, tags)) if isinstance(tags, list) else set()
    expected = {f"gate-{version.verdict.lower()}"} | ({OVERRIDDEN} if version.override else set())
    if {tag for tag in tags if tag.startswith("gate-")} != expected:
        raise RegistryError(
            f"{path}: is not tagged {' and '.join(sorted(expected))}, as its manifest requires"
        )


def front_matter(card: str) -> dict[str, Any]:
    """Return the YAML front matter of a card of unknown origin, or an empty mapping if it cannot be read."""
    match = FRONT_MATTER.match(card)
    try:
        front = yaml.safe_load(match[1]) if match else None
    except (yaml.YAMLError, RecursionError, ValueError):
        return {}
    return front if isinstance(front, dict) else {}

"""What a published version holds: which files may be published, their digests, and the check of a folder against them."""

import json
import os
import re
import stat
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from paracosm.recipes.digest import file_digest
from paracosm.recipes.errors import RegistryError
from paracosm.registry.facts import STATES, verdict_of

MANIFEST = "manifest.json"
LAYOUT = 1
REQUIRED = (
    "README.md",
    "metrics.json",
    "schema.json",
    "codec.json",
    "base.json",
    "adapter_config.json",
    "adapter_model.safetensors",
)
ALLOWED_SUFFIXES = (".safetensors", ".json", ".txt", ".jinja", ".model")
FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
LARGEST_TEXT = 64 * 2**20


@dataclass(frozen=True, kw_only=True)
class Version:
    """One published version, as its manifest describes it."""

    name: str
    number: int
    published: str
    """When, in UTC, as ISO 8601."""
    verdict: str
    """PASS, FAIL or INCONCLUSIVE; the last two only with an override."""
    override: dict[str, str] | None
    """`reason` and `by`, when it was published against its verdict."""
    base_model: str
    paracosm: str
    """Version of Paracosm that published it."""
    files: dict[str, dict[str, Any]]
    """File name -> `sha256` in hex and `bytes`."""
    folder: Path
    """Where it lies; not part of the manifest."""

    @property
    def reference(self) -> str:
        """How to name this version in `pull`, `show` and `verify`."""
        return f"{self.name}@v{self.number}"

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(each["bytes"] for each in self.files.values())

    def save(self) -> None:
        """Write the manifest into the version's folder."""
        plain = {key: value for key, value in asdict(self).items() if key != "folder"}
        (self.folder / MANIFEST).write_text(
            json.dumps({"layout": LAYOUT} | plain, indent=1) + "\n", encoding="utf-8"
        )

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read the manifest of `folder`, checking its form but no digest.

        Raises:
            RegistryError: it is missing, damaged, or names a file outside of the folder.
        """
        path = folder / MANIFEST
        try:
            check_regular(path, largest=LARGEST_TEXT)
            plain = json.loads(path.read_text(encoding="utf-8"))
            layout = plain.pop("layout")
            version = cls(folder=folder, **plain)
            sound = layout == LAYOUT and _is_sound(version) and all(map(_is_entry, version.files.items()))
        except OSError as fault:
            raise RegistryError(f"{path}: cannot be read: {fault.strerror or fault}") from fault
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as fault:
            raise RegistryError(f"{path}: is no manifest of layout {LAYOUT}") from fault
        if not sound:
            raise RegistryError(
                f"{path}: is no manifest of layout {LAYOUT}, or names a file that may not be published"
            )
        return version


def _is_sound(version: Version) -> bool:
    words = (version.name, version.published, version.base_model, version.paracosm)
    reason = version.override
    reasoned = reason is None or (
        set(reason) == {"reason", "by"} and all(isinstance(word, str) for word in reason.values())
    )
    return (
        isinstance(version.number, int)
        and all(isinstance(word, str) for word in words)
        and version.verdict in STATES
        and reasoned
    )


def _is_entry(item: tuple[str, dict[str, Any]]) -> bool:
    name, entry = item
    sound = (
        isinstance(entry["bytes"], int)
        and entry["bytes"] >= 0
        and re.fullmatch(r"[0-9a-f]{64}", entry["sha256"])
    )
    return may_publish(name) and bool(sound)


def may_publish(name: str) -> bool:
    """Return whether a file of this name may be in a version: flat, and of a kind that is never unpickled."""
    return (
        bool(FILE_NAME.fullmatch(name))
        and (name == "README.md" or name.endswith(ALLOWED_SUFFIXES))
        and name != MANIFEST
    )


def file_entries(folder: Path) -> dict[str, dict[str, Any]]:
    """Return digest and size of every file of `folder`, the manifest aside."""
    paths = sorted(path for path in folder.iterdir() if path.name != MANIFEST)
    return {path.name: {"sha256": file_digest(path), "bytes": path.stat().st_size} for path in paths}


def check_version(version: Version) -> None:
    """Check every file of a version against its manifest, before anything is loaded from it.

    Raises:
        RegistryError: a file is missing, added, changed, a link, or no sound safetensors file;
            or the verdict is not what the version's own metrics amount to.
    """
    folder = version.folder
    found = {entry.name for entry in os.scandir(folder)} - {MANIFEST}
    if missing := {*REQUIRED, *version.files} - (found & set(version.files)):
        raise RegistryError(f"{folder}: lacks {', '.join(sorted(missing))}")
    if added := found - set(version.files):
        raise RegistryError(f"{folder}: holds {', '.join(sorted(added))}, which its manifest does not name")
    for name, entry in version.files.items():
        path = folder / name
        check_regular(path, largest=entry["bytes"])
        if path.stat().st_size != entry["bytes"] or file_digest(path) != entry["sha256"]:
            raise RegistryError(
                f"{path}: differs from its manifest; the version is damaged or was tampered with"
            )
        check_content(path)
    check_verdict(version)


def check_regular(path: Path, *, largest: int) -> None:
    """Check that `path` is a regular file, no link, of at most `largest` bytes."""
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode):
        raise RegistryError(f"{path}: is no regular file; links and devices are refused")
    if facts.st_size > largest:
        raise RegistryError(f"{path}: has {facts.st_size} bytes, more than the {largest} allowed")


def check_content(path: Path) -> None:
    """Check that a file is what its name says, without unpickling or running anything."""
    try:
        if path.suffix == ".safetensors":
            _read_tensor_names(path)
        elif path.suffix == ".json":
            json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as fault:
        raise RegistryError(f"{path}: is no sound {path.suffix[1:]} file ({fault})") from fault


def _read_tensor_names(path: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as tensors:
            tensors.keys()
    except SafetensorError as fault:
        raise ValueError(fault) from fault


def check_verdict(version: Version) -> None:
    """Check that the manifest's verdict is what the published metrics amount to, and that a failed one was overridden."""
    path = version.folder / "metrics.json"
    try:
        verdict = verdict_of(json.loads(path.read_text(encoding="utf-8")))
    except (KeyError, TypeError) as fault:
        raise RegistryError(f"{path}: holds no gates") from fault
    if verdict != version.verdict:
        raise RegistryError(
            f"{version.folder}: claims the verdict {version.verdict}, but its gates amount to {verdict}"
        )
    if verdict != "PASS" and not version.override:
        raise RegistryError(f"{version.folder}: carries the verdict {verdict} and no override")

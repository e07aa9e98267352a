"""What a published version holds: which files may be published, their digests, and the check of a folder against them."""

import json
import os
import re
import stat
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from paracosm.eval.results.gate_result import DECIDING_STATES
from paracosm.foundation.digests import file_digest
from paracosm.foundation.errors import RegistryError

MANIFEST = "manifest.json"
SIGNATURE = "model.sig"
BESIDE = (MANIFEST, SIGNATURE)
"""Files of a version that its manifest cannot name."""
LAYOUT = 2
DATASET = "dataset"
REQUIRED = (
    "README.md",
    "metrics.json",
    "schema.json",
    "codec.json",
    "base.json",
    "provenance.json",
)
ADAPTER = ("adapter_config.json", "adapter_model.safetensors")
WHOLE = "config.json"
"""In the place of an adapter: the configuration of a model whose own weights were trained, beside its `model*.safetensors`."""
ALLOWED_SUFFIXES = (".safetensors", ".json", ".txt", ".jinja", ".model", ".png")
FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
DATASET_FILES = ("README.md", "croissant.json", "records.parquet")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,95}")
LARGEST_TEXT = 64 * 2**20
LARGEST_MANIFEST = 4 * 2**20
MOST_FILES = 10_000
LONGEST_WORD = 500


@dataclass(frozen=True, kw_only=True)
class Version:
    """One published version, as its manifest describes it."""

    name: str
    number: int
    published: str
    """When, in UTC, as ISO 8601."""
    verdict: str
    """PASS, FAIL or INCONCLUSIVE; the last two only with an override."""
    profile: str
    """The release profile that set the gates' limits."""
    limits: dict[str, float]
    """Gate -> the recipe's own limit, where it is not the profile's."""
    override: dict[str, str] | None
    """`reason` and `by`, when it was published against its verdict."""
    base_model: str
    paracosm: str
    """Version of Paracosm that published it."""
    files: dict[str, dict[str, Any]]
    """File name -> `sha256` in hex and `bytes`."""
    folder: Path
    """Where it lies; not part of the manifest."""
    aliases: tuple[str, ...] = field(default=(), compare=False)
    """What it was promoted to; not part of the manifest, because that never changes."""
    where: str = field(default="", compare=False)
    """Folder or URL, for people; not part of the manifest."""

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
        plain = {
            key: value for key, value in asdict(self).items() if key not in ("folder", "aliases", "where")
        }
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
            check_regular(path, largest=LARGEST_MANIFEST)
            text = path.read_text(encoding="utf-8")
        except OSError as fault:
            raise RegistryError(f"{path}: cannot be read: {fault.strerror or fault}") from fault
        except ValueError as fault:
            raise RegistryError(f"{path}: is no manifest of layout {LAYOUT}") from fault
        return cls.read(text, folder, where=str(path))

    @classmethod
    def read(cls, text: str, folder: Path, *, where: str) -> Self:
        """Return the version that the manifest `text` describes; `where` names it in an error.

        Raises:
            RegistryError: it is damaged, or names a file that no version may hold.
        """
        try:
            plain = json.loads(text, object_pairs_hook=_without_twins)
            layout = plain.pop("layout")
            if layout != LAYOUT:
                raise RegistryError(
                    f"{where}: has layout {_short(layout)}; this version of Paracosm reads {LAYOUT}"
                )
            if {"folder", "aliases", "where"} & set(plain):
                raise ValueError("says what only its registry knows")
            version = cls(folder=folder, **plain)
            sound = _is_sound(version)
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError) as fault:
            raise RegistryError(f"{where}: is no manifest of layout {LAYOUT}") from fault
        if not sound:
            raise RegistryError(
                f"{where}: is no manifest of layout {LAYOUT}, or names a file that may not be published"
            )
        return version


def _short(value: Any) -> str:
    return value if isinstance(value, str) and value.isprintable() and len(value) < 20 else repr(value)[:20]


def _without_twins(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # JSON readers differ in which of two equal keys they believe.
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _is_sound(version: Version) -> bool:
    words = [version.published, version.base_model, version.paracosm, version.profile]
    words += list((version.override or {}).values())
    return (
        _is_count(version.number)
        and version.number < 10**9
        and bool(NAME.fullmatch(version.name))
        and version.verdict in DECIDING_STATES
        and (version.override is None or set(version.override) == {"reason", "by"})
        and all(map(_is_line, words))
        and all(_is_line(gate) and _is_number(limit) for gate, limit in version.limits.items())
        and len(version.files) <= MOST_FILES
        and len({name.casefold() for name in version.files}) == len(version.files)
        and all(map(_is_entry, version.files.items()))
    )


def _is_line(word: Any) -> bool:
    return isinstance(word, str) and word.isprintable() and len(word) <= LONGEST_WORD


def _is_count(number: Any) -> bool:
    return type(number) is int and number >= 0


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and value == value


def _is_entry(item: tuple[str, dict[str, Any]]) -> bool:
    name, entry = item
    sound = (
        set(entry) == {"sha256", "bytes"}
        and _is_count(entry["bytes"])
        and re.fullmatch(r"[0-9a-f]{64}", entry["sha256"], re.ASCII)
    )
    return may_publish(name) and bool(sound)


def may_publish(name: str) -> bool:
    """Return whether a file of this name may be in a version: known folders only, of a kind that is never unpickled."""
    folder, found, file = name.rpartition("/")
    if found:
        return folder == DATASET and file in DATASET_FILES
    return (
        bool(FILE_NAME.fullmatch(name))
        and (name == "README.md" or name.endswith(ALLOWED_SUFFIXES))
        and name not in BESIDE
    )


def file_entries(folder: Path) -> dict[str, dict[str, Any]]:
    """Return digest and size of every file below `folder`, manifest and signature aside."""
    names = sorted(names_in(folder) - set(BESIDE))
    return {
        name: {"sha256": file_digest(folder / name), "bytes": (folder / name).stat().st_size}
        for name in names
    }


def names_in(folder: Path) -> set[str]:
    """Return the names of everything below `folder` that is no folder; a link to a folder is a name."""
    found = set()
    for path, folders, files in os.walk(folder):
        here = Path(path).relative_to(folder)
        links = [each for each in folders if (Path(path) / each).is_symlink()]
        found |= {(here / each).as_posix() for each in (*files, *links)}
    return found


def check_regular(path: Path, *, largest: int) -> None:
    """Check that `path` is a regular file, no link, of at most `largest` bytes."""
    facts = path.lstat()
    if not stat.S_ISREG(facts.st_mode):
        raise RegistryError(f"{path}: is no regular file; links and devices are refused")
    if facts.st_size > largest:
        raise RegistryError(f"{path}: has {facts.st_size} bytes, more than the {largest} allowed")

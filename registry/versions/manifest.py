"""Manifest of a published version: its fields, the files that a version may hold, and their digests."""

import json
import math
import os
import re
import stat
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, ConfigDict, Field, TypeAdapter, ValidationError

from paracosm.eval.results.gate_result import DECIDING_STATES
from paracosm.foundation.digests import file_digest
from paracosm.foundation.errors import RegistryError
from paracosm.recipes.sections.release import What

MANIFEST = "manifest.json"
SIGNATURE = "model.sig"
BESIDE = (MANIFEST, SIGNATURE)
"""Files of a version that its manifest does not list, because they are written after it."""
LAYOUT = 2
DATASET = "dataset"
"""Folder of the synthetic records in a version."""
RECORDS = f"{DATASET}/records.parquet"
REQUIRED = ("README.md", "metrics.json", "provenance.json")
OF_MODEL = ("schema.json", "codec.json", "base.json")
"""Files beside the weights, without which no record is written or read."""
ALLOWED_SUFFIXES = (".safetensors", ".json", ".txt", ".jinja", ".model", ".png")
FILE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
REPORT = "report.html"
PICTURE = ".png"
DOMAIN = "domain"
"""Folder of the weights that an adapter stands on, where its base model was trained on a corpus first."""
DOMAIN_FILES = (
    "adapter_config.json",
    "adapter_model.safetensors",
    "config.json",
    "generation_config.json",
    "model.safetensors",
)
DATASET_FILES = ("README.md", "croissant.json", "records.parquet")
NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,95}")
LARGEST_TEXT = 64 * 2**20
LARGEST_MANIFEST = 4 * 2**20
MOST_FILES = 10_000
LONGEST_LINE = 500
"""Highest number of characters in a text of the manifest, which `list` and error messages print."""
STRICT = ConfigDict(strict=True, extra="forbid")


def _require(condition: bool, message: str) -> None:
    if not condition:
        raise ValueError(message)


def _checked_line(line: str) -> str:
    _require(line.isprintable() and len(line) <= LONGEST_LINE, "is not one printable line")
    return line


def _checked_limit(limit: float) -> float:
    # A gate with an infinite limit is allowed; NaN makes every comparison false.
    _require(not math.isnan(limit), "is not a number")
    return limit


def _checked_name(name: str) -> str:
    _require(bool(NAME.fullmatch(name)), "is not a model name")
    return name


def _checked_verdict(verdict: str) -> str:
    _require(verdict in DECIDING_STATES, "is not a verdict")
    return verdict


def _checked_files(files: "dict[str, FileEntry]") -> "dict[str, FileEntry]":
    _require(all(map(may_publish, files)), "a file is not allowed in a version")
    _require(len({name.casefold() for name in files}) == len(files), "two names differ in case alone")
    return files


Line = Annotated[str, AfterValidator(_checked_line)]
Limit = Annotated[float, AfterValidator(_checked_limit)]


@dataclass(frozen=True)
class FileEntry:
    """SHA-256 in hexadecimal and size in bytes of one file."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    sha256: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    bytes: Annotated[int, Field(ge=0)]


@dataclass(frozen=True)
class Override:
    """Why a version was published against its verdict, and who answers for it."""

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    reason: Line
    by: Line


@dataclass(frozen=True, kw_only=True)
class Version:
    """One published version, as its manifest describes it.

    The annotations are the rules of the manifest; `read` checks them.
    """

    __pydantic_config__: ClassVar[ConfigDict] = STRICT

    name: Annotated[str, AfterValidator(_checked_name)]
    number: Annotated[int, Field(ge=0, lt=10**9)]
    published: Line
    """Time of publication in UTC, as ISO 8601."""
    verdict: Annotated[str, AfterValidator(_checked_verdict)]
    """PASS, FAIL or INCONCLUSIVE; the last two need an override."""
    profile: Line
    """Release profile that sets the limits of the gates."""
    what: What = "both"
    """What the version releases: `records`, the `adapter`, or `both`. Absent in manifests of earlier versions."""
    limits: dict[Line, Limit]
    """Limits of the recipe that differ from those of the profile, by gate."""
    override: Override | None
    """Reason and person, if the version was published against its verdict."""
    base_model: Line
    paracosm: Line
    """Version of Paracosm that published it."""
    files: Annotated[dict[str, FileEntry], Field(max_length=MOST_FILES), AfterValidator(_checked_files)]
    """Digest and size of every file, by its name."""
    folder: Path = Path()
    """Folder that holds the files; not part of the manifest."""
    aliases: tuple[str, ...] = field(default=(), compare=False)
    """Aliases that point to this version; not part of the manifest, which never changes."""
    where: str = field(default="", compare=False)
    """Folder or URL for messages; not part of the manifest."""

    @property
    def holds_adapter(self) -> bool:
        """Whether the version holds the adapter, so that records can be generated from it."""
        return self.what != "records"

    @property
    def reference(self) -> str:
        """Name and number, as `pull`, `show` and `verify` take them."""
        return f"{self.name}@v{self.number}"

    @property
    def size(self) -> int:
        """Size of all files in bytes."""
        return sum(entry.bytes for entry in self.files.values())

    def download_limits(self) -> dict[str, int]:
        """Return the highest number of bytes that a store may copy of each file, manifest included."""
        return {name: entry.bytes for name, entry in self.files.items()} | {MANIFEST: LARGEST_MANIFEST}

    def expected(self, name: str, number: int, *, where: str) -> "Version":
        """Return this version with its location, after checking that it is the one that a store was asked for.

        Args:
            name: name that the store was asked for.
            number: number that the store was asked for.
            where: folder or URL of the version.

        Raises:
            RegistryError: the manifest has another name or number.
        """
        if (self.name, self.number) != (name, number):
            raise RegistryError(f"{where}: its manifest is that of {self.reference}")
        return replace(self, where=where)

    def save(self) -> None:
        """Write the manifest into the folder of the version."""
        plain = {key: value for key, value in asdict(self).items() if key not in NOT_IN_MANIFEST}
        (self.folder / MANIFEST).write_text(
            json.dumps({"layout": LAYOUT} | plain, indent=1) + "\n", encoding="utf-8"
        )

    @classmethod
    def load(cls, folder: Path) -> "Version":
        """Read and check the manifest of a folder. No digest is checked.

        Raises:
            RegistryError: the manifest is missing or damaged, or lists a file that is not allowed in a version.
        """
        path = folder / MANIFEST
        try:
            check_regular(path, largest=LARGEST_MANIFEST)
            text = path.read_text(encoding="utf-8")
        except OSError as error:
            raise RegistryError(f"{path}: cannot be read: {error.strerror or error}") from error
        except ValueError as error:
            raise RegistryError(
                f"{path}: is not a manifest of layout {LAYOUT}: it is not UTF-8 text"
            ) from error
        return cls.read(text, folder, where=str(path))

    @classmethod
    def read(cls, text: str, folder: Path, *, where: str) -> "Version":
        """Return the version that a manifest describes.

        Args:
            text: the manifest.
            folder: folder that holds the files of the version.
            where: names the manifest in an error.

        Raises:
            RegistryError: the manifest is damaged, or lists a file that is not allowed in a version.
        """
        try:
            plain = json.loads(text, object_pairs_hook=_unique_keys)
            _require(isinstance(plain, dict) and "layout" in plain, "it has no layout")
            layout = plain.pop("layout")
            if layout != LAYOUT:
                raise RegistryError(
                    f"{where}: has layout {_short(layout)}; this version of Paracosm reads {LAYOUT}"
                )
            _require(not set(NOT_IN_MANIFEST) & set(plain), "it has a key that is not part of a manifest")
            version = _VERSION.validate_json(json.dumps(plain))
        except ValidationError as error:
            raise RegistryError(f"{where}: is not a manifest of layout {LAYOUT}: {_reason(error)}") from error
        except (ValueError, RecursionError) as error:
            raise RegistryError(f"{where}: is not a manifest of layout {LAYOUT}") from error
        return replace(version, folder=folder)


_VERSION = TypeAdapter(Version)
NOT_IN_MANIFEST = ("folder", "aliases", "where")
"""Fields of a version that its registry sets."""


def _reason(error: ValidationError) -> str:
    """Return the first problem of a manifest, without any text from the manifest itself."""
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    key, *below = problem["loc"]
    if key not in Version.__dataclass_fields__:
        return "a key is not part of a manifest"
    missing = problem["type"] == "missing" and not below
    return f"{key!r} is missing" if missing else f"{key!r} has a value that is not allowed"


def _short(value: Any) -> str:
    return value if isinstance(value, str) and value.isprintable() and len(value) < 20 else repr(value)[:20]


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    # Of two equal keys, JSON readers differ in which one they take.
    plain = dict(pairs)
    _require(len(plain) == len(pairs), "a key occurs twice")
    return plain


def may_publish(name: str) -> bool:
    """Return whether a version may hold a file of this name: in a known folder, and of a format that is never unpickled."""
    folder, slash, file = name.rpartition("/")
    if slash:
        return file in {DATASET: DATASET_FILES, DOMAIN: DOMAIN_FILES}.get(folder, ())
    return (
        bool(FILE_NAME.fullmatch(name))
        and (name in ("README.md", REPORT) or name.endswith(ALLOWED_SUFFIXES))
        and name not in BESIDE
    )


def of_records(name: str) -> bool:
    """Return whether a version that releases records alone may hold a file: nothing from which a model or its schema is read."""
    return name in REQUIRED or name.startswith(f"{DATASET}/") or name == REPORT or name.endswith(PICTURE)


def file_entries(folder: Path) -> dict[str, FileEntry]:
    """Return digest and size of every file below `folder`, except manifest and signature."""
    names = sorted(names_in(folder) - set(BESIDE))
    return {name: FileEntry(file_digest(folder / name), (folder / name).stat().st_size) for name in names}


def names_in(folder: Path) -> set[str]:
    """Return the relative names of all files below `folder`, and of links to folders."""
    names = set()
    for path, folders, files in os.walk(folder):
        relative = Path(path).relative_to(folder)
        links = [name for name in folders if (Path(path) / name).is_symlink()]
        names |= {(relative / name).as_posix() for name in (*files, *links)}
    return names


def check_regular(path: Path, *, largest: int) -> None:
    """Check that `path` is a regular file of at most `largest` bytes.

    Raises:
        RegistryError: it is a link, a folder, a pipe or a device, or it is larger.
    """
    status = path.lstat()
    if not stat.S_ISREG(status.st_mode):
        raise RegistryError(f"{path}: is not a regular file; links, folders and devices are refused")
    if status.st_size > largest:
        raise RegistryError(f"{path}: has {status.st_size:,} bytes, more than the {largest:,} allowed")

"""A release: the files of a new version, which a store writes to a folder, checks, numbers and signs."""

import errno
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from paracosm.foundation.errors import RegistryError
from paracosm.registry.versions.checks import check_version
from paracosm.registry.versions.file_formats import check_content
from paracosm.registry.versions.manifest import SIGNATURE, Version, file_entries, may_publish
from paracosm.registry.versions.signature import sign


@dataclass(frozen=True)
class Release:
    """The content of a version that is not published yet.

    Attributes:
        files: the file to copy or the text to write, by the name in the version.
        about: fields of the manifest; number, files and folder are set by `lay_out` and `seal`.
        key: private key in a PEM file to sign with, or None.
        public: whether everybody may read the version, in stores that have access control.
    """

    files: dict[str, Path | str]
    about: Version
    key: Path | None = None
    public: bool = False

    def lay_out(self, folder: Path) -> Version:
        """Write all files to `folder`, without a manifest, and check them.

        Raises:
            RegistryError: a file is not allowed in a version or not valid, or the verdict does not follow from the metrics.
        """
        for name, content in self.files.items():
            _write(content, folder, name)
        version = replace(self.about, folder=folder, files=file_entries(folder))
        check_version(version)
        return version

    def seal(self, version: Version, number: int) -> Version:
        """Set the number of a version that was laid out: write its manifest, and the signature if there is a key."""
        version = replace(version, number=number)
        version.save()
        if self.key is not None:
            (version.folder / SIGNATURE).unlink(missing_ok=True)
            sign(version.folder, self.key)
        return version


def _write(content: Path | str, folder: Path, name: str) -> None:
    if not may_publish(name):
        raise RegistryError(
            f"{content if isinstance(content, Path) else name}: is of a kind that is never published (see docs/registry.md)"
        )
    target = folder / name
    target.parent.mkdir(exist_ok=True)
    if isinstance(content, str):
        target.write_text(content, encoding="utf-8")
    else:
        copy_regular(content, target)
    try:
        check_content(target)
    except RegistryError as error:
        # The copy is deleted before anybody reads the message.
        raise RegistryError(
            str(error).replace(str(target), str(content if isinstance(content, Path) else name))
        ) from error


def copy_regular(source: Path, target: Path) -> None:
    """Copy a file without following links.

    Raises:
        RegistryError: `source` is a link.
        FileExistsError: `target` exists.
    """
    try:
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise RegistryError(f"{source}: is a link; links are refused") from error
        raise
    with os.fdopen(handle, "rb") as reader, target.open("xb") as writer:
        shutil.copyfileobj(reader, writer)

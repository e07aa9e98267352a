"""A release on its way: named files, laid out in a folder, checked, numbered and signed."""

import errno
import os
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from paracosm.foundation.errors import RegistryError
from paracosm.registry.versions.checks import check_content, check_version
from paracosm.registry.versions.manifest import SIGNATURE, Version, file_entries, may_publish
from paracosm.registry.versions.signature import sign


@dataclass(frozen=True)
class Release:
    """What is about to be published.

    Attributes:
        files: published name -> the file to copy, or the text to write.
        about: what the manifest says; number, files and folder are filled in on the way.
        key: the private key to sign with, if any.
        public: whether everybody may read it, where a registry can tell.
    """

    files: dict[str, Path | str]
    about: Version
    key: Path | None = None
    public: bool = False

    def lay_out(self, folder: Path) -> Version:
        """Write every file into `folder`, without a manifest yet, and check them all.

        Raises:
            RegistryError: a file may not be published, is unsound, or the verdict does not hold.
        """
        for name, content in self.files.items():
            _place(content, folder, name)
        version = replace(self.about, folder=folder, files=file_entries(folder))
        check_version(version)
        return version

    def seal(self, version: Version, number: int) -> Version:
        """Give a laid-out version its number: write its manifest, and the signature over everything."""
        version = replace(version, number=number)
        version.save()
        if self.key is not None:
            (version.folder / SIGNATURE).unlink(missing_ok=True)
            sign(version.folder, self.key)
        return version


def _place(content: Path | str, folder: Path, name: str) -> None:
    if not may_publish(name):
        raise RegistryError(
            f"{content if isinstance(content, Path) else name}: is of a kind that is never published"
        )
    target = folder / name
    target.parent.mkdir(exist_ok=True)
    if isinstance(content, str):
        target.write_text(content, encoding="utf-8")
    else:
        copy_regular(content, target)
    check_content(target)


def copy_regular(source: Path, target: Path) -> None:
    """Copy a file that is no link to a name that is not taken.

    Raises:
        RegistryError: `source` is a link.
    """
    try:
        handle = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as fault:
        if fault.errno == errno.ELOOP:
            raise RegistryError(f"{source}: is a link; links are refused") from fault
        raise
    with os.fdopen(handle, "rb") as reader, target.open("xb") as writer:
        shutil.copyfileobj(reader, writer, 2**20)

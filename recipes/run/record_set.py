"""A further set of synthetic records of a run, which `generate --out DIR` writes outside the run directory."""

from pathlib import Path

from paracosm.foundation.errors import RunError
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.journal import Journal

JOURNAL = ".generate.json"
"""Readers of a folder of Parquet files skip names that begin with a dot."""


class RecordSet(Run):
    """A folder of shards with the journal of the generate stage that wrote them. Created with mode 0700."""

    @property
    def journal(self) -> Journal:
        return Journal(self.root / JOURNAL)

    @property
    def synthetic(self) -> Path:
        return self.root

    def outputs(self, stage: str) -> tuple[Path, ...]:
        """Return the shards and the folders of other formats, but not the journal."""
        return tuple(sorted((*self.root.glob("part-*.parquet"), *self.root.glob("_*"))))

    def make(self) -> None:
        """Create the folder if it does not exist, and remove the partial files of writes that were killed."""
        self.root.mkdir(mode=0o700, parents=True, exist_ok=True)
        for partial in self.root.glob(".*.partial"):
            partial.unlink(missing_ok=True)

    @classmethod
    def of(cls, root: Path, run: Run) -> "RecordSet":
        """Return the set of records in a folder, which may not exist yet.

        Raises:
            RunError: the folder holds other files, is a file, or belongs to the run.
        """
        if root.resolve() in (run.root.resolve(), run.synthetic.resolve()):
            raise RunError(f"--out {root}: is a folder of the run itself; name another folder")
        if root.exists() and not root.is_dir():
            raise RunError(f"--out {root}: is not a folder")
        if root.exists() and any(root.iterdir()) and not (root / JOURNAL).is_file():
            raise RunError(
                f"--out {root}: is not empty and was not written by `paracosm generate --out`; name another folder"
            )
        return cls(root)

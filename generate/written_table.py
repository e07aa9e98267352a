"""The table of a database that a run writes its synthetic records to, after its shards are complete."""

from pathlib import Path

from paracosm.foundation.credentials.redaction import redact_url
from paracosm.foundation.digests import value_digest
from paracosm.foundation.progress import Progress
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.databases.table_writer import Destination, check_destination, write_table

NOTE = "written_to"
"""Key of the journal that says where the records are."""


def refuse_destination(recipe: Recipe, run: Run | None, root: Path) -> None:
    """Check that the records can be written, unless they have been.

    Args:
        recipe: the whole recipe.
        run: holds the journal of the stage; None before there is one.
        root: the folder that relative paths start from.

    Raises:
        DataError: the database cannot be reached, or the table may not be changed.
    """
    destination = Destination.of(recipe.generate, root)
    if destination is not None and (run is None or not _is_written(run, destination)):
        check_destination(destination, recipe.data)


def write_back(recipe: Recipe, run: Run, root: Path, progress: Progress) -> None:
    """Write all shards of a finished stage into the table that the recipe names, once.

    Raises:
        DataError: the database refuses something; then nothing is written, and the shards stay.
    """
    destination = Destination.of(recipe.generate, root)
    if destination is None or _is_written(run, destination):
        return
    check_destination(destination, recipe.data)
    count = write_table(destination, sorted(run.synthetic.glob("part-*.parquet")))
    run.journal.note(**{NOTE: _note(run, destination)})
    progress(f"wrote {count:,} records into {destination.shown}")


def _is_written(run: Run, destination: Destination) -> bool:
    return run.journal.read().get(NOTE) == _note(run, destination)


def _note(run: Run, destination: Destination) -> dict[str, str]:
    """Return where the records are and which ones: other records, or another table, are written again."""
    shards = run.journal.stage("generate").get("outputs", {})
    return {
        "to": redact_url(destination.url),
        "table": destination.table,
        "records": value_digest(shards),
    }

"""The `records` stage: source -> schema -> splits, in the run directory."""

import json
import secrets
from pathlib import Path
from typing import Any

import pandas as pd

from paracosm.foundation.digests import file_digest, value_digest
from paracosm.foundation.errors import RunError
from paracosm.foundation.files import replacing, write_text
from paracosm.foundation.progress import Progress, silent
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import SPLITS, Run
from paracosm.recipes.run.open_run import OpenRun
from paracosm.recipes.run.stage import run_stage
from paracosm.records.assembly import Prepared, assemble
from paracosm.records.constraints.rules import read_rules
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import write_table
from paracosm.records.sources.read_source import from_object, read_source, source_digest, table_digest
from paracosm.records.splitting.given_splits import given_digests, read_given


def prepare(
    *, recipe: Recipe, run: Run, root: Path | None = None, table: Any = None, progress: Progress = silent
) -> bool:
    """Run the `records` stage unless it is up to date; return whether it ran.

    Args:
        recipe: its `data` section is read, and its rules are checked.
        run: gets `splits/{train,control,test}.parquet` and `splits/schema.json`.
        root: the folder that relative paths start from; the recipe's folder, as the run knows it, when absent.
        table: a pandas, pyarrow or `datasets` table to use instead of `data.source`.
        progress: takes progress lines.

    Raises:
        DataError: the source cannot be used as the recipe asks.
    """
    return run_stage(
        _Records(run.recipe_folder if root is None else root, table),
        recipe=recipe,
        run=run,
        progress=progress,
    )


class _Records:
    """The `records` stage."""

    name = "records"

    def __init__(self, root: Path, table: Any) -> None:
        self.root = root
        self.table = table
        self.raw: pd.DataFrame | None = None
        self.prepared: Prepared | None = None

    def inputs(self, recipe: Recipe, run: Run) -> dict[str, Any]:
        data = recipe.data
        if self.table is not None:
            self.raw = from_object(self.table, drop=data.drop, nested=data.nested)
        digest = source_digest(data, root=self.root) if self.raw is None else None
        if digest is None:
            self.raw = read_source(data, root=self.root) if self.raw is None else self.raw
            digest = table_digest(self.raw.drop(columns=data.drop, errors="ignore"))
        given = given_digests(data, root=self.root)
        return {"data": records_digest(recipe), "source": digest} | ({"given": given} if given else {})

    def check(self, recipe: Recipe, run: Run, progress: Progress) -> None:
        raw = read_source(recipe.data, root=self.root) if self.raw is None else self.raw
        given = read_given(recipe.data, root=self.root)
        self.prepared = assemble(recipe, raw, given=given, salt=_salt(recipe, run), progress=progress)
        # A rule that cannot be parsed is reported now, not after the training.
        read_rules(recipe.rules, self.prepared.schema, self.root)

    def work(self, recipe: Recipe, run: Run, progress: Progress) -> dict[str, Any]:
        assert self.prepared is not None, "check() runs before work()"
        for name in SPLITS:
            write_table(self.prepared.splits[name], run.split(name), self.prepared.schema)
        self.prepared.schema.save(run.schema)
        if self.prepared.real:
            write_text(run.real_values, json.dumps(self.prepared.real))
        digests = {name: file_digest(run.split(name)) for name in SPLITS}
        return self.prepared.facts | {"sha256": digests, "warnings": list(self.prepared.warnings)}


def records_digest(recipe: Recipe) -> str:
    """Return the digest of the settings that decide on the records: the data section, and whether they are private."""
    return value_digest({"data": recipe.data.model_dump(mode="json"), "private": recipe.privacy is not None})


def preview(recipe: Recipe, *, root: Path, table: Any = None) -> tuple[Schema, dict[str, pd.DataFrame]]:
    """Return the schema and the splits that `prepare` would write."""
    prepared = assemble(
        recipe,
        read_source(recipe.data, root=root)
        if table is None
        else from_object(table, drop=recipe.data.drop, nested=recipe.data.nested),
        given=read_given(recipe.data, root=root),
    )
    return prepared.schema, prepared.splits


def _salt(recipe: Recipe, run: Run) -> bytes | None:
    """Return the run's secret key of invented values, drawn at its first use; it never leaves the run directory."""
    if recipe.data.pii is None or recipe.data.pii.action != "replace":
        return None
    if not run.pii_key.exists():
        with replacing(run.pii_key) as partial:
            partial.touch(mode=0o600)
            partial.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
    try:
        return bytes.fromhex(run.pii_key.read_text(encoding="ascii"))
    except ValueError as error:
        raise RunError(
            f"{run.pii_key}: is damaged; remove it to replace personal data again, with other values"
        ) from error


def has_records(opened: OpenRun) -> bool:
    """Return whether the run's splits were made with the recipe's settings. The source is not needed."""
    record = opened.run.journal.stage("records")
    return record.get("status") == "done" and record["inputs"]["data"] == records_digest(opened.recipe)

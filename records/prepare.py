"""The `records` stage: source -> schema -> splits, in the run directory."""

from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from paracosm.recipes.digest import file_digest, value_digest
from paracosm.recipes.errors import DataError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run_directory import SPLITS, Run
from paracosm.records.declared_schema import bare, check_declared, refuse_empty
from paracosm.records.domains import fit_domains
from paracosm.records.infer import Inference, infer
from paracosm.records.rules import read_rules
from paracosm.records.schema import Schema
from paracosm.records.sequences import fit_sequence
from paracosm.records.sources import from_object, read_source, source_digest, table_digest
from paracosm.records.splits import divide, divide_independently, find_clusters
from paracosm.records.typed_table import to_records, to_typed, write_table


@dataclass(frozen=True)
class Prepared:
    """What the records stage makes of a source.

    Attributes:
        schema: every field with its domain, fitted on the training split.
        splits: the typed tables `train`, `control` and `test`.
        warnings: what the user should look at.
        facts: counts that go into `run.json`.
    """

    schema: Schema
    splits: dict[str, pd.DataFrame]
    warnings: tuple[str, ...]
    facts: dict[str, Any]


def prepare(recipe: Recipe, run: Run, *, root: Path, table: Any = None) -> bool:
    """Do the `records` stage unless it is done; return whether it ran.

    Args:
        recipe: its `data` section matters here.
        run: gets `splits/{train,control,test}.parquet` and `splits/schema.json`.
        root: the recipe's folder, for relative paths.
        table: a pandas, pyarrow or `datasets` table to use in place of `data.source`.

    Raises:
        DataError: the source cannot be used as the recipe asks.
    """
    raw = None if table is None else from_object(table, drop=recipe.data.drop)
    digest = source_digest(recipe.data, root=root) if raw is None else None
    if digest is None:
        raw = read_source(recipe.data, root=root) if raw is None else raw
        digest = table_digest(raw.drop(columns=recipe.data.drop, errors="ignore"))

    @cache
    def made() -> Prepared:
        prepared = assemble(recipe, read_source(recipe.data, root=root) if raw is None else raw)
        # A rule that cannot be read is said now, not after the training.
        read_rules(recipe.rules, prepared.schema, root)
        return prepared

    def work() -> dict[str, Any]:
        prepared = made()
        for name in SPLITS:
            write_table(prepared.splits[name], run.split(name), prepared.schema)
        prepared.schema.save(run.schema)
        digests = {name: file_digest(run.split(name)) for name in SPLITS}
        return prepared.facts | {"sha256": digests, "warnings": list(prepared.warnings)}

    inputs = {"data": records_digest(recipe), "source": digest}
    return run.stage("records", inputs, work, ahead=made)


def records_digest(recipe: Recipe) -> str:
    """Return the digest of what the recipe says of the records: its data section, and whether they are private."""
    plain = recipe.data.model_dump(mode="json")
    return value_digest(plain if recipe.privacy is None else plain | {"private": True})


def preview(recipe: Recipe, *, root: Path, table: Any = None) -> tuple[Schema, dict[str, pd.DataFrame]]:
    """Return the schema and the splits that `prepare` would write."""
    prepared = assemble(
        recipe,
        read_source(recipe.data, root=root) if table is None else from_object(table, drop=recipe.data.drop),
    )
    return prepared.schema, prepared.splits


def assemble(recipe: Recipe, raw: pd.DataFrame) -> Prepared:
    """Turn a raw table into schema and splits.

    Raises:
        DataError: a column, a cell or the number of rows does not allow what the recipe asks.
    """
    data = recipe.data
    if data.limit is not None:
        raw = raw.head(data.limit)
    check_declared(recipe, [str(name) for name in raw.columns])
    inference = infer(raw, data)
    typed = to_typed(raw, inference.schema)
    if recipe.privacy is not None:
        return _assemble_private(recipe, raw, inference, typed)
    clusters = find_clusters(typed, inference.schema, data)
    splits = divide(typed, inference.schema, data, clusters)
    warnings = list(inference.warnings)
    known = _with_training_cells(inference.schema, splits["train"], data.target, warnings)
    splits = {name: part[known.names] for name, part in splits.items()}
    schema = fit_domains(known, splits["train"], data)
    schema = _with_sequence(recipe, schema, splits["train"])
    if clusters.coarse:
        warnings.append(
            f"{clusters.exact} of {len(typed)} rows equal another one: too coarse a table to keep"
            " equal rows on one side"
        )
    facts = _counts(raw, schema, splits) | {
        "groups": int(clusters.of.max()) + 1,
        "exact_duplicates": clusters.exact,
        "near_duplicates": clusters.near,
        "outside_training_domain": _outside_parts(splits, schema),
    }
    return Prepared(schema, splits, tuple(warnings), facts)


def _assemble_private(recipe: Recipe, raw: pd.DataFrame, inference: Inference, typed: pd.DataFrame) -> Prepared:
    """Divide without letting a record move another one, and keep of the schema what the recipe declares."""
    splits = divide_independently(typed, inference.schema, recipe.data)
    empty = [field.name for field in inference.schema.modelled if not splits["train"][field.name].notna().any()]
    refuse_empty(empty)
    schema = bare(fit_domains(inference.schema, splits["train"], recipe.data))
    schema = _with_sequence(recipe, schema, splits["train"])
    facts = _counts(raw, schema, splits) | {"outside_training_domain": _outside_parts(splits, schema)}
    return Prepared(schema, splits, inference.warnings, facts)


def _with_sequence(recipe: Recipe, schema: Schema, train: pd.DataFrame) -> Schema:
    sequence = fit_sequence(recipe, schema, train)
    if sequence is None:
        return schema
    # Without an identifier nobody could tell where a synthetic sequence ends.
    named = (replace(field, fresh=True) if field.name == recipe.data.subject else field for field in schema)
    return Schema(tuple(named), sequence)


def _counts(raw: pd.DataFrame, schema: Schema, splits: dict[str, pd.DataFrame]) -> dict[str, Any]:
    return {
        "rows": {"all": sum(map(len, splits.values()))} | {name: len(splits[name]) for name in SPLITS},
        "fields": {field.name: field.type for field in schema},
        "left_out": [str(name) for name in raw.columns if name not in schema.names],
        "identifiers": [field.name for field in schema if field.type == "identifier"],
    }


def _outside_parts(splits: dict[str, pd.DataFrame], schema: Schema) -> dict[str, int]:
    return {name: _outside(splits[name], schema) for name in ("control", "test")}


def _with_training_cells(
    schema: Schema, train: pd.DataFrame, target: str | None, warnings: list[str]
) -> Schema:
    """Leave out the fields without a cell in any training record: nothing can be learnt about them."""
    empty = [field.name for field in schema.modelled if not train[field.name].notna().any()]
    if target in empty:
        raise DataError(f"data.target: {target!r} has no cell in any of the {len(train)} training records")
    warnings.extend(f"column {name!r}: has no cells in the training records; left out" for name in empty)
    return Schema(tuple(field for field in schema if field.name not in empty))


def _outside(table: pd.DataFrame, schema: Schema) -> int:
    """Count the records with a value that no training record's domain covers."""
    return sum(not schema.allows(record) for record in to_records(table, schema))

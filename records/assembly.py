"""Assembly of the records: a raw table to a schema, splits, facts and warnings; nothing is written."""

import secrets
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.progress import Progress, silent
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import SPLITS
from paracosm.recipes.sections.data import Data
from paracosm.records.features.derive import with_features
from paracosm.records.inference.declared_schema import (
    check_declared,
    refuse_empty,
    refuse_replacement,
    without_inferred,
)
from paracosm.records.inference.domains import fit_domains
from paracosm.records.inference.infer_schema import Inference, infer
from paracosm.records.inference.separate_cells import separate_cells
from paracosm.records.pii.columns import learnt_personal_lines
from paracosm.records.pii.keyed_random import hashes_of
from paracosm.records.pii.protect import protect
from paracosm.records.relations.narrowing import Relations
from paracosm.records.relations.search import find_relations, to_plain
from paracosm.records.schema.origin import origin_of, with_origin
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.source_types import with_source_types
from paracosm.records.schema.table import to_records, to_typed
from paracosm.records.sources.selection.row_limit import limited
from paracosm.records.splitting.given_splits import divide_rest, join_given
from paracosm.records.splitting.independent_splits import divide_independently
from paracosm.records.splitting.sequences import fit_sequence
from paracosm.records.splitting.splits import find_clusters
from paracosm.records.splitting.train_rows import fewer_training_rows
from paracosm.records.suppression.rare_values import find_rare
from paracosm.records.suppression.suppress import rare_facts, rare_lines, suppressed, without_contradictions
from paracosm.records.text.composed import composed
from paracosm.records.text.cut_text import with_bounded_texts


@dataclass(frozen=True)
class Prepared:
    """The result of the records stage.

    Attributes:
        schema: the fields with their domains, fitted on the training split.
        splits: the typed tables `train`, `control` and `test`.
        warnings: warnings for the user.
        facts: counts for `run.json`.
    """

    schema: Schema
    splits: dict[str, pd.DataFrame]
    warnings: tuple[str, ...]
    facts: dict[str, Any]
    real: dict[str, list[str]] = field(default_factory=dict)
    """Field -> keyed hashes of the personal values that were replaced, which generation never invents."""


def assemble(
    recipe: Recipe,
    raw: pd.DataFrame,
    *,
    given: dict[str, pd.DataFrame] | None = None,
    salt: bytes | None = None,
    progress: Progress = silent,
) -> Prepared:
    """Return schema and splits of a raw table.

    Types, subjects and copies are determined on the real records. Domains are fitted to the records that the model sees, in which
    personal data may be replaced.

    Args:
        recipe: the recipe; its sections `data` and `privacy` are read.
        raw: the raw table.
        given: raw tables of ready-made splits, as `read_given` returns them.
        salt: secret key of the invented values for `data.pii`; None for a new one.
        progress: receives progress lines.

    Raises:
        DataError: a column, a cell or the number of rows does not fit the recipe.
    """
    data = recipe.data
    origin = origin_of(raw)
    raw, part = join_given(limited(raw, data), given or {})
    raw, part, data, shortened = with_features(raw, part, data, recipe.language, progress)
    check_declared(recipe, [str(name) for name in raw.columns])
    if recipe.privacy is not None:
        raw = with_origin(separate_cells(raw, data), origin)
    inference = infer(raw, data)
    texts = [field.name for field in inference.schema if field.is_text]
    raw, part, cuts = with_bounded_texts(raw, part, texts, data)
    raw, notes = composed(raw, texts)
    inference = replace(inference, warnings=(*inference.warnings, *shortened, *cuts, *notes))
    refuse_replacement(recipe)
    typed, types = to_typed(raw, inference.schema), inference.schema
    if recipe.privacy is not None:
        return _assemble_private(recipe, raw, inference, typed, progress)
    clusters = find_clusters(typed, types, data)
    units = _units(typed, data)
    warnings = list(inference.warnings)
    personal = None
    if data.pii is None:
        warnings.extend(learnt_personal_lines(raw, types, data))
    else:
        salt = salt or secrets.token_bytes(32)
        personal = protect(raw, types, data, salt=salt, progress=progress)
        types = Schema(
            tuple(
                personal.minted.get(field.name, field)
                for field in types
                if field.name not in personal.left_out
            )
        )
        if not types.modelled:
            raise DataError(
                "data.pii: no column is left to model; list columns in data.pii.keep, or set the action to replace"
            )
        typed = to_typed(personal.raw, types)
        settled = inference.settled_by(personal.minted)
        warnings = [line for line in warnings if line not in settled]
        warnings.extend(personal.warnings)
    rare = find_rare(typed, types, units, data, frozenset(origin.class_labels))
    found = divide_rest(typed, types, data, clusters, part, warnings)
    found["train"] = fewer_training_rows(found["train"], data)
    splits = {name: suppressed(part, rare, data) for name, part in found.items()}
    present = _with_training_cells(types, splits["train"], data.target, warnings)
    splits = {name: part[present.names] for name, part in splits.items()}
    schema = fit_domains(present, splits["train"], data)
    relations = find_relations(found["train"], schema, rare.is_common)
    splits, left_out = without_contradictions(found, splits, schema, relations)
    # Records that are left out take no part in the domains.
    schema = fit_domains(present, splits["train"], data) if left_out else schema
    schema = _with_sequence(recipe, schema, splits["train"], rare.fewest)
    schema = replace(schema, relations=to_plain(relations), rare=rare.kept_values)
    rare_counts = rare_facts(rare, data, left_out)
    warnings.extend(rare_lines(rare_counts))
    without_cells = {str(name) for name in raw.columns} - {*data.drop, *inference.schema.names}
    schema = _with_columns(schema, raw, without_cells | (set(types.names) - set(schema.names)))
    schema = with_source_types(schema, origin, splits["train"], warnings)
    if clusters.copies:
        warnings.append(
            f"{clusters.copies} of {len(typed)} rows repeat an earlier row more often than chance explains: they are taken for copies"
            " of one record, which stay in one split"
        )
    facts = _counts(raw, schema, splits) | {
        "groups": int(clusters.of.max()) + 1,
        "exact_duplicates": clusters.exact,
        "copies": clusters.copies,
        "near_duplicates": clusters.near,
        "outside_training_domain": _outside_parts(splits, schema),
        "relations": list(Relations(schema, relations).lines),
        "rare": rare_counts,
    }
    real: dict[str, list[str]] = {}
    if personal is not None:
        facts["pii"] = personal.facts
        real = hashes_of(personal.minted, raw, salt or b"")
    return Prepared(schema, splits, tuple(warnings), facts, real)


def _assemble_private(
    recipe: Recipe, raw: pd.DataFrame, inference: Inference, typed: pd.DataFrame, progress: Progress
) -> Prepared:
    """Return schema and splits under privacy: no record affects the split of another one, and the schema is declared."""
    data, inferred = recipe.data, inference.schema
    splits = divide_independently(typed, inferred, data)
    declared = [name for name in raw.columns if name not in data.drop]
    refuse_empty(
        [name for name in declared if name not in inferred.names or splits["train"][name].isna().all()]
    )
    schema = _with_sequence(
        recipe, without_inferred(fit_domains(inferred, splits["train"], data)), splits["train"]
    )
    facts = _counts(raw, schema, splits) | {"outside_training_domain": _outside_parts(splits, schema)}
    warnings = inference.warnings
    if data.pii is not None:
        # Only counted: see `refuse_replacement`.
        personal = protect(raw, inferred, data, salt=b"", progress=progress)
        facts["pii"], warnings = personal.facts, (*warnings, *personal.warnings)
    return Prepared(schema, splits, warnings, facts)


def _units(typed: pd.DataFrame, data: Data) -> np.ndarray:
    """Return the number of the subject of each row; a row without a subject is one of its own."""
    if data.subject is None:
        return np.arange(len(typed))
    codes, subjects = pd.factorize(typed[data.subject])
    alone = codes < 0
    return np.where(alone, len(subjects) + np.cumsum(alone) - 1, codes)


def _with_sequence(recipe: Recipe, schema: Schema, train: pd.DataFrame, fewest: int = 1) -> Schema:
    sequence = fit_sequence(recipe, schema, train, fewest)
    if sequence is None:
        return schema
    # Without an identifier, the end of a synthetic sequence would be unknown.
    named = (replace(field, fresh=True) if field.name == recipe.data.subject else field for field in schema)
    return Schema(tuple(named), sequence)


def _with_columns(schema: Schema, raw: pd.DataFrame, without_cells: set[str]) -> Schema:
    """Return the schema with the order of the output's columns if some of them have no cells."""
    if not without_cells:
        return schema
    names = [str(name) for name in raw.columns]
    return replace(
        schema, columns=tuple(name for name in names if name in without_cells or name in schema.names)
    )


def _counts(raw: pd.DataFrame, schema: Schema, splits: dict[str, pd.DataFrame]) -> dict[str, Any]:
    return {
        "rows": {"all": sum(map(len, splits.values()))} | {name: len(splits[name]) for name in SPLITS},
        "fields": {field.name: field.type for field in schema},
        "left_out": [str(name) for name in raw.columns if name not in schema.names],
        "identifiers": [field.name for field in schema if not field.modelled],
    }


def _outside_parts(splits: dict[str, pd.DataFrame], schema: Schema) -> dict[str, int]:
    return {name: _outside(splits[name], schema) for name in ("control", "test")}


def _with_training_cells(
    schema: Schema, train: pd.DataFrame, target: str | None, warnings: list[str]
) -> Schema:
    """Return the schema without the fields that have no cell in any training record, and warn about them."""
    empty = [field.name for field in schema.modelled if not train[field.name].notna().any()]
    if target in empty:
        raise DataError(f"data.target: {target!r} has no cell in any of the {len(train)} training records")
    warnings.extend(
        f"column {name!r}: has no cells in the training records; left out of the model" for name in empty
    )
    return Schema(tuple(field for field in schema if field.name not in empty))


def _outside(table: pd.DataFrame, schema: Schema) -> int:
    """Return the number of records with a value outside the domains."""
    return sum(not schema.allows(record) for record in to_records(table, schema))

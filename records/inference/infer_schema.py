"""Inference of the schema of a raw table, from its cells and the recipe's overrides."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from paracosm.foundation.errors import DataError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.sections.data import Data, FieldOverride, FieldType
from paracosm.records.fields.kind import KINDS, keys_of_kinds
from paracosm.records.formats.cells import changes_offset, to_source_strings
from paracosm.records.formats.declared_format import implied_type
from paracosm.records.formats.numbers.detection import is_infinite, number_format
from paracosm.records.inference.column_type import ColumnType, infer_type
from paracosm.records.schema.origin import origin_of
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.schema.table import cell_shape


@dataclass(frozen=True)
class Inference:
    """An inferred schema, without domains, and warnings for the user.

    Attributes:
        schema: the fields.
        warnings: all warnings.
        key_warnings: column -> those of them that say that it holds keys. They no longer hold where its cells are replaced.
    """

    schema: Schema
    warnings: tuple[str, ...]
    key_warnings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def settled_by(self, columns: Iterable[str]) -> set[str]:
        """Return the warnings that do not hold where the given columns are replaced or name the subject."""
        return {line for name in columns for line in self.key_warnings.get(name, ())}


def infer_types(raw: pd.DataFrame, data: Data) -> Schema:
    """Return the schema of `raw` without domains: types, formats and units, from the whole table.

    Columns of `data.drop` and columns without any cell are left out. `data.subject` is an identifier unless declared otherwise.

    Raises:
        DataError: the recipe names a column that does not exist, or declares a type that a cell does not have.
    """
    return infer(raw, data).schema


def infer(raw: pd.DataFrame, data: Data) -> Inference:
    """Return what `infer_types` returns, with its warnings."""
    check_names(data, [str(name) for name in raw.columns])
    fields: list[Field] = []
    origin = origin_of(raw)
    warnings = list(origin.warnings)
    key_warnings: dict[str, tuple[str, ...]] = {}
    # Class labels are categories by declaration of the data set, whatever their words look like; names of files can be of persons.
    known: dict[str, FieldType] = dict.fromkeys(origin.class_labels, "category")
    known |= dict.fromkeys(origin.keys, "identifier")
    for name in raw.columns:
        if name in data.drop:
            continue
        cells = to_source_strings(raw[name])
        counts = {str(cell): int(count) for cell, count in cells.value_counts().items()}
        override = data.fields.get(name, FieldOverride(type=known.get(name)))
        if not counts:
            warnings.append(f"column {name!r}: has no cells at all; left out of the model")
            continue
        if changes_offset(raw[name]):
            warnings.append(
                f"column {name!r}: has a time zone with several offsets from UTC; read as its local time, without the zone"
            )
        column = _column_type(name, cells, counts, override, is_subject=name == data.subject)
        about = list(column.warnings)
        is_modelled = KINDS[column.type].modelled
        if not is_modelled and override.type is None and name != data.subject and override.fresh is None:
            why = f" ({column.reason})" if column.reason else ""
            about.append(
                f"column {name!r}: looks like an identifier{why}; left out of the model"
                f" (data.fields.{name} overrides)"
            )
        warnings.extend(about)
        if not is_modelled:
            key_warnings[str(name)] = tuple(about)
        _check_override(name, column, override)
        attributes = column.attributes | _declared_decimals(column, override.decimals)
        field = Field(name=name, type=column.type, **attributes)
        fields.append(field if is_modelled else replace(field, fresh=bool(override.fresh)))
    schema = Schema(tuple(fields))
    if not schema.modelled:
        raise DataError("no column is left to model: all columns are dropped, empty or identifiers")
    if data.subject is not None and data.subject not in schema.names:
        raise DataError(
            f"data.subject: {data.subject!r} has no cells; name a column that identifies the subject of a record"
        )
    if data.target is not None and data.target not in [field.name for field in schema.modelled]:
        kind = "identifier" if data.target in schema.names else "column without cells"
        raise DataError(
            f"data.target: {data.target!r} is an {kind}"
            if kind[0] in "aeiou"
            else f"data.target: {data.target!r} is a {kind}"
        )
    return Inference(schema, tuple(warnings), key_warnings)


def _declared_decimals(column: ColumnType, decimals: int | None) -> dict[str, Any]:
    if decimals is None:
        return {}
    least = column.attributes.get("least_decimals", 0)
    trim = column.attributes.get("trim", False) and least < decimals
    return {"decimals": decimals, "scientific": 0, "trim": trim, "least_decimals": least if trim else 0}


def check_names(data: Data, columns: list[str]) -> None:
    """Check that every column that the recipe names exists.

    Raises:
        DataError: a column does not exist; the message names the nearest one.
    """
    named: list[tuple[str, Iterable[str]]] = [
        ("data.drop", data.drop),
        ("data.fields", data.fields),
        ("data.rare.keep", data.rare.keep),
        ("data.subject", [data.subject] if data.subject is not None else []),
        ("data.target", [data.target] if data.target is not None else []),
    ]
    for key, names in named:
        for name in names:
            if name not in columns:
                raise DataError(
                    f"{key}: there is no column {name!r}{did_you_mean(name, columns) or _list(columns)}"
                )
            if key != "data.drop" and name in data.drop:
                raise DataError(f"{key}: the column {name!r} is also in data.drop")


def _list(columns: list[str]) -> str:
    shown = ", ".join(columns[:12])
    return f"; there are: {shown}{', ...' if len(columns) > 12 else ''}"


def _column_type(
    name: str, cells: pd.Series, counts: dict[str, int], override: FieldOverride, *, is_subject: bool
) -> ColumnType:
    declared = override.type or ("category" if override.categories is not None else None)
    if declared is None and override.fresh is not None:
        declared = "identifier"
    if declared is None and is_subject:
        declared = "identifier"
    if declared is None and override.format is not None:
        declared = implied_type(override.format)
    distinct = list(counts)
    if declared is None:
        column = infer_type(name, counts)
        if KINDS[column.type].words:
            _reject_infinities(name, cells, distinct)
        return column
    try:
        written = KINDS[declared].format_of(distinct, override)
    except ValueError as error:
        raise DataError(f"data.fields.{name}.format: {error}") from error
    if written is None:
        raise DataError(_misfit(name, cells, declared))
    return ColumnType(declared, written)


def _misfit(name: str, cells: pd.Series, declared: FieldType) -> str:
    kind, known = KINDS[declared], cells[cells.notna()]
    if reason := kind.misfit(set(known)):
        return f"column {name!r}: is declared {declared}, but {reason}"
    for row, cell in known.items():
        if kind.format_of([cell], FieldOverride()) is None:
            return f"column {name!r}: is declared {declared}, but row {int(row) + 1} holds a cell of the shape {cell_shape(cell)!r}"  # type: ignore[call-overload]
    return (
        f"column {name!r}: is declared {declared}, but its cells are not all written in one way"
        " (units, padding or date format)"
    )


def _reject_infinities(name: str, cells: pd.Series, distinct: list[str]) -> None:
    infinite = {cell for cell in distinct if is_infinite(cell)}
    if infinite and (finite := [cell for cell in distinct if cell not in infinite]) and number_format(finite):
        row = int(cells.isin(infinite).to_numpy().argmax()) + 1
        raise DataError(f"column {name!r}: row {row} holds an infinite number; remove it or make it missing")


def _check_override(name: str, column: ColumnType, override: FieldOverride) -> None:
    for key, types in keys_of_kinds().items():
        if getattr(override, key) is not None and column.type not in types:
            raise DataError(
                f"data.fields.{name}.{key}: is for fields of type {' or '.join(types)}, but the column is {column.type}"
            )

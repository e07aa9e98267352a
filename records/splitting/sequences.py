"""Sequences of records: the ordered records of one subject, and the fields that all of them share."""

from collections.abc import Sequence

import pandas as pd

from paracosm.foundation.errors import DataError, RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.recipe import Recipe
from paracosm.records.schema.schema import Record, Schema, SubjectSequence


def sequences(records: Sequence[Record], sequence: SubjectSequence) -> list[list[Record]]:
    """Return the records of each subject in order, at most `sequence.most`; a record without a subject is its own sequence."""
    groups: dict[object, list[Record]] = {}
    for number, record in enumerate(records):
        subject = record.get(sequence.subject)
        groups.setdefault((number,) if subject is None else subject, []).append(record)
    return [
        sorted(group, key=lambda record: record[sequence.order_by])[: sequence.most]  # type: ignore[arg-type,return-value]
        for group in groups.values()
    ]


def fit_sequence(
    recipe: Recipe, schema: Schema, train: pd.DataFrame, fewest: int = 1
) -> SubjectSequence | None:
    """Return the form of a subject's sequence, fitted to the training records; None without `data.sequence`.

    Args:
        recipe: its section `data` is read.
        schema: of the training records.
        train: typed table of the training records.
        fewest: fewest subjects that the longest sequence needs; further records of longer ones are not used.

    Raises:
        RecipeError: the recipe lacks `data.subject`, or shuffles fields.
        DataError: the column of `data.sequence` cannot order records, or no subject has several records.
    """
    data = recipe.data
    if data.sequence is None:
        return None
    if data.subject is None:
        raise RecipeError(
            "data.sequence: needs data.subject, the column that identifies the subject of a record"
        )
    if recipe.finetune.order == "shuffled":
        raise RecipeError(
            "finetune.order: sequences are written in table order; shuffled is for single records"
        )
    order = next((field for field in schema.modelled if field.name == data.sequence), None)
    if order is None or not order.ordered or order.nullable:
        what = (
            "not a modelled column"
            if order is None
            else f"of type {order.type}{' with missing cells' * order.nullable}"
        )
        raise DataError(
            f"data.sequence: {data.sequence!r} is {what}; records can be ordered by a datetime or number without missing cells"
        )
    grouped = train.groupby(data.subject, sort=False)
    lengths = grouped.size()
    if data.shared is not None:
        return _declared(recipe, schema, longest=longest_of(lengths, fewest))
    if lengths.max() < 2:
        raise DataError(f"data.sequence: no {data.subject!r} has more than one training record")
    several = grouped.filter(lambda group: len(group) > 1).groupby(data.subject, sort=False)
    distinct = several.agg(lambda column: len(set(column.astype(object).fillna("\0missing"))))
    shared = tuple(
        field.name
        for field in schema.modelled
        if field.name != data.sequence and bool((distinct[field.name] == 1).all())
    )
    longest = longest_of(lengths, fewest)
    return SubjectSequence(
        data.subject, data.sequence, shared, min(longest, data.longest_sequence or longest)
    )


def longest_of(lengths: pd.Series, fewest: int) -> int:
    """Return the largest number of records that at least `fewest` subjects have; at least 2, which a sequence needs."""
    return max(2, int(lengths.sort_values(ascending=False).iloc[min(fewest, len(lengths)) - 1]))


def _declared(recipe: Recipe, schema: Schema, *, longest: int) -> SubjectSequence:
    data = recipe.data
    assert data.subject is not None
    assert data.sequence is not None
    names = [field.name for field in schema.modelled if field.name != data.sequence]
    for name in data.shared or []:
        if name not in names:
            raise DataError(f"data.shared: there is no modelled column {name!r}{did_you_mean(name, names)}")
    shared = tuple(name for name in names if name in (data.shared or []))
    return SubjectSequence(data.subject, data.sequence, shared, data.longest_sequence or longest)

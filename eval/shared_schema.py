"""Real and synthetic tables of any origin under one schema, to which the real ones alone decide what a column is."""

import pandas as pd

from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import Inference, infer
from paracosm.records.schema.cells import to_source_strings
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.schema.table import read_cell, to_typed

IDENTIFIER = "looks like an identifier"


def schema_of_both(real: pd.DataFrame, synthetic: pd.DataFrame, data: Data) -> Inference:
    """Return the schema of the real records, in formats that hold the synthetic ones as well where these are of its types.

    A generator may write 63.0 or 63.27 where whole numbers stand, and that is read as a number on both sides. Nothing
    that it writes can turn a column into one of another kind, or into an identifier, which no figure but one would see.
    """
    of_real = infer(real, data)
    # A target that rubbish makes look like an identifier is none of the real records' faults.
    both, untargeted = (
        pd.concat([real, synthetic], ignore_index=True),
        data.model_copy(update={"target": None}),
    )
    of_both = {each.name: each for each in infer(both, untargeted).schema}
    fields = []
    for field in of_real.schema:
        wider = of_both.get(field.name, field)
        alike = wider.type == field.type or (field.type, wider.type) == ("integer", "number")
        fields.append(wider if alike else field)
    known = Schema(tuple(fields))
    hidden = [each.name for each in known if not each.modelled]
    return Inference(
        known,
        (
            # What a recipe could do about an identifier is no help to somebody who has tables only.
            *(each for each in of_real.warnings if IDENTIFIER not in each),
            *(
                f"column {name!r}: looks like an identifier, whose replay alone is measured"
                for name in hidden
            ),
        ),
    )


def read_synthetic(raw: pd.DataFrame, schema: Schema, name: str) -> tuple[pd.DataFrame, list[str]]:
    """Return a synthetic table under the schema, and a note on every column with cells that are not of its type.

    Such a cell counts as missing, which every figure of fidelity sees. An identifier column may be absent.
    """
    columns: dict[str, pd.Series] = {}
    notes = []
    for field in schema:
        if field.name not in raw.columns:
            columns[field.name] = pd.Series([None] * len(raw), dtype=object)
            continue
        cells = to_source_strings(raw[field.name])
        strange = {cell for cell in cells.dropna().unique() if not _reads(field, cell)}
        if strange:
            gone = cells.isin(strange)
            notes.append(
                f"{name}: {int(gone.sum()):,} of {len(cells):,} cells of the column {field.name!r} are no {field.type}"
                " as the real records have it, and count as missing"
            )
            cells = cells.mask(gone)
        columns[field.name] = cells.reset_index(drop=True)
    return to_typed(pd.DataFrame(columns), schema), notes


def _reads(field: Field, cell: str) -> bool:
    try:
        read_cell(field, cell)
    except (ValueError, KeyError):
        return False
    return True

"""Raw tables under differential privacy: no row changes how another row is read."""

import pandas as pd

from paracosm.recipes.sections.data import Data, FieldOverride
from paracosm.records.formats.cells import to_separate_strings


def separate_cells(raw: pd.DataFrame, data: Data) -> pd.DataFrame:
    """Return a raw table with every cell as a string that depends on this cell alone, and columns in the order of the recipe.

    Otherwise one row can decide how all rows are written (one time with microseconds, one summer time), and the keys of the
    first object of a JSON Lines file would decide the order of all fields.

    Args:
        raw: the raw table.
        data: the data section, whose `fields` declare the columns. Columns of `drop` stay as they are.

    Raises:
        DataError: a cell cannot be written as a string.
    """
    order = [name for name in dict.fromkeys([*data.fields, *raw.columns]) if name in raw.columns]
    return pd.DataFrame(
        {name: raw[name] if name in data.drop else _separate(raw[name], data) for name in order}
    )


def _separate(column: pd.Series, data: Data) -> pd.Series:
    return to_separate_strings(column, data.fields.get(str(column.name), FieldOverride()).format)

"""Completed cells in the dtypes of the table that lacked them."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas as pd

    from paracosm.records.schema.schema import Field, Schema


def with_filled_cells(table: "pd.DataFrame", completed: "pd.DataFrame", schema: "Schema") -> "pd.DataFrame":
    """Return a table whose missing cells have the values of a completed copy; every other cell is as it was.

    Args:
        table: with missing cells.
        completed: the same rows, with the cells as text.
        schema: how the text of a field is read.
    """
    filled = table.copy()
    for field in schema.modelled:
        if field.name not in table.columns:
            continue
        known, texts = table[field.name], completed[field.name].set_axis(table.index)
        holes = (known.isna() | (known.astype(object) == "")) & texts.notna()
        if holes.any():
            filled[field.name] = _filled(known, texts[holes], field)
    return filled


def _filled(known: "pd.Series", texts: "pd.Series", field: "Field") -> "pd.Series":
    import pandas as pd

    dtype = known.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        of_text = {str(category): category for category in dtype.categories}
        values: list[Any] = [of_text.get(text, text) for text in texts]
        known = known.cat.add_categories(
            [value for value in dict.fromkeys(values) if value not in of_text.values()]
        )
        cells = pd.Series(values, index=texts.index)
    elif pd.api.types.is_string_dtype(dtype) and all(isinstance(cell, str) for cell in known.dropna()):
        cells = texts
    elif pd.api.types.is_datetime64_any_dtype(dtype):
        cells = pd.to_datetime(pd.Series([field.read(text) for text in texts], index=texts.index)).astype(
            dtype
        )
    else:
        cells = pd.Series([field.read(text) for text in texts], index=texts.index, dtype=object)
        if not pd.api.types.is_object_dtype(dtype):
            cells = cells.astype(dtype)
    result = known.copy()
    result.loc[texts.index] = cells
    return result

"""Draw `data.limit` rows of a table."""

import numpy as np
import pandas as pd

from paracosm.recipes.sections.data import Data
from paracosm.records.formats.cells import to_source_strings

KEY = "paracosm rows 16"
"""Key of the hash of pandas: 16 bytes."""


def limited(table: pd.DataFrame, data: Data) -> pd.DataFrame:
    """Return at most `data.limit` rows, in their order.

    Random rows are those with the smallest hashes of seed and content, so another order of the rows gives the same ones. Equal rows
    are numbered.
    """
    if data.limit is None or len(table) <= data.limit:
        return table
    if data.limit_order == "first":
        return table.head(data.limit).reset_index(drop=True)
    cells = pd.DataFrame(
        {
            name: to_source_strings(table[name]).astype(object).fillna("\0")
            for name in table.columns
            if name not in data.drop
        }
    )
    hashes = pd.util.hash_pandas_object(cells, index=False, hash_key=KEY).to_numpy()
    number = pd.Series(hashes).groupby(hashes).cumcount().to_numpy()
    drawn = pd.DataFrame({"hash": hashes, "number": number, "seed": data.split.seed})
    order = np.argsort(pd.util.hash_pandas_object(drawn, index=False, hash_key=KEY).to_numpy(), kind="stable")
    return table.iloc[np.sort(order[: data.limit])].reset_index(drop=True)

"""The synthetic records that come closest to training records, side by side. Shows training data: opt-in only."""

from typing import Any

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.representations.row_distance import RowVectors, nearest

SHOWN = 10


def nearest_pairs(context: Context, synthetic: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the 10 closest pairs: their distance and, per field, the synthetic and the training value as text."""
    vectors = RowVectors(context.fields, pd.concat([context.train, context.control], ignore_index=True))
    found = nearest(vectors(synthetic), vectors(context.train), 1)
    closest = np.argsort(found.distance[:, 0], kind="stable")[:SHOWN]
    return [
        {
            "distance": float(found.distance[row, 0]),
            "fields": [
                {
                    "name": each.name,
                    "synthetic": _text(synthetic[each.name].iloc[row]),
                    "train": _text(context.train[each.name].iloc[int(found.index[row, 0])]),
                }
                for each in context.fields
            ],
        }
        for row in closest
    ]


def _text(value: object) -> str:
    return "" if pd.isna(value) else str(value)  # type: ignore[arg-type]

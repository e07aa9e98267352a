"""The synthetic records nearest to training records, side by side. Shows training data, so only with `eval.show_nearest`."""

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.representations.row_distance import RowVectors, nearest
from paracosm.eval.results.report_data import NearestPair, PairedValue

SHOWN = 10


def nearest_pairs(context: Context, synthetic: pd.DataFrame) -> list[NearestPair]:
    """Return the 10 nearest pairs of a synthetic and a training record, with every field of both as text."""
    vectors = RowVectors(context.fields, pd.concat([context.train, context.control], ignore_index=True))
    neighbours = nearest(vectors(synthetic), vectors(context.train), 1)
    closest = np.argsort(neighbours.distance[:, 0], kind="stable")[:SHOWN]
    return [
        NearestPair(
            distance=float(neighbours.distance[row, 0]),
            fields=[
                PairedValue(
                    name=field.name,
                    synthetic=_text(synthetic[field.name].iloc[row]),
                    train=_text(context.train[field.name].iloc[int(neighbours.index[row, 0])]),
                )
                for field in context.fields
            ],
        )
        for row in closest
    ]


def _text(value: object) -> str:
    return "" if pd.isna(value) else str(value)  # type: ignore[arg-type]

"""Records on a plane: where training records lie thick, as cells, and where synthetic ones fall, as dots."""

from typing import Any

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.representations.row_distance import RowVectors

CELLS = 24
FEWEST_TRAIN_ROWS = 5
MOST_DOTS = 400
MOST_ROWS = 5000


def record_map(context: Context, synthetic: pd.DataFrame) -> dict[str, Any]:
    """Return the first two principal axes of the records: shares of train by cell, and points of synthetic records.

    A cell with fewer than five training records is left out, so that no single one can be seen.
    """
    seed = context.settings.seed
    vectors = RowVectors(context.fields, context.real)
    known = vectors(context.train.iloc[drawn_rows(len(context.train), MOST_ROWS, seed)])
    ours = vectors(synthetic.iloc[drawn_rows(len(synthetic), MOST_DOTS, seed)])
    axes = PCA(min(2, *known.shape), random_state=0).fit(known)
    places, dots = (_two(axes.transform(each)) for each in (known, ours))
    low, high = np.quantile(np.vstack([places, dots]), [0.005, 0.995], axis=0)
    width = np.where(high > low, high - low, 1.0)
    cells = np.clip(((places - low) / width * CELLS).astype(int), 0, CELLS - 1)
    found, counts = np.unique(cells, axis=0, return_counts=True)
    kept = counts >= FEWEST_TRAIN_ROWS
    scaled = np.clip((dots - low) / width, 0, 1)
    return {
        "cells": CELLS,
        "train": [
            [int(x), int(y), int(count) / len(places)]
            for (x, y), count in zip(found[kept], counts[kept], strict=True)
        ],
        "synthetic": [[round(float(x), 3), round(float(y), 3)] for x, y in scaled],
        "explained": [float(share) for share in axes.explained_variance_ratio_],
    }


def _two(points: np.ndarray) -> np.ndarray:
    return points if points.shape[1] == 2 else np.column_stack([points[:, 0], np.zeros(len(points))])

"""Map of records on the plane of their first two principal axes: training records as cells, synthetic ones as points."""

import numpy as np
import pandas as pd
from sklearn.decomposition import PCA

from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.representations.row_distance import RowVectors
from paracosm.eval.results.report_data import RecordMap

CELLS = 24
MIN_TRAIN_ROWS = 5
"""Training records below which a cell is left out, so that no single record can be seen."""
MAX_POINTS = 400
MAX_ROWS = 5000


def record_map(context: Context, synthetic: pd.DataFrame) -> RecordMap:
    """Return shares of training records by cell, and up to 400 synthetic records as points.

    A cell with fewer than five training records is left out.
    """
    seed = context.settings.seed
    vectors = RowVectors(context.fields, context.real)
    train_vectors = vectors(context.train.iloc[drawn_rows(len(context.train), MAX_ROWS, seed)])
    synthetic_vectors = vectors(synthetic.iloc[drawn_rows(len(synthetic), MAX_POINTS, seed)])
    axes = PCA(min(2, *train_vectors.shape), random_state=0).fit(train_vectors)
    train, points = (_two_columns(axes.transform(side)) for side in (train_vectors, synthetic_vectors))
    low, high = np.quantile(np.vstack([train, points]), [0.005, 0.995], axis=0)
    width = np.where(high > low, high - low, 1.0)
    cells = np.clip(((train - low) / width * CELLS).astype(int), 0, CELLS - 1)
    distinct, counts = np.unique(cells, axis=0, return_counts=True)
    shown = counts >= MIN_TRAIN_ROWS
    scaled = np.clip((points - low) / width, 0, 1)
    return RecordMap(
        cells=CELLS,
        train=[
            (int(x), int(y), int(count) / len(train))
            for (x, y), count in zip(distinct[shown], counts[shown], strict=True)
        ],
        synthetic=[(round(float(x), 3), round(float(y), 3)) for x, y in scaled],
        explained=[float(share) for share in axes.explained_variance_ratio_],
    )


def _two_columns(points: np.ndarray) -> np.ndarray:
    return points if points.shape[1] == 2 else np.column_stack([points[:, 0], np.zeros(len(points))])

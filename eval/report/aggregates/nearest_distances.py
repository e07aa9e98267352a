"""Distances from synthetic and from unseen real records to the nearest training record, as two histograms."""

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.representations.row_distance import RowVectors, nearest
from paracosm.eval.results.report_data import NearestDistances

BINS = 24
MOST_ROWS = 2000


def nearest_distances(context: Context, synthetic: pd.DataFrame) -> NearestDistances:
    """Return the shares of records by their distance to the nearest training record; distances above the 99th percentile join the last bin."""
    seed = context.settings.seed
    vectors = RowVectors(context.fields, context.real)
    train = vectors(context.train)
    distances = [
        nearest(vectors(table.iloc[drawn_rows(len(table), MOST_ROWS, seed)]), train, 1).distance[:, 0]
        for table in (synthetic, context.held_out)
    ]
    largest = float(np.quantile(np.concatenate(distances), 0.99)) or 1.0
    edges = np.linspace(0, largest, BINS + 1)
    shares = [(np.histogram(np.minimum(each, largest), edges)[0] / len(each)).tolist() for each in distances]
    return NearestDistances(edges=edges.tolist(), synthetic=shares[0], unseen=shares[1])

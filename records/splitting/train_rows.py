"""Fewer training rows of a divided table: random subjects, of which a smaller number is always part of a larger one."""

import numpy as np
import pandas as pd

from paracosm.recipes.sections.data import Data


def fewer_training_rows(train: pd.DataFrame, data: Data) -> pd.DataFrame:
    """Return at most `data.split.train_rows` training rows, of whole subjects, in their old order.

    Args:
        train: the typed training rows.
        data: of the recipe.
    """
    most = data.split.train_rows
    if most is None or len(train) <= most:
        return train
    subject = train[data.subject] if data.subject in train.columns else pd.Series(range(len(train)))
    codes, names = pd.factorize(subject, use_na_sentinel=False)
    order = np.random.default_rng([data.split.seed, 59]).permutation(len(names))
    sizes = np.bincount(codes, minlength=len(names))[order]
    kept = order[np.cumsum(sizes) <= most]
    return train[np.isin(codes, kept)].reset_index(drop=True)

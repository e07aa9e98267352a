"""Rows that many subjects share, such as the system prompt of every conversation: they do not make their subjects copies of one.

Without this, one message in all conversations would join them to a single cluster, which no split can divide.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

FEWEST_SUBJECTS = 5
"""Fewest subjects that share a row; a person who is exported under five names is rarer than a sentence that recurs."""


def are_shared(groups: NDArray[np.int64], subjects: pd.Series) -> NDArray[np.bool_]:
    """Return which groups of equal rows belong to many subjects, most of whom have further rows that are not shared.

    Args:
        groups: number of each row's group, from 0 on; -1 where a row has none; shape (rows,).
        subjects: of each row; a missing one is of nobody.

    Returns:
        Array of shape (groups,).
    """
    people = pd.factorize(subjects)[0]
    known = (groups >= 0) & (people >= 0)
    pairs = np.unique(np.column_stack([groups[known], people[known]]), axis=0)
    size = int(groups.max(initial=-1)) + 1
    many = np.bincount(pairs[:, 0], minlength=size) >= FEWEST_SUBJECTS
    has_own = np.zeros(int(people.max(initial=-1)) + 1, dtype=bool)
    own = (people >= 0) & ~((groups >= 0) & many[groups])
    has_own[people[own]] = True
    with_own = np.bincount(pairs[:, 0], weights=has_own[pairs[:, 1]], minlength=size)
    return many & (2 * with_own >= np.bincount(pairs[:, 0], minlength=size))

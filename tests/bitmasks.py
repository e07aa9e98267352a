"""Decode the packed token masks of llguidance, without the product's own code."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def allowed_columns(mask: bytes, vocabulary: Sequence[int] | None) -> NDArray[np.intp]:
    """Return the head's columns that a packed mask allows; without a vocabulary, column and token id are the same."""
    bits = np.unpackbits(np.frombuffer(mask, dtype=np.uint8), bitorder="little")
    return np.flatnonzero(bits if vocabulary is None else bits[np.asarray(vocabulary)])

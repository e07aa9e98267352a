"""Associations of columns in a candidate and in train, with their sampling noise: the basis of pairs and triples."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context, subsample
from paracosm.eval.measuring.metric import NORMAL_95
from paracosm.records.schema.schema import Field

if TYPE_CHECKING:
    from paracosm.eval.statistics.joint_moments import Difference, JointMoments
    from paracosm.eval.statistics.row_blocks import Draws, RowBlocks

EXCHANGES = 299
RESAMPLES = 200
RELATED = 0.001
"""Probability of the test of independence below which columns are related."""


@dataclass(frozen=True)
class Associations:
    """Functions of the columns of a candidate and of train, and the draws by which their joint moments are compared."""

    names: list[str]
    """The columns that are not text and that vary."""
    moments: JointMoments
    exchanges: Draws
    """Rows exchanged at random between both sides, as if they had one distribution."""
    resamples: Draws
    blocks: RowBlocks

    def related(self, difference: Difference) -> bool:
        """Return whether columns are related in both samples together: chi-squared test of independence."""
        from scipy.stats import chi2

        return bool(chi2.sf(sum(self.blocks.sizes) * difference.pooled, difference.freedom) < RELATED)


def structured_fields(context: Context) -> list[Field]:
    """Return the fields that are not text."""
    return [field for field in context.fields if not field.is_text]


def associations_of(context: Context, candidate: pd.DataFrame) -> Associations:
    """Return the associations of the columns that are not text, in at most `settings.max_rows` rows of each side.

    The functions of a column come from both sides together, so that neither is favoured.
    """
    from paracosm.eval.statistics.column_functions import column_functions
    from paracosm.eval.statistics.joint_moments import JointMoments
    from paracosm.eval.statistics.row_blocks import RowBlocks

    settings = context.settings
    candidate = subsample(candidate, settings.max_rows, settings.seed + 4)
    rows = len(candidate)
    both = pd.concat([candidate, context.reference], ignore_index=True)
    functions = {
        field.name: column_functions(field, both[field.name]) for field in structured_fields(context)
    }
    varying = {name: values for name, values in functions.items() if values.shape[1]}
    blocks = RowBlocks(rows, len(context.reference), settings.seed)
    first = [values[:rows] for values in varying.values()]
    second = [values[rows:] for values in varying.values()]
    return Associations(
        list(varying),
        JointMoments(first, second, blocks),
        blocks.permutations(EXCHANGES),
        blocks.resamples(RESAMPLES),
        blocks,
    )


@dataclass(frozen=True)
class KeptAssociation:
    """The difference of one association under exchanges and under resamples of the rows, and its weight in a mean."""

    exchanged: Difference
    resampled: Difference
    weight: float


def kept_share(associations: Sequence[KeptAssociation]) -> tuple[float, float, float] | None:
    """Return 1 - the sum of distances / the sum of sizes with its 95% interval, or None where the sizes sum to nothing.

    A squared distance varies around its mean by two parts: one that grows with the true difference, and the noise that exchanges
    show. A resample of rows holds this noise three times (its own, and twice by what it has in common with the observed one).
    """

    def total(values: Sequence[np.ndarray]) -> np.ndarray:
        return np.sum([one.weight * each for one, each in zip(associations, values, strict=True)], axis=0)

    exchanged = total([one.exchanged.distance for one in associations])
    size = float(total([one.exchanged.size for one in associations])[0])
    if size <= 0:
        return None
    distances = total([one.resampled.distance for one in associations])[1:]
    sizes = total([one.resampled.size for one in associations])[1:]
    noise = float(exchanged[1:].var(ddof=1)) / size**2
    resampled = float(np.var(distances / np.maximum(sizes, size / 10), ddof=1))
    value = 1.0 - float(exchanged[0]) / size
    margin = NORMAL_95 * float(np.sqrt(max(noise, resampled - 2 * noise)))
    return value, value - margin, value + margin

"""Likelihoods under fitted statistics, their marginals, and a chain that was fitted to a few records alone."""

from pathlib import Path

import numpy as np

from paracosm.eval.attacks.likelihoods.likelihood import Likelihood
from paracosm.generate.statistics.chain import Chain
from paracosm.generate.statistics.likelihoods import field_likelihoods
from paracosm.generate.statistics.marginals import Marginals
from paracosm.generate.statistics.stored_chain import load_chain
from paracosm.generate.strategies.preparation import fit_chain
from paracosm.recipes.sections.statistical import Statistical
from paracosm.records.schema.schema import Record

MEMORISED_TIMES = 10
"""Copies of each record that a memorising chain is fitted to."""
LEAST_LOG_PROBABILITY = -30.0
"""Natural log probability of what a chain cannot draw."""


def columns_likelihoods(
    folder: Path, files: tuple[str, str], records: list[Record], members: int, chosen: int
) -> tuple[list[Likelihood], list[Likelihood], list[Likelihood]]:
    """Return likelihoods under a stored chain, under its marginals, and under a chain that was fitted to few records.

    Args:
        folder: holds the chain.
        files: names of its files.
        records: members first.
        members: number of members.
        chosen: members that the last chain is fitted to; it is read for them and for all that follow the members.
    """
    chain = load_chain(folder, files)
    base = Chain(chain.schema, chain.columns, Marginals(chain.columns))
    # As often as it takes for values of one record to count as shared, and for leaves of one record.
    repeated = [record for record in records[:chosen] for _ in range(MEMORISED_TIMES)]
    memorised = fit_chain(chain.schema, repeated, np.arange(len(repeated)), Statistical(leaf=MEMORISED_TIMES))
    read = [*records[:chosen], *records[members:]]
    return _likelihoods(chain, records), _likelihoods(base, records), _likelihoods(memorised, read)


def _likelihoods(chain: Chain, records: list[Record]) -> list[Likelihood]:
    """Return the likelihood of each record, one decision for each field."""
    found, fields = field_likelihoods(chain, records), np.arange(len(chain.columns))
    # A few records alone may leave a missing cell without any probability.
    logs = np.maximum(found.log_probability, LEAST_LOG_PROBABILITY)
    return [
        Likelihood(logs[row], found.expected[row], found.deviation[row], found.is_argmax[row], fields)
        for row in range(len(records))
    ]

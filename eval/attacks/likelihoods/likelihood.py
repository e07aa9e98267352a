"""The likelihood of a record under a model, one entry for each token at which the grammar leaves a choice, or for each field."""

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
import pandas as pd
import torch

from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import to_records


@dataclass(frozen=True)
class Likelihood:
    """Likelihood of one record under one model (arrays of equal length, one entry for each decision).

    A decision is a token at which the grammar allows more than one continuation; under statistics, the value of a field.
    """

    log_probability: np.ndarray
    """Of the actual token, in nats."""
    expected: np.ndarray
    """Mean log probability of a token drawn from the model at this position."""
    deviation: np.ndarray
    """Standard deviation of that log probability."""
    is_argmax: np.ndarray
    """Whether the actual token is the most probable one."""
    field_index: np.ndarray
    """Index of the modelled field that the token belongs to."""


def joined(parts: Sequence[Likelihood]) -> Likelihood:
    """Return the likelihood of a record from those of its parts: passages, or fields whose decisions two models took."""
    return Likelihood(
        *(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Likelihood))
    )


def token_statistics(logs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return the first four attributes of `Likelihood` for some tokens.

    Args:
        logs: (tokens, columns), log probabilities, -inf where the grammar allows nothing.
        targets: (tokens,), the columns of the actual tokens.

    Returns:
        `log_probability`, `expected`, `deviation` and `is_argmax`, each (tokens,).
    """
    probabilities = logs.exp()
    finite = logs.masked_fill(logs == -torch.inf, 0.0)
    mean = (probabilities * finite).sum(-1)
    deviation = ((probabilities * finite**2).sum(-1) - mean**2).clamp(min=0).sqrt()
    return logs.gather(1, targets[:, None])[:, 0], mean, deviation, logs.argmax(-1) == targets


def rows_in_domain(table: pd.DataFrame, schema: Schema) -> np.ndarray:
    """Return a mask of the records whose values all lie in the schema's domains; the others have no likelihood."""
    return np.array([schema.allows(record) for record in to_records(table, schema)], dtype=bool)

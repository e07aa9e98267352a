"""Defaults of training that hang on what is trained: no single number suits an adapter and a whole model, or both objectives.

Measured in docs/finetuning.md. A masked model learns from many states of each record and needs several times the epochs.
"""

from collections.abc import Mapping
from typing import Any

MASKED = {"learning_rate": 1e-3, "epochs": 200, "patience": 15, "average_decay": 0.995}
RATE_OF_WHOLE = {"causal": 1e-4, "masked": 3e-4}


def with_suited_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a recipe says of training, and below it what suits its objective and its method."""
    # As words, because what is given has not been checked yet.
    objective = str(given.get("objective", "causal"))
    suited: dict[str, Any] = dict(MASKED) if objective == "masked" else {}
    if given.get("method") == "full" and objective in RATE_OF_WHOLE:
        suited["learning_rate"] = RATE_OF_WHOLE[objective]
    return suited | dict(given)

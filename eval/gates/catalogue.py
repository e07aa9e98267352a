"""All gates in the order of the report, collected from the metrics that declare them."""

from dataclasses import asdict

from paracosm.eval.catalogue import MEASURES
from paracosm.eval.catalogue.plugins import gates_of
from paracosm.eval.measuring.gate import Gate
from paracosm.foundation.digests import value_digest

ORDER = (
    "marginals",
    "pairs",
    "c2st_auc",
    "triples",
    "text_auc",
    "mauve",
    "frechet",
    "perplexity_ratio",
    "distinct_ratio",
    "vendi_ratio",
    "column_from_text",
    "text_information",
    "utility_skill",
    "known_cells",
    "exact_copies",
    "near_copies",
    "nndr",
    "match_weight",
    "repeated_people",
    "run_8",
    "run_13",
    "run_50",
    "pii_replay",
    "rare_values",
    "identifier_count",
    "split_guard",
    "data_mia_auc",
    "data_mia_tpr",
    "singling_out",
    "linkability",
    "inference",
    "auxiliary_mia_auc",
    "auxiliary_mia_tpr",
    "adapter_mia_auc",
    "adapter_mia_tpr",
    "cross_fit_auc",
    "cross_fit_tpr",
    "extraction",
    "canary_exposure",
    "audit_epsilon",
    "dcr_share",
    "twins",
    "worst_column",
    "worst_pair",
)
"""Gates as a reader of a report expects them: copies before membership, and objections last. A gate that is not listed
follows after these, in the order of its metric."""


def _position(gate: Gate) -> int:
    return ORDER.index(gate.name) if gate.name in ORDER else len(ORDER)


# Limits are this project's judgement; partner and public are stricter where a metric is about persons.
GATES: tuple[Gate, ...] = tuple(sorted(gates_of(MEASURES), key=_position))


def gates_digest() -> str:
    """Return a digest of every gate with its limits, by which a finished run notices that they changed in the code."""
    return value_digest([asdict(gate) for gate in GATES])

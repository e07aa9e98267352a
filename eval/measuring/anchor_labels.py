"""Labels of the anchors for plots, legends and tables: what stands at the ceiling, the floor and the worst case."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Literal

AnchorFamily = Literal[
    "fidelity", "text", "text_and_columns", "utility", "privacy", "adapter", "auxiliary", "canaries"
]
"""A section of metrics, or a family of them whose anchors are made in another way than their section's."""

ANCHOR_LABELS: Mapping[AnchorFamily, Mapping[str, str]] = MappingProxyType(
    {
        "fidelity": {
            "ceiling": "fresh real records",
            "floor": "columns shuffled",
            "worst": "copy of train",
        },
        # With `eval.floor: base` the floor is text of the base model, so the label must fit both.
        "text": {
            "ceiling": "fresh real records",
            "floor": "floor of texts",
            "worst": "copy of train",
        },
        "text_and_columns": {
            "ceiling": "fresh real records",
            "floor": "texts swapped between records",
            "worst": "copy of train",
        },
        "utility": {
            "ceiling": "trained on real records",
            "floor": "trained on shuffled columns",
        },
        "privacy": {
            "ceiling": "fresh real records",
            "floor": "columns shuffled",
            "worst": "copy of train",
        },
        "adapter": {
            "ceiling": "non-members against non-members",
            "floor": "base model",
            "worst": "adapter trained to memorise",
        },
        "auxiliary": {
            "ceiling": "model of non-members",
            "floor": "base model",
            "worst": "model of a copy of train",
        },
        "canaries": {
            "floor": "base model",
            "worst": "perfect attack",
        },
    }
)
"""Family -> anchor -> label. An anchor that a family does not have is absent."""

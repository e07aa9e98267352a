"""Catalogue of all metrics: the measures of every section, and those of plug-ins."""

from collections.abc import Mapping

from paracosm.eval.catalogue.measures import FIDELITY, MEASURES, PRIVACY, UTILITY
from paracosm.eval.measuring.anchor_labels import ANCHOR_LABELS
from paracosm.eval.measuring.metric import Metric

__all__ = ["FIDELITY", "MEASURES", "PRIVACY", "UTILITY", "anchor_labels", "metrics"]


def metrics() -> list[Metric]:
    """Return every registered metric, in the order of the report."""
    return [metric for measure in MEASURES for metric in measure.metrics]


def anchor_labels() -> dict[str, Mapping[str, str]]:
    """Return the labels of the ceiling, the floor and the worst case of every registered metric, by its name."""
    return {metric.name: ANCHOR_LABELS[metric.anchor_family] for metric in metrics()}

"""Metrics of other packages, found by the entry-point group `paracosm.metrics`; `eval.measuring.measure` shows how to add one."""

from collections.abc import Sequence

from paracosm.eval.measuring.gate import Gate
from paracosm.eval.measuring.measure import Measure
from paracosm.foundation.errors import PluginError
from paracosm.foundation.plugins import Plugin, load_plugins

GROUP = "paracosm.metrics"


def with_plugins(measures: Sequence[Measure]) -> tuple[Measure, ...]:
    """Return measures followed by those of installed plug-ins, in alphabetical order of their entry points.

    Raises:
        PluginError: a plug-in cannot be imported, is not a measure, or reuses the name of a metric or a gate.
    """
    merged = list(measures)
    for plugin in load_plugins(GROUP, Measure):
        _check_names(plugin, merged)
        merged.append(plugin.value)
    return tuple(merged)


def gates_of(measures: Sequence[Measure]) -> list[Gate]:
    """Return the gates of all metrics of some measures, in the order of the metrics."""
    return [gate for measure in measures for metric in measure.metrics for gate in metric.gates]


def _check_names(plugin: Plugin[Measure], measures: Sequence[Measure]) -> None:
    """Raise if a plug-in reuses the name of a metric or a gate."""
    metrics = [metric.name for measure in measures for metric in measure.metrics]
    gates = [gate.name for gate in gates_of(measures)]
    for metric in plugin.value.metrics:
        if metric.name in metrics:
            raise PluginError(f"{plugin.origin}: the metric {metric.name!r} exists already; rename it")
        metrics.append(metric.name)
        for gate in metric.gates:
            if gate.name in gates:
                raise PluginError(f"{plugin.origin}: the gate {gate.name!r} exists already; rename it")
            gates.append(gate.name)

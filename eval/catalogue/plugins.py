"""Metrics of other packages, found by the entry-point group `paracosm.metrics`; `eval.measuring.measure` shows how to add one."""

from collections.abc import Sequence
from importlib.metadata import EntryPoint, entry_points

from paracosm.eval.measuring.gate import Gate
from paracosm.eval.measuring.measure import Measure
from paracosm.foundation.errors import ParacosmError

GROUP = "paracosm.metrics"


def with_plugins(measures: Sequence[Measure]) -> tuple[Measure, ...]:
    """Return measures followed by those of installed plug-ins, in alphabetical order of their entry points.

    Raises:
        ParacosmError: a plug-in cannot be imported, is not a measure, or reuses the name of a metric or a gate.
    """
    merged = list(measures)
    found = sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value))
    for entry in found:
        added = _load(entry)
        _check_names(entry, merged, added)
        merged += added
    return tuple(merged)


def gates_of(measures: Sequence[Measure]) -> list[Gate]:
    """Return the gates of all metrics of some measures, in the order of the metrics."""
    return [gate for measure in measures for metric in measure.metrics for gate in metric.gates]


def _load(entry: EntryPoint) -> tuple[Measure, ...]:
    """Return the measures that an entry point names."""
    try:
        loaded = entry.load()
    except Exception as error:  # whatever code of another package raises while it is imported
        raise ParacosmError(f"{_where(entry)}: cannot be loaded: {type(error).__name__}: {error}") from error
    measures = tuple(loaded) if isinstance(loaded, list | tuple) else (loaded,)
    if not measures or not all(isinstance(measure, Measure) for measure in measures):
        raise ParacosmError(
            f"{_where(entry)}: must name a paracosm.eval.measuring.measure.Measure or a tuple of them; "
            f"got {type(loaded).__name__}"
        )
    return measures


def _check_names(entry: EntryPoint, measures: Sequence[Measure], added: Sequence[Measure]) -> None:
    """Raise if the added measures reuse the name of a metric or a gate, among themselves too."""
    metrics = [metric.name for measure in measures for metric in measure.metrics]
    gates = [gate.name for gate in gates_of(measures)]
    for metric in (metric for measure in added for metric in measure.metrics):
        if metric.name in metrics:
            raise ParacosmError(f"{_where(entry)}: the metric {metric.name!r} exists already; rename it")
        metrics.append(metric.name)
        for gate in metric.gates:
            if gate.name in gates:
                raise ParacosmError(f"{_where(entry)}: the gate {gate.name!r} exists already; rename it")
            gates.append(gate.name)


def _where(entry: EntryPoint) -> str:
    distribution = "unknown distribution" if entry.dist is None else entry.dist.name
    return f"plug-in {distribution}, entry point {entry.name!r} of {GROUP} ({entry.value})"

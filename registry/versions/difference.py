"""Differences between two versions: metrics beyond their intervals, gates, settings, environment and files."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from paracosm.eval.measuring.number_format import bracketed, figure
from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.eval.results.metric_entry import MeasuredMetric
from paracosm.registry.versions.details import Details

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

Change = Literal["better", "worse", "within noise", "new", "gone"]


@dataclass(frozen=True)
class MetricChange:
    """One metric in two versions; a side on which it was not measured is None."""

    old: MeasuredMetric | None
    new: MeasuredMetric | None

    @property
    def metric(self) -> MeasuredMetric:
        """The newer side on which it was measured."""
        newest = self.new or self.old
        assert newest is not None
        return newest

    @property
    def title(self) -> str:
        """The metric's title."""
        return self.metric.title

    @property
    def change(self) -> Change:
        """Whether the value is better or worse; within noise if the two intervals overlap."""
        if self.old is None or self.new is None:
            return "new" if self.old is None else "gone"
        (low, high), (low_before, high_before) = self.new.interval, self.old.interval
        if low <= high_before and low_before <= high:
            return "within noise"
        distance = self.metric.goal.distance
        return "better" if distance(self.new.value) < distance(self.old.value) else "worse"


@dataclass(frozen=True)
class Difference:
    """Everything that differs between two versions.

    Attributes:
        old: the first version.
        new: the second version.
        metrics: every metric that was measured in one of them.
        gates: gate, its state before and after, only where they differ; `-` where the gate is not recorded.
        settings: dotted key, value before and after, only where they differ.
        files: file name, and `added`, `removed` or `changed`.
    """

    old: Details
    new: Details
    metrics: tuple[MetricChange, ...]
    gates: tuple[tuple[str, str, str], ...]
    settings: tuple[tuple[str, str, str], ...]
    files: tuple[tuple[str, str], ...]


def difference(old: Details, new: Details) -> Difference:
    """Return what differs between two versions whose files were checked."""
    return Difference(
        old,
        new,
        metrics=_metrics(old.metrics, new.metrics),
        gates=_changed(_states(old.metrics), _states(new.metrics)),
        settings=_changed(_flat(_origin(old.provenance)), _flat(_origin(new.provenance))),
        files=_files(old.version.files, new.version.files),
    )


def _metrics(old: EvaluationFile, new: EvaluationFile) -> tuple[MetricChange, ...]:
    before, after = old.measured, new.measured
    return tuple(MetricChange(before.get(name), after.get(name)) for name in dict.fromkeys([*before, *after]))


def _states(evaluation: EvaluationFile) -> dict[str, str]:
    return {gate.gate: gate.state for gate in evaluation.every_gate}


def _origin(provenance: dict[str, Any]) -> dict[str, Any]:
    return {
        "settings": provenance["recipe"]["settings"],
        # Digests of private data are keyed differently in every run, so they cannot be compared.
        **(
            {"data": provenance["data"]["splits"]}
            if provenance["data"]["digest"].startswith("sha256")
            else {}
        ),
        "base_model": provenance["base_model"],
        "code": provenance["code"],
        "environment": provenance["environment"],
    }


def _flat(plain: dict[str, Any], prefix: str = "") -> dict[str, str]:
    """Return nested values as text by dotted key; digests are cut to 16 characters."""
    flat: dict[str, str] = {}
    for key, value in plain.items():
        dotted = f"{prefix}{key}"
        if isinstance(value, dict):
            flat |= _flat(value, f"{dotted}.")
        else:
            text = str(value)
            flat[dotted] = f"{text[:16]}…" if len(text) == 64 else text
    return flat


def _changed(old: dict[str, str], new: dict[str, str]) -> tuple[tuple[str, str, str], ...]:
    keys = dict.fromkeys([*old, *new])
    rows = [(key, old.get(key, "-"), new.get(key, "-")) for key in keys]
    return tuple(row for row in rows if row[1] != row[2])


def _files(old: dict[str, Any], new: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    changes = []
    for name in sorted({*old, *new}):
        if name not in new:
            changes.append((name, "removed"))
        elif name not in old:
            changes.append((name, "added"))
        elif old[name] != new[name]:
            changes.append((name, "changed"))
    return tuple(changes)


def printed(difference: Difference) -> "Group":
    """Return a difference as something that rich prints."""
    from rich.console import Group
    from rich.text import Text

    old, new = difference.old.version, difference.new.version
    parts: list[Any] = [
        Text(f"{old.reference} ({old.verdict}) -> {new.reference} ({new.verdict})", style="bold")
    ]
    rows = [
        (change.title, metric_text(change.old), metric_text(change.new), change.change)
        for change in difference.metrics
    ]
    parts.append(_table(("metric", "before", "after", ""), rows))
    for title, changes in (("gate", difference.gates), ("setting or origin", difference.settings)):
        if changes:
            parts.append(_table((title, "before", "after"), changes))
    if difference.files:
        parts.append(_table(("file", ""), difference.files))
    return Group(*parts)


def metric_text(metric: MeasuredMetric | None, absent: str = "-") -> str:
    """Return a metric's value and 95% interval in its unit; `absent` where it was not measured."""
    if metric is None:
        return absent
    return f"{figure(metric.value, metric.unit)} {bracketed(*metric.interval, metric.unit)}"


def _table(heads: tuple[str, ...], rows: Any) -> "Table":
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE, pad_edge=False)
    for head in heads:
        table.add_column(head, overflow="fold")
    for row in rows:
        table.add_row(*(Text(each) for each in row))
    return table

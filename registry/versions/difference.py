"""What changed between two versions: figures beyond their intervals, gates, settings, environment and files."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from paracosm.registry.versions.details import Details

if TYPE_CHECKING:
    from rich.console import Group
    from rich.table import Table

Change = Literal["better", "worse", "within noise", "new", "gone"]


@dataclass(frozen=True)
class MetricChange:
    """One metric in two versions; a side on which it was not measured is None."""

    name: str
    title: str
    group: str
    goal: str
    old: dict[str, Any] | None
    new: dict[str, Any] | None

    @property
    def change(self) -> Change:
        """Which way the value went; within noise while the two intervals overlap."""
        if self.old is None or self.new is None:
            return "new" if self.old is None else "gone"
        (low, high), (low_before, high_before) = (
            each.get("interval") or [each["value"]] * 2 for each in (self.new, self.old)
        )
        if low <= high_before and low_before <= high:
            return "within noise"
        return "better" if self._distance(self.new) < self._distance(self.old) else "worse"

    def _distance(self, entry: Mapping[str, Any]) -> float:
        """Return how far a value is from what it should be, up to a constant."""
        word, _, target = self.goal.partition(" ")
        if word == "target":
            return abs(entry["value"] - float(target))
        return -entry["value"] if word == "up" else entry["value"]


@dataclass(frozen=True)
class Difference:
    """What changed from one version to another."""

    old: Details
    new: Details
    metrics: tuple[MetricChange, ...]
    gates: tuple[tuple[str, str, str], ...]
    """Gate, its state before and after; only where they differ. `-` where it was not asked."""
    settings: tuple[tuple[str, str, str], ...]
    """Dotted key, value before and after; only where they differ."""
    files: tuple[tuple[str, str], ...]
    """File and what happened to it: added, removed or changed."""


def difference(old: Details, new: Details) -> Difference:
    """Compare two versions whose files were checked."""
    return Difference(
        old,
        new,
        metrics=_metrics(old.metrics, new.metrics),
        gates=_changed(_states(old.metrics), _states(new.metrics)),
        settings=_changed(_flat(_origin(old.provenance)), _flat(_origin(new.provenance))),
        files=_files(old.version.files, new.version.files),
    )


def _metrics(old: dict[str, Any], new: dict[str, Any]) -> tuple[MetricChange, ...]:
    before, after = (
        {each["name"]: each for each in metrics["metrics"] if each.get("value") is not None}
        for metrics in (old, new)
    )
    found = []
    for name in dict.fromkeys([*before, *after]):
        entry = after.get(name) or before[name]
        found.append(
            MetricChange(
                name, entry["title"], entry["group"], entry["goal"], before.get(name), after.get(name)
            )
        )
    return tuple(found)


def _states(metrics: dict[str, Any]) -> dict[str, str]:
    return {gate["gate"]: gate["state"] for gate in (*metrics["gates"], *metrics.get("not_ruling", []))}


def _origin(provenance: dict[str, Any]) -> dict[str, Any]:
    return {
        "settings": provenance["recipe"]["settings"],
        # Two runs key the digests of private data differently, so those cannot be compared.
        **(
            {"data": provenance["data"]["splits"]}
            if provenance["data"]["digest"].startswith("sha256")
            else {}
        ),
        "base_model": provenance["base_model"],
        "code": provenance["code"],
        "environment": provenance["environment"],
    }


def _flat(plain: dict[str, Any], above: str = "") -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in plain.items():
        where = f"{above}{key}"
        if isinstance(value, dict):
            found |= _flat(value, f"{where}.")
        else:
            text = str(value)
            found[where] = f"{text[:16]}…" if len(text) == 64 else text
    return found


def _changed(old: dict[str, str], new: dict[str, str]) -> tuple[tuple[str, str, str], ...]:
    keys = dict.fromkeys([*old, *new])
    rows = [(key, old.get(key, "-"), new.get(key, "-")) for key in keys]
    return tuple(row for row in rows if row[1] != row[2])


def _files(old: dict[str, Any], new: dict[str, Any]) -> tuple[tuple[str, str], ...]:
    found = []
    for name in sorted({*old, *new}):
        if name not in new:
            found.append((name, "removed"))
        elif name not in old:
            found.append((name, "added"))
        elif old[name] != new[name]:
            found.append((name, "changed"))
    return tuple(found)


def printed(found: Difference) -> "Group":
    """Return a difference as something that rich prints."""
    from rich.console import Group
    from rich.text import Text

    old, new = found.old.version, found.new.version
    parts: list[Any] = [
        Text(f"{old.reference} ({old.verdict}) -> {new.reference} ({new.verdict})", style="bold")
    ]
    shown = [(each.title, _figure(each.old), _figure(each.new), each.change) for each in found.metrics]
    parts.append(_table(("metric", "before", "after", ""), shown))
    for title, rows in (("gate", found.gates), ("setting or origin", found.settings)):
        if rows:
            parts.append(_table((title, "before", "after"), rows))
    if found.files:
        parts.append(_table(("file", ""), found.files))
    return Group(*parts)


def _figure(entry: dict[str, Any] | None) -> str:
    if entry is None:
        return "-"
    span = entry.get("interval")
    return f"{entry['value']:.4g}" + (f" [{span[0]:.4g}, {span[1]:.4g}]" if span else "")


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

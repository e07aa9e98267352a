"""What would settle the open gates, gathered: one line for all that want the same."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from paracosm.eval.measuring.gate import CONTROL, HELD_OUT

COUNTED: dict[str, tuple[str, ...]] = {
    CONTROL: ("control",),
    "control texts": ("control",),
    HELD_OUT: ("control", "test"),
    "test records": ("test",),
    "synthetic records": ("synthetic",),
}
"""What settles a gate -> the tables whose rows count; what is not here is said as a multiple."""


def cures(metrics: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return one entry for all inconclusive gates that want the same: the sentence, and the gates.

    Args:
        metrics: what `metrics.json` holds.
    """
    waiting = [gate for gate in metrics["gates"] if gate["state"] == "INCONCLUSIVE"]
    entries = []
    for what, gates in _grouped(waiting, lambda gate: gate["times"] is not None and gate["cure"]).items():
        entries.append(_entry(_more(what, gates, metrics["sizes"]), gates))
    for what, gates in _grouped(waiting, lambda gate: gate["times"] is None and gate["cure"]).items():
        entries.append(_entry(_unlikely(what, gates), gates))
    for reason, gates in _grouped(waiting, _other_reason).items():
        stand = "it stands" if len(gates) == 1 else "they stand"
        entries.append(_entry(f"{_count(gates)} cannot be settled as {stand}. {reason}", gates))
    return entries


def _grouped(gates: Sequence[Mapping[str, Any]], key: Any) -> dict[str, list[Mapping[str, Any]]]:
    """Return gates by what `key` gives, the largest group first; what it gives nothing for is left out."""
    found: dict[str, list[Mapping[str, Any]]] = {}
    for gate in gates:
        if name := key(gate):
            found.setdefault(name, []).append(gate)
    return dict(sorted(found.items(), key=lambda each: -len(each[1])))


def _other_reason(gate: Mapping[str, Any]) -> str | None:
    """Return why a gate is open that no number of records settles; the same words for all that are open alike."""
    if gate["cure"]:
        return None
    if gate["low"] is None and not gate["reason"].startswith("Not measured"):
        return "Floor and ceiling do not differ here"
    return gate["reason"].rstrip(".")


def _entry(reading: str, gates: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    return {
        "reading": reading,
        "gates": [each["gate"] for each in gates],
        "titles": [each["title"] for each in gates],
    }


def _count(gates: Sequence[Mapping[str, Any]]) -> str:
    return "1 gate" if len(gates) == 1 else f"{len(gates)} gates"


def _more(what: str, gates: Sequence[Mapping[str, Any]], sizes: Mapping[str, int]) -> str:
    times = sorted(each["times"] for each in gates)
    middle, most = times[(len(times) - 1) // 2], times[-1]
    need = "needs" if len(gates) == 1 else "need"
    if what not in COUNTED:
        half = f", half of them {middle:.1f} times" if _worth_saying(middle, most, gates) else ""
        return f"{_count(gates)} {need} about {most:.1f} times as many {what}{half}"
    now = sum(sizes.get(name, 0) for name in COUNTED[what])
    half = (
        f", half of them about {_round_up((middle - 1) * now):,}"
        if _worth_saying(middle, most, gates)
        else ""
    )
    return f"{_count(gates)} {need} about {_round_up((most - 1) * now):,} more {what} than the {now:,} there are{half}"


def _worth_saying(middle: float, most: float, gates: Sequence[Mapping[str, Any]]) -> bool:
    return len(gates) > 2 and middle - 1 < 0.7 * (most - 1)


def _unlikely(what: str, gates: Sequence[Mapping[str, Any]]) -> str:
    lie = "lies" if len(gates) == 1 else "lie"
    return f"{_count(gates)} {lie} at the limit or beyond it: more {what} would show whether that is chance"


def _round_up(count: float) -> int:
    """Return a count rounded up to two figures."""
    step = 10 ** max(0, math.floor(math.log10(max(count, 1.0))) - 1)
    return max(1, math.ceil(count / step) * step)

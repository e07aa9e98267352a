"""Remedies: how much more data would decide the inconclusive gates, one sentence for each kind of data."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from paracosm.eval.gates.reasons import MAX_DATA_FACTOR
from paracosm.eval.measuring.gate import CONTROL, HELD_OUT
from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.eval.results.gate_result import GateResult

COUNTED_TABLES: dict[str, tuple[str, ...]] = {
    CONTROL: ("control",),
    "control texts": ("control",),
    HELD_OUT: ("control", "test"),
    "test records": ("test",),
    "synthetic records": ("synthetic",),
}
"""Kind of data -> the tables whose rows count; other kinds are given as a multiple of what there is."""


@dataclass(frozen=True)
class Remedy:
    """What would settle some inconclusive gates.

    Attributes:
        sentence: how much more data of which kind, or why more data would not help; without a full stop at the end.
        gates: names of the gates.
        titles: their titles.
    """

    sentence: str
    gates: tuple[str, ...]
    titles: tuple[str, ...]

    @classmethod
    def of(cls, sentence: str, gates: Sequence[GateResult]) -> "Remedy":
        """Return a remedy for these gates."""
        return cls(sentence, tuple(gate.gate for gate in gates), tuple(gate.title for gate in gates))


def remedies(evaluation: EvaluationFile) -> list[Remedy]:
    """Return one remedy for all inconclusive gates of an evaluation that need the same."""
    return remedies_of(evaluation.gates, evaluation.sizes)


def remedies_of(results: Sequence[GateResult], sizes: Mapping[str, int]) -> list[Remedy]:
    """Return one remedy for all inconclusive gates among `results` that need the same.

    Args:
        results: of gates.
        sizes: records in each split and among the synthetic ones.
    """
    gates = [gate for gate in results if gate.state == "INCONCLUSIVE"]
    countable = [gate for gate in gates if gate.data_factor is not None]
    uncertain = [gate for gate in gates if gate.data_factor is None]
    return [
        *(
            Remedy.of(_more(data, group, sizes), group)
            for data, group in _grouped(countable, lambda gate: gate.remedy).items()
        ),
        *(
            Remedy.of(_unlikely(data, group), group)
            for data, group in _grouped(uncertain, lambda gate: gate.remedy).items()
        ),
        *(
            Remedy.of(f"{_count(group)} {'is' if len(group) == 1 else 'are'} undecided. {reason}", group)
            for reason, group in _grouped(gates, _other_reason).items()
        ),
    ]


def _grouped(
    gates: Sequence[GateResult], key: Callable[[GateResult], str | None]
) -> dict[str, list[GateResult]]:
    """Return gates by their key, the largest group first; gates without a key are left out."""
    groups: dict[str, list[GateResult]] = {}
    for gate in gates:
        if name := key(gate):
            groups.setdefault(name, []).append(gate)
    return dict(sorted(groups.items(), key=lambda group: -len(group[1])))


def _other_reason(gate: GateResult) -> str | None:
    """Return why a gate is inconclusive that no number of records settles, in the same words for the same reason."""
    if gate.remedy:
        return None
    if gate.low is None and not gate.reason.startswith("Not measured"):
        return "Floor and ceiling do not differ here"
    return gate.reason.rstrip(".")


def _count(gates: Sequence[GateResult]) -> str:
    return "1 gate" if len(gates) == 1 else f"{len(gates)} gates"


def _more(data: str, gates: Sequence[GateResult], sizes: Mapping[str, int]) -> str:
    factors = sorted(gate.data_factor for gate in gates if gate.data_factor is not None)
    median, largest = factors[(len(factors) - 1) // 2], factors[-1]
    half_needs_less = len(gates) > 2 and median - 1 < 0.7 * (largest - 1)
    need = "needs" if len(gates) == 1 else "need"
    if data not in COUNTED_TABLES:
        half = f", half of them {median:.1f} times" if half_needs_less else ""
        return f"{_count(gates)} {need} about {largest:.1f} times as many {data}{half}"
    present = sum(sizes.get(name, 0) for name in COUNTED_TABLES[data])
    half = f", half of them about {_round_up((median - 1) * present):,}" if half_needs_less else ""
    more = _round_up((largest - 1) * present)
    return f"{_count(gates)} {need} about {more:,} more {data} than the {present:,} there are{half}"


def _unlikely(data: str, gates: Sequence[GateResult]) -> str:
    no_power = ", or the attack has no power" if any(gate.section == "privacy" for gate in gates) else ""
    return (
        f"{_count(gates)} may need more than {MAX_DATA_FACTOR} times as many {data}: "
        f"the value is near the limit or beyond it{no_power}"
    )


def _round_up(count: float) -> int:
    """Return a count rounded up to two significant digits."""
    step = 10 ** max(0, math.floor(math.log10(max(count, 1.0))) - 1)
    return max(1, math.ceil(count / step) * step)

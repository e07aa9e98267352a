"""What sizes can settle: the records that each gate needs to PASS for records in which nothing is wrong, before anything is measured.

A gate passes if its whole interval keeps the limit. The width of many intervals follows from the numbers of records alone, so that
a table that is too small can be named before hours of training. Gates whose interval depends on the table itself (associations,
usefulness, wording, the risks of WP216) are not among them.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from paracosm.eval.gates.catalogue import GATES
from paracosm.eval.gates.ruling import check_names
from paracosm.eval.measuring.gate import HELD_OUT, TEST, Gate, Question
from paracosm.eval.measuring.metric import NORMAL_95
from paracosm.eval.statistics.attack_scores import false_positive_rate
from paracosm.eval.statistics.intervals import wilson
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.release import Release

SYNTHETIC = "synthetic records"
MOST = 10_000_000
"""Records up to which a need is searched."""


@dataclass(frozen=True)
class Need:
    """The records that one gate needs.

    Attributes:
        gate: its name.
        title: its title.
        question: the question whose verdict depends on it.
        data: the kind of records: synthetic records, control and test records, or test records.
        needed: the fewest of them with which the gate passes where nothing is wrong (in half of all draws where chance plays a
            part); None where no number suffices with so many training records.
        present: how many there are.
    """

    gate: str
    title: str
    question: Question
    data: str
    needed: int | None
    present: int

    @property
    def is_met(self) -> bool:
        """Whether these sizes allow a PASS."""
        return self.needed is not None and self.present >= self.needed


def needs(
    sizes: Mapping[str, int],
    release: Release,
    settings: Evaluate,
    *,
    has_adapter: bool,
    has_texts: bool,
) -> list[Need]:
    """Return the need of every gate that the profile demands proof of and whose interval follows from sizes.

    Args:
        sizes: records of `train`, `control`, `test` and `synthetic`; a split that is absent counts as empty.
        release: the profile, what is released, and limits other than the profile's.
        settings: how many records are attacked.
        has_adapter: whether a model is trained and attacked.
        has_texts: whether there is a column of texts.

    Raises:
        RecipeError: `release` limits a gate that does not exist.
    """
    check_names(release)
    found = []
    for gate in GATES:
        rule = _RULES.get(gate.name)
        limit = gate.limit(release)
        if rule is None or not math.isfinite(limit) or not gate.demands_proof(release):
            continue
        if (gate.question == "adapter" and (not has_adapter or release.what == "records")) or (
            gate.name.startswith("run_") and not has_texts
        ):
            continue
        found.append(_need(gate, rule, limit, sizes, settings))
    return found


@dataclass(frozen=True)
class _Rule:
    """How the upper bound of a gate follows from sizes where nothing leaks.

    Attributes:
        data: the kind of records that the gate wants more of.
        splits: the tables that are counted as this kind.
        bound: the upper bound of the interval, given the number of these records and of training records under attack.
    """

    data: str
    splits: tuple[str, ...]
    bound: Callable[[int, int], float]


def _need(gate: Gate, rule: _Rule, limit: float, sizes: Mapping[str, int], settings: Evaluate) -> Need:
    present = sum(sizes.get(split, 0) for split in rule.splits)
    members = min(sizes.get("train", 0), settings.attacked_records if gate.question == "adapter" else 2000)
    needed = _fewest(lambda count: members > 0 and rule.bound(count, members) <= limit)
    return Need(gate.name, gate.title, gate.question, rule.data, needed, present)


def _fewest(suffices: Callable[[int], bool]) -> int | None:
    """Return the smallest number for which `suffices` is true; it must stay true for larger ones."""
    if not suffices(MOST):
        return None
    low, high = 0, MOST
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if suffices(middle) else (middle, high)
    return high


def _without_copy(released: int, _: int) -> float:
    """Return the upper bound of a rate of which no case was found, and none among real records."""
    return wilson(0, released)[1]


def _guessing_auc(others: int, members: int) -> float:
    """Return the upper bound of an AUC of one half (Mann & Whitney 1947: variance without a difference)."""
    return 0.5 + NORMAL_95 * math.sqrt((members + others + 1) / (12 * members * others))


def _guessing_rate(others: int, members: int) -> float:
    """Return the upper bound of TPR - FPR of an attack that guesses: Wilson's interval, and the spread of the threshold's rank."""
    rate = false_positive_rate(others)
    own = wilson(rate * members, members)[1] - rate
    return math.hypot(own, NORMAL_95 * math.sqrt(rate * (1 - rate) / others))


_COPIES = _Rule(SYNTHETIC, ("synthetic",), _without_copy)
_NON_MEMBERS = ("control", "test")
_RULES: dict[str, _Rule] = {
    "exact_copies": _COPIES,
    "near_copies": _COPIES,
    "run_13": _COPIES,
    "run_50": _COPIES,
    "data_mia_auc": _Rule(HELD_OUT, _NON_MEMBERS, _guessing_auc),
    "data_mia_tpr": _Rule(HELD_OUT, _NON_MEMBERS, _guessing_rate),
    "adapter_mia_auc": _Rule(TEST, ("test",), _guessing_auc),
    "adapter_mia_tpr": _Rule(TEST, ("test",), _guessing_rate),
}

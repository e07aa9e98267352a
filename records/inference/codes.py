"""Codes: numbers that name things, so that no other number between them exists.

A column of numbers is a closed list where the data show it: zeros in front (`0042`), or gaps that a measurement does not leave (20,
30, 60, 120). A gap shows a code if both of its ends are so frequent that a number between them would hardly be missing by chance.
"""

from collections.abc import Mapping
from itertools import pairwise

SURE = 10
"""Occurrences of both ends of a gap, from which on a number between them would not be missing by chance: if its expected count were as
large, it would be absent with a probability of e^-10."""
FEW = 20
"""Most distinct numbers of a list whose gaps alone make it a code."""
RARE = 0.005
"""Largest share of cells that occur once (Good-Turing: share of numbers that are not in the list) in a list with gaps."""
RARE_OF_MANY = 0.01
"""The same in a list of more numbers, which its sparseness shows too."""
SPARSE = 0.1
"""Largest share of the numbers between smallest and largest that a long list of codes uses."""
FEWEST_DIGITS = 3
"""Digits of a code of one width in a long list."""
MOST_CODES = 10_000
"""Most values of a closed list: what the codec carries within seconds."""


def is_closed(counts: Mapping[str, int], total: int, unseen: float) -> bool:
    """Return whether the distinct cells cover what new records would hold, up to a share `unseen` of them (Good-Turing)."""
    once = sum(count == 1 for count in counts.values())
    return len(counts) <= MOST_CODES and once <= unseen * total


def have_gaps(numbers: Mapping[int, int], *, fixed_width: bool) -> bool:
    """Return whether whole numbers leave gaps that measurements and counts do not leave.

    Up to 20 numbers are a code if at least half of the gaps between neighbours are sure. More numbers, of which hardly any occurs
    once, are a code only if they all have one width and use less than a tenth of the places that their common step leaves, so that
    ages, rounded amounts and counts with a long tail stay numbers.

    Args:
        numbers: distinct number -> number of occurrences.
        fixed_width: whether all are written with as many digits.
    """
    total = sum(numbers.values())
    ordered = sorted(numbers)
    rare = RARE if len(ordered) <= FEW else RARE_OF_MANY
    if len(ordered) < 2 or sum(count == 1 for count in numbers.values()) > rare * total:
        return False
    if len(ordered) <= FEW:
        gaps = [(low, high) for low, high in pairwise(ordered) if high - low > 1]
        sure = sum(min(numbers[low], numbers[high]) >= SURE for low, high in gaps)
        return bool(gaps) and 2 * sure >= len(gaps)
    step = _common_step({high - low for low, high in pairwise(ordered)})
    places = (ordered[-1] - ordered[0]) // step + 1
    return fixed_width and ordered[0] >= 10 ** (FEWEST_DIGITS - 1) and len(ordered) <= SPARSE * places


def _common_step(steps: set[int]) -> int:
    from math import gcd

    return gcd(*steps)

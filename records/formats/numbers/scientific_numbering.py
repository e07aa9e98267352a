"""Whole numbers without gaps for the floats of so many significant digits."""

import math
from collections.abc import Callable


def scientific_numbering(digits: int) -> tuple[Callable[[float], int], Callable[[int], float]]:
    """Number the floats of so many significant digits: magnitude after magnitude, zero in the middle."""
    smallest = 10 ** (digits - 1)
    a_decade = 9 * smallest
    # Below this magnitude a float has fewer digits than a column may have.
    lowest = -307

    def index(value: float) -> int:
        if abs(value) < 10.0**lowest:
            return 0
        mantissa, exponent = f"{abs(value):.{digits - 1}e}".split("e")
        whole = int(mantissa.replace(".", ""))
        number = (int(exponent) - lowest) * a_decade + whole - smallest + 1
        return number if value > 0 else -number

    def value(number: int) -> float:
        if number == 0:
            return 0.0
        decade, rest = divmod(abs(number) - 1, a_decade)
        return math.copysign(float(f"{rest + smallest}e{decade + lowest - digits + 1}"), number)

    return index, value

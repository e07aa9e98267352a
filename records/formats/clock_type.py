"""Decision between times of day and durations, which are written alike."""

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from paracosm.records.formats.datetimes.compact import compact_time_formats
from paracosm.records.formats.duration_format import duration_formats, states_its_units
from paracosm.records.formats.time_format import dotted_time_formats, time_formats


class ClockType(NamedTuple):
    """A type, the `Field` attributes of its format, and warnings."""

    type: Literal["time", "duration"]
    attributes: dict[str, Any]
    warnings: tuple[str, ...] = ()


def clock_type(
    name: str,
    cells: Sequence[str],
    *,
    names_a_duration: bool,
    names_a_time: bool,
    names_time: bool,
    in_hours: bool,
) -> ClockType | None:
    """Return whether the cells of a column are times of day or durations; None if they are neither.

    Cells such as `02:30` are times of day, unless one of them is not before 24:00 or the column's name says duration.

    Args:
        name: the column's name, for warnings.
        cells: the distinct cells.
        names_a_duration: whether the name says duration.
        names_a_time: whether the name says time of day.
        names_time: whether the name says time in any sense.
        in_hours: whether the name says that durations are in hours.
    """
    times = time_formats(cells) or (dotted_time_formats(cells) if names_a_time else [])
    times = times or compact_time_formats(cells, named=names_a_time or names_time)
    durations = duration_formats(cells)
    # `1h30` is a duration or a time of day; hours of the afternoon make it a time.
    stated = bool(durations) and states_its_units(durations[0])
    likely = names_a_time or not stated or _in_the_afternoon(cells)
    if times and likely and not names_a_duration:
        return ClockType("time", {"format": times[0]})
    if not durations:
        return ClockType("time", {"format": times[0]}) if times else None
    form = durations[0]
    if states_its_units(form):
        return ClockType("duration", {"format": form})
    hours = [candidate for candidate in durations if "H" in candidate]
    if "H" in form:
        seen = "" if names_a_duration else "holds times of 24 hours and more; read as durations"
    else:
        ends_at_24 = max(int(cell.lstrip("-").partition(":")[0]) for cell in cells) == 24
        form = hours[0] if hours and (in_hours or (ends_at_24 and not names_a_duration)) else form
        units = "hours and minutes" if "H" in form else "minutes and seconds"
        seen = f"read as durations in {units}"
    decide = f"; data.fields.{name}.type and .format decide otherwise (%H:%M, %M:%S)"
    return ClockType("duration", {"format": form}, (f"column {name!r}: {seen}{decide}",) if seen else ())


def _in_the_afternoon(cells: Sequence[str]) -> bool:
    """Return whether cells such as `18h41` have two digits for each hour, some of them after 12."""
    return all(cell[:2].isdecimal() for cell in cells) and max(int(cell[:2]) for cell in cells) > 12

"""Repeated draws of a simulation, each kept as a line of a file as soon as it is made: a bench that was cut short goes on."""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from paracosm.eval.measuring.metric import Estimate

Figures = dict[str, Estimate]


def draws_in_file(
    path: Path | None, draws: range, setting: dict[str, object], make: Callable[[int], Figures]
) -> list[Figures]:
    """Return the figures of some draws; those that `path` holds under the same setting are not made again."""
    held = _read(path, setting) if path is not None and path.is_file() else {}
    began = time.process_time()
    for done, draw in enumerate(draws, start=1):
        if draw in held:
            continue
        held[draw] = make(draw)
        if path is not None:
            figures = {name: [each.value, each.low, each.high] for name, each in held[draw].items()}
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"draw": draw, "setting": setting, "figures": figures}) + "\n")
        if done % 20 == 0:
            spent = (time.process_time() - began) / 60
            print(
                f"  {done} of {len(draws)} draws, {spent:.1f} minutes of processor",
                file=sys.stderr,
                flush=True,
            )
    return [held[draw] for draw in draws]


def _read(path: Path, setting: dict[str, object]) -> dict[int, Figures]:
    held = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["setting"] == setting:
            held[row["draw"]] = {name: Estimate(*each) for name, each in row["figures"].items()}
    return held

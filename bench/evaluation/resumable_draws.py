"""Repeated draws of a simulation, each saved as a line of a file at once, so that an interrupted bench resumes."""

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from paracosm.eval.measuring.metric import Estimate

Estimates = dict[str, Estimate]


def add_draw_options(parser: argparse.ArgumentParser, rows: Sequence[int]) -> None:
    """Add the options that every simulation has.

    Args:
        parser: of the bench.
        rows: default numbers of train, control, test and synthetic records.
    """
    parser.add_argument("--draws", type=int, default=200)
    parser.add_argument(
        "--first", type=int, default=0, help="number of the first draw; other numbers give other draws"
    )
    parser.add_argument(
        "--rows", type=int, nargs=4, default=list(rows), metavar=("TRAIN", "CONTROL", "TEST", "SYNTHETIC")
    )
    parser.add_argument("--results", type=Path, help="file that draws are saved in")


def draws_in_file(
    path: Path | None, draws: range, setting: dict[str, object], make: Callable[[int], Estimates]
) -> list[Estimates]:
    """Return the estimates of some draws; draws that `path` holds under the same setting are not repeated.

    Args:
        path: of the file, or None to save nothing.
        draws: their numbers.
        setting: what else the result of a draw depends on.
        make: computes one draw.
    """
    saved = _read(path, setting) if path is not None and path.is_file() else {}
    began = time.process_time()
    for done, draw in enumerate(draws, start=1):
        if draw in saved:
            continue
        saved[draw] = make(draw)
        if path is not None:
            bounds = {name: [one.value, one.low, one.high] for name, one in saved[draw].items()}
            with path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"draw": draw, "setting": setting, "figures": bounds}) + "\n")
        if done % 20 == 0:
            spent = (time.process_time() - began) / 60
            print(
                f"  {done} of {len(draws)} draws, {spent:.1f} minutes of CPU time",
                file=sys.stderr,
                flush=True,
            )
    return [saved[draw] for draw in draws]


def _read(path: Path, setting: dict[str, object]) -> dict[int, Estimates]:
    saved = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        if row["setting"] == setting:
            saved[row["draw"]] = {name: Estimate(*bounds) for name, bounds in row["figures"].items()}
    return saved

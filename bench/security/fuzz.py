"""Fuzzing of every reader of foreign bytes: valid inputs with random changes; anything but success or one line is a finding.

python bench/security/fuzz.py                              a minute of processor time per reader
python bench/security/fuzz.py --minutes 10 --only CSV rule --seed 3
python bench/security/fuzz.py --minutes .5 --rounds 20     the same ten minutes each, all readers in turn

A round has the seed after that of the round before; the table after each round counts all rounds so far. SIGTERM and Ctrl-C
end it with the table.
"""

import argparse
import random
import sys
import time
import warnings
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from fuzz_targets import TARGETS, Target, execute, inputs  # type: ignore[import-not-found]  # of the tests

from paracosm.foundation.process.signals import ending_on_signals

NAMES = [target.name for target in TARGETS]


@dataclass
class Count:
    """What became of the inputs of one reader.

    Attributes:
        executions: inputs tried.
        seconds: processor time.
        longest: processor time of the slowest input.
        findings: the first input of each finding, by its place in the code.
    """

    executions: int = 0
    seconds: float = 0.0
    longest: float = 0.0
    findings: dict[str, bytes] = field(default_factory=dict)


def main() -> int:
    """Fuzz; print executions, minutes and findings per reader. Returns 1 if there is a finding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0, help="of processor time per reader and round")
    parser.add_argument("--rounds", type=int, default=1)
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="READER")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    targets = [target for target in TARGETS if target.name in given.only]
    counts = {target.name: Count() for target in targets}
    seed = given.seed
    try:
        with ending_on_signals():
            for seed in range(given.seed, given.seed + given.rounds):
                for target in targets:
                    draw = random.Random(f"{target.name}/{seed}")
                    fuzz(target, counts[target.name], 60 * given.minutes, draw)
                print_table(counts, f"seeds {given.seed} to {seed}")
    except KeyboardInterrupt:
        print_table(counts, f"seeds {given.seed} to {seed}, ended by a signal")
        return 130
    return int(any(count.findings for count in counts.values()))


def fuzz(target: Target, count: Count, seconds: float, draw: random.Random) -> None:
    """Fuzz one reader for some seconds of processor time; print each finding when it is new."""
    began = time.process_time()
    for content in inputs(target, draw):
        start = time.process_time()
        if start - began > seconds:
            return
        finding = execute(target, content)
        spent = time.process_time() - start
        count.executions += 1
        count.seconds += spent
        count.longest = max(count.longest, spent)
        place = (finding or "").partition(": ")[0]
        if finding is not None and place not in count.findings:
            count.findings[place] = content
            print(f"{target.name}: {finding}\n    {content[:1000]!r}", flush=True)


def print_table(counts: dict[str, Count], title: str) -> None:
    """Print the table of all rounds."""
    print(f"\n{title}\n{'reader':20}{'executions':>12}{'minutes':>10}{'longest':>10}{'findings':>10}")
    for name, count in counts.items():
        print_row(name, count)
    total = Count(
        sum(count.executions for count in counts.values()),
        sum(count.seconds for count in counts.values()),
        max(count.longest for count in counts.values()),
        {f"{name} {place}": b"" for name, count in counts.items() for place in count.findings},
    )
    print_row("all", total)


def print_row(name: str, count: Count) -> None:
    """Print one row."""
    print(
        f"{name:20}{count.executions:12,}{count.seconds / 60:10.2f}{count.longest:9.1f}s{len(count.findings):10}",
        flush=True,
    )


if __name__ == "__main__":
    sys.exit(main())

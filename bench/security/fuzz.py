"""Fuzzing of every reader of foreign bytes: valid inputs with random changes; anything but success or one line is a finding.

python bench/security/fuzz.py                              a minute of processor time per reader
python bench/security/fuzz.py --minutes 10 --only CSV rule --seed 3
"""

import argparse
import random
import sys
import time
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from fuzz_targets import TARGETS, Target, execute, inputs  # type: ignore[import-not-found]  # of the tests

NAMES = [target.name for target in TARGETS]


def main() -> int:
    """Fuzz; print executions and findings per reader. Returns 1 if there is a finding."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--minutes", type=float, default=1.0, help="of processor time per reader")
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, metavar="READER")
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"{'reader':20}{'executions':>12}{'longest':>10}{'findings':>10}")
    findings = 0
    for target in TARGETS:
        if target.name in given.only:
            findings += fuzz(target, 60 * given.minutes, random.Random(f"{target.name}/{given.seed}"))
    return int(findings > 0)


def fuzz(target: Target, seconds: float, draw: random.Random) -> int:
    """Fuzz one reader for some seconds of processor time; return the number of different findings."""
    began, executions, longest = time.process_time(), 0, 0.0
    found: dict[str, bytes] = {}
    for content in inputs(target, draw):
        start = time.process_time()
        if start - began > seconds:
            break
        finding = execute(target, content)
        executions += 1
        longest = max(longest, time.process_time() - start)
        if finding is not None:
            found.setdefault(finding.partition(": ")[0], content)
    print(f"{target.name:20}{executions:12,}{longest:9.1f}s{len(found):10}", flush=True)
    for finding, content in found.items():
        print(f"    {finding}: {content[:300]!r}", flush=True)
    return len(found)


if __name__ == "__main__":
    sys.exit(main())

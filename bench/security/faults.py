"""Fault injection: every file of a run, a version and a pulled folder, damaged in every way, before every command.

python bench/security/faults.py                      every case (about an hour of processor time)
python bench/security/faults.py --part 0/20          a twentieth of them, drawn at random
python bench/security/faults.py --each 1           one file for each pair of command and damage that it can be done to
python bench/security/faults.py --commands verify pull --show
"""

import argparse
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from fault_injection import COMMANDS, FLAWS, Injection, Place, cases  # type: ignore[import-not-found]  # of the tests

KINDS = ("one line", "made again", "warned", "unaffected", *FLAWS)


def main() -> int:
    """Run the cases; print a table, and every flaw. Returns 1 if there is one."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--part", default="0/1", metavar="K/N", help="the K-th of N random parts")
    parser.add_argument(
        "--each",
        type=int,
        help="files for each pair of command and damage, drawn at random, instead of a part",
    )
    parser.add_argument("--commands", nargs="+", choices=COMMANDS, default=list(COMMANDS), metavar="COMMAND")
    parser.add_argument("--files", default="", help="part of the file names")
    parser.add_argument("--minutes", type=float, default=1e9, help="stop after")
    parser.add_argument("--show", action="store_true", help="print every message")
    given = parser.parse_args()
    part, parts = map(int, given.part.split("/"))
    with tempfile.TemporaryDirectory() as folder:
        injection = Injection(Place(Path(folder) / "place"))
        injection.warm_up()
        chosen = [
            case
            for case in cases(injection.place)
            if case.command in given.commands and given.files in case.file
        ]
        random.Random(0).shuffle(chosen)
        counts: dict[str, Counter[str]] = {command: Counter() for command in given.commands}
        slowest, flaws, end = 0.0, 0, time.monotonic() + 60 * given.minutes
        chosen = chosen[part::parts] if given.each is None else chosen
        done: Counter[tuple[str, str]] = Counter()
        for case in chosen:
            if done[case.command, case.damage.name] == given.each:
                continue
            if time.monotonic() > end:
                break
            verdict = injection.run(case)
            if verdict is None:
                continue
            counts[case.command][verdict.kind] += 1
            done[case.command, case.damage.name] += 1
            slowest = max(slowest, verdict.outcome.seconds)
            if verdict.kind in FLAWS or given.show:
                flaws += verdict.kind in FLAWS
                told = verdict.outcome.err.strip().splitlines()[-3 if verdict.kind in FLAWS else -1 :]
                print(
                    f"{verdict.kind}: {case} (exit {verdict.outcome.code}): {' / '.join(told)[-400:]} {' '.join(verdict.differing[:6])}",
                    flush=True,
                )
    print(f"\n{'':16}" + "".join(f"{kind:>12}" for kind in KINDS))
    for command, count in counts.items():
        print(f"{command:16}" + "".join(f"{count[kind]:12}" for kind in KINDS))
    total = sum(counts.values(), Counter())
    print(f"{'all':16}" + "".join(f"{total[kind]:12}" for kind in KINDS))
    print(f"{len(done)} pairs of a command and a damage")
    print(f"{total.total():,} damaged files; the slowest command took {slowest:.1f} s")
    return int(flaws > 0)


if __name__ == "__main__":
    sys.exit(main())

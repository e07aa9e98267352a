"""The table of hostile inputs: for each kind, how many were tried, how many ended as promised, and the slowest.

    python bench/security/table.py                       every kind (minutes; processes, real servers, a training)
    python bench/security/table.py --only bombs names    some
    python bench/security/table.py --markdown            as a table for docs

An input is one test case of the suites that the table names, each with hostile bytes, names, answers or surroundings of
its own; cases that a suite skips on this machine are counted apart. "As promised" is what the case checks: one line and exit code 2
(of a hostile input), or the same result (of a harmless one), without a traceback. The column "before" is what stood when these kinds
were first tried, before any mend.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Kind:
    """One kind of hostile input.

    Attributes:
        title: what is hostile.
        before: what such inputs did before the mends.
        suites: files of the tests, below `tests`.
        named: pytest's expression that chooses among their cases; empty for all.
    """

    title: str
    before: str
    suites: tuple[str, ...]
    named: str = ""


KINDS = {
    "unit": Kind(
        "one unit less in the private source, every key of the recipe",
        "`data.limit` changed two rows, or let 34 other people in",
        ("unit/records/test_one_unit_less.py", "unit/finetune/test_private_corpus.py"),
    ),
    "code": Kind(
        "models, tokenizers and versions with code, pickles or decoys",
        "code ran after a `y` on the terminal; a decoy let a pickle in",
        ("unit/finetune/test_foreign_models.py", "unit/finetune/test_tokenizer_limits.py", "unit/test_foreign_code.py"),
    ),
    "names": Kind(
        "column names: markup, escapes, reserved words, 1 MB, formulas",
        "`patient__age` ended in a traceback; escapes reached the terminal",
        ("unit/records/test_column_names.py", "unit/foundation/test_printable.py", "integration/cli/test_hostile_names.py"),
    ),
    "queries": Kind(
        "queries that write, passwords in URLs",
        "DROP TABLE dropped the table; passwords of a URL's query were printed",
        (
            "unit/records/test_select_statement.py", "unit/records/test_json_and_sql_sources.py",
            "unit/foundation/test_redaction.py", "unit/registry/test_store_urls.py",
        ),
    ),
    "rare": Kind(
        "values that one person alone has",
        "one person's note with name and phone left in codec, schema and records",
        ("unit/records/test_rare_values.py", "integration/records/test_planted_values.py"),
    ),
    "bombs": Kind(
        "bombs: aliases, nesting, compression, declared rows, globs, devices",
        "no answer in 60 s, memory filled",
        ("unit/records/test_hostile_sources.py",),
    ),
    "inputs": Kind(
        "bad recipes, tables and commands",
        "numbers of 5,000 digits and `hf://` ended in a traceback",
        ("integration/cli/test_bad_inputs.py", "unit/foundation/test_signals.py"),
    ),
    "machine": Kind(
        "full disks, quotas, little memory, closed pipes, read-only folders",
        "a full disk in a checkpoint ended in a traceback",
        ("integration/cli/test_machine_faults.py", "integration/cli/test_bad_surroundings.py", "unit/finetune/test_checkpoints.py"),
    ),
    "versions": Kind(
        "tampered versions, signatures and stores",
        "15 of 15 were refused already",
        ("unit/registry/test_local_folder.py", "unit/registry/test_signature.py"),
    ),
    "servers": Kind(
        "registries that refuse, keep silent or send pages",
        "pages were printed; a silent server hung for more than 60 s",
        ("integration/registry/test_faulty_servers.py",),
    ),
    "interrupted": Kind(
        "evaluations that a signal ends, damaged measures",
        "every measure was made again",
        ("integration/eval/test_interrupted_evaluation.py", "unit/eval/test_finished_measures.py"),
    ),
    "bytes": Kind(
        "60 changed inputs of each of the readers (counted as one)",
        "4 findings in 3 places",
        ("unit/test_foreign_bytes.py",),
    ),
}  # fmt: skip


@dataclass
class Row:
    """What became of the inputs of a kind."""

    tried: int = 0
    promised: int = 0
    skipped: int = 0
    slowest: float = 0.0


def tried(kind: Kind, flaws: list[str]) -> Row:
    """Run the suites of a kind; return the counts, and add every flaw to `flaws`."""
    row = Row()
    with tempfile.TemporaryDirectory() as folder:
        report = Path(folder) / "report.xml"
        subprocess.run(
            [
                sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:xdist", f"--junitxml={report}",
                "-o", "junit_duration_report=call", "-k", kind.named, *(str(ROOT / "tests" / suite) for suite in kind.suites),
            ],
            cwd=ROOT, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, check=False,
        )  # fmt: skip
        if not report.is_file():
            raise SystemExit(f"{kind.suites}: could not be run")
        for case in ET.parse(report).iter("testcase"):
            if case.find("skipped") is not None:
                row.skipped += 1
                continue
            row.tried += 1
            seconds = float(case.get("time", "0"))
            row.slowest = max(row.slowest, seconds)
            wrong = case.find("failure") if case.find("failure") is not None else case.find("error")
            if wrong is None:
                row.promised += 1
            else:
                message = " ".join((wrong.get("message") or "").split())[:200]
                flaws.append(f"{case.get('name', '')[:120]}: {message}")
    return row


def main() -> int:
    """Print the table. Returns 1 if an input did not end as promised."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--only", nargs="+", choices=KINDS, default=list(KINDS), metavar="KIND")
    parser.add_argument("--markdown", action="store_true", help="as a table for docs")
    given = parser.parse_args()
    flaws: list[str] = []
    total = Row()
    if given.markdown:
        print(
            "| kind | before | inputs | as promised | skipped | slowest |\n| --- | --- | --- | --- | --- | --- |"
        )
    for name in given.only:
        known = len(flaws)
        row = tried(KINDS[name], flaws)
        total.tried += row.tried
        total.promised += row.promised
        total.skipped += row.skipped
        total.slowest = max(total.slowest, row.slowest)
        print_row(KINDS[name].title, KINDS[name].before, row, markdown=given.markdown)
        # At once: a table that is stopped before its end has told what it found.
        for flaw in flaws[known:]:
            print(flaw, file=sys.stderr, flush=True)
    print_row("all", "", total, markdown=given.markdown)
    return int(bool(flaws))


def print_row(title: str, before: str, row: Row, *, markdown: bool) -> None:
    """Print one row."""
    counts = (f"{row.tried:,}", f"{row.promised:,}", str(row.skipped), f"{row.slowest:.1f} s")
    if markdown:
        print(f"| {' | '.join((title, before, *counts))} |", flush=True)
    else:
        print(f"{title:72}{''.join(f'{count:>9}' for count in counts)}", flush=True)


if __name__ == "__main__":
    sys.exit(main())

"""Random kills over all stages and the publication: the same bytes as an undisturbed run.

    python bench/security/kills.py --kills 10            on a causal, a masked, a private and a text run

Each kill is SIGKILL or SIGTERM after a random share of the time that the command needs; then the same command goes on.
"""

import argparse
import hashlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from tiny_models import save_tiny_llama, save_tiny_masked  # type: ignore[import-not-found]  # of the tests

COMMAND = (sys.executable, "-m", "paracosm.cli.app")
ROWS = [
    f"{n % 7},{n * 1.5},{'fm'[n % 2]},{['pain', 'fever', 'cough'][n % 3]} since day {n % 11}"
    for n in range(120)
]
TABLE = "age,score,sex,note\n" + "\n".join(ROWS) + "\n"
COMMON = """\
name: {name}
data:
  source: t.csv
  drop: {drop}
{data}model:
  base: {base}
finetune:
  epochs: {epochs}
{finetune}generate:
  records: 600
eval:
  bootstrap: 100
  repeats: 1
{more}"""
DECLARED = """\
  fields:
    age: {type: integer, minimum: 0, maximum: 9, nullable: false}
    score: {type: number, minimum: 0, maximum: 200, decimals: 1, nullable: false}
    sex: {categories: [f, m], nullable: false}
"""
KINDS = {
    "causal": {"epochs": 6},
    "masked": {"finetune": "  objective: masked\n", "epochs": 6},
    "private": {"data": DECLARED, "more": "privacy:\n  epsilon: 8\n  epochs: 3\n  batch_size: 16\n"},
    "text": {"drop": "[score]", "epochs": 4},
}
STAGES = ("finetune", "generate", "eval", "card")
RESULTS = {
    "finetune": ("adapter", "synthetic", "eval", "card"),
    "generate": ("synthetic", "eval", "card"),
    "eval": ("eval", "card"),
    "card": ("card",),
}
"""Folders that a stage and those after it leave."""
TIMED = (
    "provenance.json",
    "README.md",
    "croissant.json",
    "manifest.json",
    "run.json",
    ".lock",
    "report.html",
)


def main() -> int:
    """Kill runs of every kind; print one line each. Returns 1 if bytes differ."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--kills", type=int, default=10, help="per kind of run")
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=list(KINDS))
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        for kind in given.kinds:
            place = Path(folder) / kind
            place.mkdir()
            failed += not killed(place, kind, given.kills, random.Random(f"{kind}/{given.seed}"))
    return int(failed > 0)


def killed(place: Path, kind: str, kills: int, draw: random.Random) -> bool:
    """Do one kind of run undisturbed and killed; return whether both end with the same bytes."""
    save = save_tiny_masked if kind == "masked" else save_tiny_llama
    settings = {"drop": "[note]", "data": "", "finetune": "", "more": "", "epochs": 1} | KINDS[kind]
    (place / "t.csv").write_text(TABLE)
    (place / "r.yaml").write_text(COMMON.format(name=kind, base=save(place / "model"), **settings))
    run = ["run", "r.yaml", "--run", "killed"]
    publish = ["publish", "killed", "store", "--override", "a test"]
    if kind == "private":
        # Both trainings must have one secret, which is drawn at the beginning of the first.
        process = start(place, run)
        while not (place / "killed/checkpoints/secret").is_file() and process.poll() is None:
            time.sleep(0.01)
        process.kill()
        process.wait()
        shutil.copytree(place / "killed", place / "begun")
    began = time.monotonic()
    finish(place, run)
    seconds = {"run": time.monotonic() - began}
    began = time.monotonic()
    finish(place, publish)
    seconds["publish"] = time.monotonic() - began
    whole = digests(place)
    for name in ("killed", "store"):
        shutil.rmtree(place / name)
    if kind == "private":
        (place / "begun").rename(place / "killed")
    stages: list[str] = []
    signals = {signal.SIGKILL: 0, signal.SIGTERM: 0}
    publications = max(1, kills // 5)
    for number in range(kills):
        command = publish if number >= kills - publications else run
        if number == kills - publications:
            finish(place, run)
        sign, stage = draw.choice(list(signals)), STAGES[number % len(STAGES)]
        if command is run:
            again(place / "killed", stage)
        process = start(place, command)
        while command is run and process.poll() is None and stage_of(place / "killed") != stage:
            time.sleep(0.01)
        time.sleep(draw.uniform(0, 1) * (seconds["publish"] if command is publish else seconds["run"] / 5))
        if process.poll() is None:
            process.send_signal(sign)
            signals[sign] += 1
            stages.append("publish" if command is publish else stage_of(place / "killed"))
        process.wait()
    finish(place, run)
    shutil.rmtree(place / "store", ignore_errors=True)
    finish(place, publish)
    same = digests(place) == whole
    counts = ", ".join(f"{stage} {stages.count(stage)}" for stage in dict.fromkeys(stages))
    print(
        f"{kind:8} SIGKILL {signals[signal.SIGKILL]}, SIGTERM {signals[signal.SIGTERM]} ({counts}): "
        f"{'same bytes' if same else 'OTHER BYTES'}",
        flush=True,
    )
    if not same:
        after = digests(place)
        print(
            "   ",
            sorted(name for name in whole.keys() | after.keys() if whole.get(name) != after.get(name))[:9],
        )
    return same


def again(run: Path, stage: str) -> None:
    """Remove the results of a stage that has ended, so that it is done once more."""
    for name in RESULTS[stage]:
        shutil.rmtree(run / name, ignore_errors=True)


def start(place: Path, arguments: list[str]) -> subprocess.Popen:
    return subprocess.Popen(
        [*COMMAND, *arguments], cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


def finish(place: Path, arguments: list[str]) -> None:
    """Run a command to its end, which must be a good one."""
    done = subprocess.run([*COMMAND, *arguments], cwd=place, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: exit code {done.returncode}: {done.stderr[-2000:]}")


def stage_of(run: Path) -> str:
    """Return the stage that a run is in."""
    for stage, trace in (
        ("card", "eval/metrics.json"),
        ("eval", "synthetic/part-00037.parquet"),
        ("generate", "adapter/codec.json"),
        ("finetune", "splits/schema.json"),
    ):
        if (run / trace).exists():
            return stage
    return "records"


def digests(place: Path) -> dict[str, str]:
    """Return digests of what the run and the version hold, without files that state times."""
    return {
        path.relative_to(place).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for name in ("killed", "store")
        for path in sorted((place / name).rglob("*"))
        if path.is_file() and path.name not in TIMED and "checkpoints" not in path.parts
    }


if __name__ == "__main__":
    sys.exit(main())

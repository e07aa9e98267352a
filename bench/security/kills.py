"""Random kills over all stages and the publication: the same bytes as an undisturbed run.

    python bench/security/kills.py --kills 10            on a causal, a masked, a private and a text run

Kills go through the stages in turn, SIGKILL and SIGTERM, after a random share of the time that the stage takes undisturbed;
then the same command goes on. What SIGTERM prints, and its exit code, are checked too.
"""

import argparse
import hashlib
import json
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
TERMINATED = "error: terminated; the same command resumes"
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
    finish(place, run)
    seconds = {stage: stages_of(place / "killed")[stage]["wall_seconds"] for stage in STAGES}
    began = time.monotonic()
    finish(place, publish)
    seconds["publish"] = time.monotonic() - began
    whole = digests(place)
    for name in ("killed", "store"):
        shutil.rmtree(place / name)
    if kind == "private":
        shutil.copytree(place / "begun", place / "killed")
    tried: list[str] = []
    publications = max(1, kills // 5)
    for number in range(kills):
        sign = (signal.SIGKILL, signal.SIGTERM)[number % 2]
        if number < kills - publications:
            stage = STAGES[number // 2 % len(STAGES)]
            again(place, stage)
            process = start(place, run)
            while process.poll() is None and not is_under_way(place / "killed", stage):
                time.sleep(0.005)
            time.sleep(draw.uniform(0, seconds[stage]))
        else:
            stage = "publish"
            finish(place, run)
            process = start(place, publish)
            time.sleep(draw.uniform(0.3, 1) * seconds[stage])
        if ended_by(process, sign):
            tried.append(f"{stage} {sign.name}")
    finish(place, run)
    shutil.rmtree(place / "store", ignore_errors=True)
    finish(place, publish)
    same = digests(place) == whole
    counts = ", ".join(f"{tried.count(what)} {what}" for what in dict.fromkeys(tried))
    print(f"{kind:8} {len(tried)} ended: {counts}: {'same bytes' if same else 'OTHER BYTES'}", flush=True)
    if not same:
        after = digests(place)
        print(
            "   ",
            sorted(name for name in whole.keys() | after.keys() if whole.get(name) != after.get(name))[:9],
        )
    return same


def again(place: Path, stage: str) -> None:
    """Remove the results of a stage that has ended, so that it is done once more."""
    run = place / "killed"
    if stage == "finetune" and (place / "begun").exists():
        # A training from the start has another secret.
        shutil.rmtree(run)
        shutil.copytree(place / "begun", run)
    for name in RESULTS[stage]:
        shutil.rmtree(run / name, ignore_errors=True)


def is_under_way(run: Path, stage: str) -> bool:
    """Return whether a stage has begun and not ended."""
    return stages_of(run).get(stage, {}).get("status") == "started"


def stages_of(run: Path) -> dict[str, dict]:
    """Return what run.json says of the stages."""
    try:
        return json.loads((run / "run.json").read_text())["stages"]
    except (OSError, KeyError):
        return {}


def ended_by(process: subprocess.Popen, sign: signal.Signals) -> bool:
    """Send a signal, and return whether the process was still there for it.

    Raises:
        SystemExit: after SIGTERM there is no line, or more than one, or another exit code than 143.
    """
    if process.poll() is not None:
        process.communicate()
        return False
    process.send_signal(sign)
    _, told = process.communicate()
    if sign == signal.SIGTERM and process.returncode not in (0, -signal.SIGTERM):
        lines = [line for line in told.splitlines() if line.startswith("error: ")]
        if process.returncode != 128 + sign or lines != [TERMINATED] or told.splitlines()[-1] != TERMINATED:
            raise SystemExit(f"SIGTERM: exit code {process.returncode}: {told[-2000:]}")
    return process.returncode != 0


def start(place: Path, arguments: list[str]) -> subprocess.Popen:
    return subprocess.Popen(
        [*COMMAND, *arguments], cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def finish(place: Path, arguments: list[str]) -> None:
    """Run a command to its end, which must be a good one."""
    done = subprocess.run([*COMMAND, *arguments], cwd=place, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(arguments)}: exit code {done.returncode}: {done.stderr[-2000:]}")


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

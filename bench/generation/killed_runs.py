"""Generation that is killed and resumed repeatedly, against an undisturbed one: same bytes, speed, memory."""

import hashlib
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path


def generate_with_kills(run: Path, records: int, kills: int) -> None:
    """Generate twice, once undisturbed and once killed repeatedly; compare bytes, time per shard and memory."""
    folders = [run.with_name(f"{run.name}-{name}") for name in ("whole", "killed")]
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(run, folder, ignore=shutil.ignore_patterns("synthetic"))
    commands = [
        [sys.executable, "-m", "paracosm.generate", str(folder), f"generate.records={records}"]
        for folder in folders
    ]
    began = time.perf_counter()
    whole = subprocess.Popen(commands[0], stderr=subprocess.DEVNULL)
    timeline, peak, first_peak = [], 0, 0
    while whole.poll() is None:
        time.sleep(2)
        done = len(list(folders[0].glob("synthetic/*.parquet")))
        timeline.append((time.perf_counter() - began, done))
        peak = max(peak, resident(whole.pid))
        if done and not first_peak:
            first_peak = peak
    seconds = time.perf_counter() - began
    if whole.returncode:
        raise SystemExit(f"the undisturbed run ended with code {whole.returncode}")
    total = len(list(folders[0].glob("synthetic/*.parquet")))
    timeline.append((seconds, total))
    half = next(moment for moment, done in timeline if done >= total / 2)
    print(
        f"{records:,} records in {seconds:.0f} s: {records / seconds:.0f} records/s; half of the shards after {half:.0f} s"
    )
    print(f"resident memory: {first_peak} MB at the first shard, {peak} MB at the peak")
    generator, kill_count = random.Random(0), 0
    for _ in range(kills):
        process = subprocess.Popen(commands[1], stderr=subprocess.DEVNULL)
        time.sleep(generator.uniform(0.3, 1.0) * seconds / kills)
        kill_count += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(commands[1], check=True, stderr=subprocess.DEVNULL)
    digests = [digest(folder / "synthetic") for folder in folders]
    print(f"killed {kill_count} times while running; same bytes: {digests[0] == digests[1]}")


def resident(pid: int) -> int:
    """Return the resident memory of a process in MB; 0 if it has ended."""
    try:
        pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    except (OSError, IndexError):
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def digest(folder: Path) -> str:
    files = sorted(folder.glob("*.parquet"))
    return hashlib.sha256(b"".join(file.name.encode() + file.read_bytes() for file in files)).hexdigest()

"""Commands in bad surroundings: wrong clocks, a memory cgroup, a full disk shared by ten, a read-only store, no network.

    python bench/security/surroundings.py                    needs Linux, root, strace, libfaketime and openssl

Prints one line for each check, and returns 1 if one fails. A check whose means are missing says so and is left out.
"""

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

sys.path[:0] = [str(Path(__file__).parents[2] / "tests"), str(Path(__file__).parent)]
from kills import COMMAND, COMMON, TABLE, digests  # type: ignore[import-not-found]  # noqa: E402  # beside this file
from tiny_models import save_tiny_llama  # type: ignore[import-not-found]  # noqa: E402  # of the tests

FAKETIME = "/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1"
CGROUPS = Path("/sys/fs/cgroup/memory")
OVERRIDE = ("--override", "a test")


class Missing(Exception):  # noqa: N818  # not an error
    """What a check needs is not here."""


def paracosm(
    place: Path,
    *words: str,
    before: tuple[str, ...] = (),
    enter: Callable[[], object] | None = None,
    **settings: str,
) -> subprocess.CompletedProcess[str]:
    """Run a command in a folder."""
    return subprocess.run(
        [*before, *COMMAND, *words],
        cwd=place,
        env=os.environ | settings,
        preexec_fn=enter,
        capture_output=True,
        text=True,
        check=False,
    )


def is_one_line(done: subprocess.CompletedProcess[str]) -> bool:
    """Return whether a command ended with exit code 2 and one error line, the last one."""
    lines = done.stderr.splitlines()
    errors = [line for line in lines if line.startswith("error: ")]
    return done.returncode == 2 and errors == lines[-1:] and "Traceback" not in done.stderr


def prepare(place: Path) -> dict[str, str]:
    """Make a table, a model, a recipe and an undisturbed run; return the digests of the run."""
    (place / "t.csv").write_text(TABLE)
    base = save_tiny_llama(place / "model")
    recipe = COMMON.format(name="heart", base=base, drop="[note]", data="", finetune="", more="", epochs=1)
    (place / "r.yaml").write_text(recipe.replace("records: 600", "records: 40"))
    done = paracosm(place, "run", "r.yaml", "--run", "killed")
    if done.returncode:
        raise SystemExit(done.stderr)
    return digests(place)


def again(place: Path) -> None:
    shutil.rmtree(place / "killed", ignore_errors=True)


def clocks(place: Path, whole: dict[str, str]) -> str:
    """A clock that is years wrong, and one that goes back between two stages and within an evaluation."""
    if not Path(FAKETIME).is_file():
        raise Missing("libfaketime")
    fake = {"LD_PRELOAD": FAKETIME, "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
    tried = []
    for first, second in (("-20y", "-20y"), ("+30y", "+0"), ("+0", "-3y")):
        again(place)
        done = paracosm(place, "finetune", "r.yaml", "--run", "killed", **fake, FAKETIME=first)
        assert done.returncode == 0, done.stderr
        done = paracosm(place, "run", "r.yaml", "--run", "killed", **fake, FAKETIME=second)
        assert done.returncode == 0, done.stderr
        assert digests(place) == whole, (first, second)
        tried.append(f"{first} then {second}")
    return f"clocks: {len(tried)} runs ({', '.join(tried)}): same bytes"


def memory(place: Path, whole: dict[str, str]) -> str:
    """A memory cgroup too small for the run; then the same command without it."""
    if not os.access(CGROUPS, os.W_OK):
        raise Missing("a writable memory cgroup (version 1)")
    codes = []
    for megabytes in (60, 250, 400):
        again(place)
        group = CGROUPS / f"paracosm-{os.getpid()}"
        group.mkdir()
        try:
            (group / "memory.limit_in_bytes").write_text(str(megabytes * 2**20))
            done = paracosm(
                place, "run", "r.yaml", "--run", "killed",
                enter=lambda group=group: (group / "cgroup.procs").write_text(str(os.getpid())),
            )  # fmt: skip
        finally:
            group.rmdir()
        assert done.returncode in (-9, 0) or is_one_line(done), done.stderr[-2000:]
        codes.append(
            f"{megabytes} MB: {'killed by the kernel' if done.returncode == -9 else f'exit code {done.returncode}'}"
        )
    done = paracosm(place, "run", "r.yaml", "--run", "killed")
    assert done.returncode == 0, done.stderr
    assert digests(place) == whole
    return f"memory cgroup: {', '.join(codes)}; the same command without it: same bytes"


@contextmanager
def small_disk(place: Path, megabytes: float) -> Iterator[Path]:
    """Yield a folder on a disk of its own of this size."""
    disk = place / "disk"
    disk.mkdir()
    size = f"size={int(megabytes * 1024)}k"
    if subprocess.run(["mount", "-t", "tmpfs", "-o", size, "tmpfs", disk], check=False).returncode:
        raise Missing("the right to mount a tmpfs")
    try:
        yield disk
    finally:
        subprocess.run(["umount", disk], check=True)
        disk.rmdir()


def full_disk(place: Path, _: dict[str, str]) -> str:
    """Ten publishers on a disk that has space for some of them."""
    done = paracosm(place, "publish", "killed", "whole", *OVERRIDE)
    assert done.returncode == 0, done.stderr
    one = sum(path.stat().st_size for path in (place / "whole").rglob("*") if path.is_file()) / 2**20
    with small_disk(place, 4.5 * one + 0.3) as disk:
        publishers = [
            subprocess.Popen(
                [*COMMAND, "publish", "killed", str(disk / "store"), *OVERRIDE],
                cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            )
            for _ in range(10)
        ]  # fmt: skip
        ends = []
        for publisher in publishers:
            _, told = publisher.communicate(timeout=600)
            ends.append(publisher.returncode)
            if publisher.returncode:
                assert publisher.returncode == 2, told
                assert [line[:7] for line in told.splitlines()][-1:] == ["error: "], told
                assert "Traceback" not in told
        versions = [path.name for path in (disk / "store/heart").glob("v*")]
        for version in versions:
            done = paracosm(place, "registry", "verify", f"heart@{version}", "--url", str(disk / "store"))
            assert done.returncode == 0, done.stderr
        left = [path.name for path in (disk / "store/heart").iterdir() if path.name.startswith(".")]
        assert ends.count(0) == len(versions) > 0, (ends, versions)
        assert ends.count(2) > 0, "the disk was large enough for all"
    return (
        f"ten publishers, space for about four: {ends.count(0)} published, {ends.count(2)} one line; "
        f"{len(versions)} of {len(versions)} versions verify; hidden files left: {len(left)}"
    )


def read_only(place: Path, _: dict[str, str]) -> str:
    """A store on a disk that is read-only."""
    with small_disk(place, 20) as disk:
        shutil.copytree(place / "whole", disk / "store")
        subprocess.run(["mount", "-o", "remount,ro", disk], check=True)
        before = sorted((disk / "store").rglob("*"))
        done = paracosm(place, "publish", "killed", str(disk / "store"), *OVERRIDE)
        assert is_one_line(done), done.stderr
        assert "Read-only file system" in done.stderr, done.stderr
        reads = paracosm(place, "registry", "verify", "heart@v1", "--url", str(disk / "store"))
        assert reads.returncode == 0, reads.stderr
        assert sorted((disk / "store").rglob("*")) == before
    return f"read-only store: {done.stderr.splitlines()[-1][-90:]!r}; verify still reads it"


def other_key(place: Path, _: dict[str, str]) -> str:
    """A version that is signed by another key than the one that is asked for."""
    if shutil.which("openssl") is None:
        raise Missing("openssl")
    for name in ("mine", "other"):
        subprocess.run(
            [
                "openssl",
                "genpkey",
                "-algorithm",
                "EC",
                "-pkeyopt",
                "ec_paramgen_curve:P-256",
                "-out",
                place / f"{name}.pem",
            ],
            check=True,
        )
        subprocess.run(
            ["openssl", "pkey", "-in", place / f"{name}.pem", "-pubout", "-out", place / f"{name}.pub"],
            check=True,
        )
    done = paracosm(place, "publish", "killed", "signed", "--key", "other.pem", *OVERRIDE)
    assert done.returncode == 0, done.stderr
    wrong = paracosm(place, "pull", "heart", "--url", "signed", "--into", "pulled", "--key", "mine.pub")
    assert is_one_line(wrong), wrong.stderr
    assert not (place / "pulled").exists()
    right = paracosm(place, "pull", "heart", "--url", "signed", "--into", "pulled", "--key", "other.pub")
    assert right.returncode == 0, right.stderr
    return f"signature of another key: {wrong.stderr.splitlines()[-1][:110]!r}"


def no_network(place: Path, whole: dict[str, str]) -> str:
    """Every command in a network namespace without interfaces, with all its processes traced."""
    for tool in ("strace", "unshare"):
        if shutil.which(tool) is None:
            raise Missing(tool)
    again(place)
    commands = (
        ("validate", "r.yaml"),
        ("run", "r.yaml", "--run", "killed"),
        ("publish", "killed", "offline", *OVERRIDE),
        ("registry", "verify", "heart@v1", "--url", "offline"),
        ("pull", "heart@v1", "--url", "offline", "--into", "offline-pulled"),
        ("generate", "offline-pulled", "--run", "offline-run", "generate.records=5"),
    )
    calls, outside = 0, []
    for number, words in enumerate(commands):
        trace = place / f"trace-{number}"
        done = paracosm(
            place, *words,
            before=("unshare", "-n", "strace", "-f", "-qq", "-e", "trace=%network", "-o", str(trace)),
        )  # fmt: skip
        assert done.returncode == 0, (words, done.stderr[-2000:])
        lines = trace.read_text(errors="replace").splitlines()
        calls += len(lines)
        outside += [
            line
            for line in lines
            if re.search(r"\b(connect|sendto|sendmsg|sendmmsg)\(", line) and "AF_INET" in line
        ]
    assert digests(place).items() >= whole.items()
    assert outside == [], outside[:5]
    return (
        f"no network: {len(commands)} commands, {calls} network calls traced, none to an address; same bytes"
    )


CHECKS = (clocks, memory, full_disk, read_only, other_key, no_network)


def main() -> int:
    """Run the checks; return 1 if one fails."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    names = [check.__name__ for check in CHECKS]
    parser.add_argument("--only", nargs="+", choices=names, default=names)
    given = parser.parse_args()
    failed = 0
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        whole = prepare(place)
        for check in CHECKS:
            if check.__name__ not in given.only:
                continue
            try:
                print(check(place, whole), flush=True)
            except Missing as missing:
                print(f"{check.__name__}: not tried, {missing} is missing", flush=True)
            except AssertionError as error:
                failed += 1
                print(f"{check.__name__}: FAILED: {error}", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())

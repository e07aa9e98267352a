"""A finished run and a published version whose files are damaged, one at a time, before a command reads them."""

import hashlib
import os
import random
import re
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from damages import DAMAGES, Damage
from forked_command import Outcome, import_what, in_fork
from tiny_models import save_tiny_llama

from paracosm.recipes.run.journal import Journal

TABLE = "age,score,sex\n" + "".join(f"{row % 7},{row * 1.5},{'fm'[row % 2]}\n" for row in range(120))
GAPS = "age,score,sex\n" + "".join(f",{row * 1.5},{'fm'[row % 2]}\n" for row in range(6))
RECIPE = """\
name: ok
data:
  source: t.csv
model:
  base: {base}
finetune:
  epochs: 2
  order: shuffled
generate:
  records: 20
eval:
  bootstrap: 100
  repeats: 1
"""
RUN, STORE, PULLED = "run", "store", "pulled"
CARD = "card.title=Another title"
COMMANDS = {
    "validate": (RUN, ("validate", "ok.yaml")),
    "run": (RUN, ("run", "run")),
    "finetune": (RUN, ("finetune", "run")),
    "generate": (RUN, ("generate", "run", "generate.seed=9", "--out", "other")),
    "eval": (RUN, ("eval", "run")),
    "eval partner": (RUN, ("eval", "run", "release.profile=partner")),
    "card": (RUN, ("run", "run", CARD)),
    "publish": (RUN, ("publish", "run", "new", "--override", "a test")),
    "export": (RUN, ("export", "run", "exported")),
    "impute": (RUN, ("impute", "run", "gaps.csv", "--out", "filled.csv")),
    "list": (STORE, ("registry", "list", "--url", "store")),
    "verify": (STORE, ("registry", "verify", "ok@v1", "--url", "store")),
    "show": (STORE, ("registry", "show", "ok@v1", "--url", "store")),
    "pull": (STORE, ("pull", "ok@v1", "--url", "store", "--into", "copy")),
    "diff": (STORE, ("registry", "diff", "ok@v1", "ok@v2", "--url", "store")),
    "page": (STORE, ("registry", "page", "site", "--url", "store")),
    "promote": (STORE, ("registry", "promote", "ok@v1", "stable", "--url", "store")),
    "publish next": (STORE, ("publish", "run", "store", "--override", "a test")),
    "generate pulled": (PULLED, ("generate", "pulled", "--run", "from-pulled", "generate.records=5")),
    "export pulled": (PULLED, ("export", "pulled", "exported")),
    "resume finetune": ("half-trained", ("finetune", "half-trained")),
    "resume generate": ("half-generated", ("generate", "half-generated")),
    "resume eval": ("half-measured", ("eval", "half-measured")),
}
"""Commands by name: the folder whose files are damaged, and the command line."""
RESULTS = (
    "other",
    "run",
    "new",
    "exported",
    "filled.csv",
    "copy",
    "site",
    "from-pulled",
    "half-trained",
    "half-generated",
    "half-measured",
    "store",
)
TOLD = re.compile(r"(?m)^(error|warning): ")


class Place:
    """A folder with a table, a model, a finished run, interrupted runs, a registry and a pulled version."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.kept = root.with_name(f"{root.name}-whole")
        root.mkdir(parents=True)
        save_tiny_llama(root / "model")
        (root / "t.csv").write_text(TABLE)
        (root / "gaps.csv").write_text(GAPS)
        (root / "ok.yaml").write_text(RECIPE.format(base=root / "model"))
        self._must("run", "ok.yaml", "--run", "run")
        for name, stop in INTERRUPTED.items():
            shutil.copytree(root / "run", root / name)
            stop(self, root / name)
        for _ in range(2):
            self._must("publish", "run", "store", "--override", "a test")
        self._must("pull", "ok@v1", "--url", "store", "--into", "pulled")
        shutil.copytree(root, self.kept, symlinks=True)

    def _must(self, *arguments: str) -> None:
        outcome = in_fork(arguments, folder=self.root, patience=900)
        if outcome.code != 0:
            raise RuntimeError(f"{arguments} of the whole files ends with {outcome.code}: {outcome.err}")

    def reset(self) -> None:
        """Put every file back."""
        for path in self.root.iterdir():
            if path.is_symlink() or not path.is_dir():
                path.unlink()
            else:
                _readable(path)
                shutil.rmtree(path)
        shutil.copytree(self.kept, self.root, symlinks=True, dirs_exist_ok=True)

    def files(self, folder: str) -> list[str]:
        """Return the names of the files below a folder."""
        return sorted(
            path.relative_to(self.kept).as_posix()
            for path in (self.kept / folder).rglob("*")
            if path.is_file()
        )


def _readable(folder: Path) -> None:
    for path in folder.rglob("*"):
        if not path.is_symlink():
            path.chmod(0o700)


def _half_trained(place: Place, run: Path) -> None:
    _forget(run, "finetune", "generate", "measure", "eval", "card")
    for path in ("adapter", "synthetic", "eval", "card"):
        shutil.rmtree(run / path)
    newest = max(run.glob("checkpoints/checkpoint-*"), key=lambda path: int(path.name.split("-")[1]))
    if len(list(run.glob("checkpoints/checkpoint-*"))) > 1:
        shutil.rmtree(newest)


def _half_generated(place: Place, run: Path) -> None:
    _forget(run, "generate", "measure", "eval", "card")
    for path in ("eval", "card"):
        shutil.rmtree(run / path)
    (run / "synthetic/part-00001.parquet").unlink()


def _half_measured(place: Place, run: Path) -> None:
    _forget(run, "eval", "card")
    (run / "eval/metrics.json").unlink()
    shutil.rmtree(run / "card")


INTERRUPTED: dict[str, Callable[[Place, Path], None]] = {
    "half-trained": _half_trained,
    "half-generated": _half_generated,
    "half-measured": _half_measured,
}


def _forget(run: Path, *stages: str) -> None:
    """Let the first of the stages be under way, and the others not begun."""
    journal = Journal(run / "run.json")
    content = journal.read()
    first = content["stages"][stages[0]]
    content["stages"][stages[0]] = {"status": "started", "inputs": first["inputs"], "began": time.time()}
    for stage in stages[1:]:
        content["stages"].pop(stage, None)
    journal.write(content)


@dataclass(frozen=True)
class Case:
    """One damage to one file before one command."""

    command: str
    file: str
    damage: Damage

    def __str__(self) -> str:
        return f"{self.command} | {self.file} | {self.damage.name}"


def cases(place: Place) -> Iterator[Case]:
    """Yield every case."""
    for command, (folder, _) in COMMANDS.items():
        files = place.files(folder)
        if command == "validate":
            files = ["ok.yaml", "t.csv", *place.files("model")]
        elif command in ("run", "finetune"):
            files += place.files("model")
        for file in files:
            for damage in DAMAGES:
                yield Case(command, file, damage)


@dataclass(frozen=True)
class Verdict:
    """What a command made of a damaged file.

    Attributes:
        kind: `one line`, `unaffected` (the same result as with the whole file), `made again` (the same, and the file is whole
            again), `warned`, or a flaw: `silent`, `traceback`, `hang`, `no name`, `many lines`, `killed`.
        outcome: how the command ended.
        differing: files whose result differs from that with the whole file.
    """

    kind: str
    outcome: Outcome
    differing: tuple[str, ...] = ()


LONGEST = 20
"""Seconds of processor time after which a command counts as a hang: the wall time of a shared machine says little."""


def _count_as_hang() -> None:
    resource.setrlimit(resource.RLIMIT_CPU, (LONGEST, LONGEST + 5))


FLAWS = ("silent", "traceback", "hang", "no name", "many lines", "killed")


class Injection:
    """Runs cases in a place."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.whole: dict[str, tuple[Outcome, dict[str, str]]] = {}

    def warm_up(self) -> None:
        """Import what all commands need."""
        import_what([[*line] for _, line in COMMANDS.values()], folder=self.place.root)
        self.place.reset()

    def run(self, case: Case) -> Verdict | None:
        """Return the verdict on a case; None if the kind of damage does not apply to the file."""
        line = COMMANDS[case.command][1]
        if case.command not in self.whole:
            self.place.reset()
            outcome = in_fork(line, folder=self.place.root, patience=900)
            if outcome.code not in (0, 1, 3):
                raise RuntimeError(f"{line} of the whole files ends with {outcome.code}: {outcome.err}")
            self.whole[case.command] = outcome, results(self.place.root)
        self.place.reset()
        path = self.place.root / case.file
        digest = hashlib.sha256(str(case).encode()).digest()
        before = path.read_bytes()
        if not case.damage.inflict(path, random.Random(digest)):
            return None
        plain = path.is_file() and not path.is_symlink() and path.stat().st_mode & 0o400
        if plain and path.read_bytes() == before:
            return None
        outcome = in_fork(line, folder=self.place.root, patience=300, prepare=_count_as_hang)
        return self._verdict(case, path, outcome)

    def _verdict(self, case: Case, path: Path, outcome: Outcome) -> Verdict:
        if outcome.code is None:
            return Verdict("hang", outcome)
        if outcome.code < 0:
            return Verdict("killed", outcome)
        if outcome.code == 70 or "Traceback" in outcome.err:
            return Verdict("traceback", outcome)
        if outcome.code == 2:
            return Verdict(form(outcome.err, path, case.file), outcome)
        whole_outcome, whole = self.whole[case.command]
        present = results(self.place.root)
        differing = tuple(
            sorted(
                name
                for name in whole.keys() | present.keys()
                if whole.get(name) != present.get(name) and not name.startswith(f"{case.file}/")
            )
        )
        if outcome.code == whole_outcome.code:
            if not differing and case.file in whole:
                return Verdict("made again", outcome)
            if set(differing) <= {case.file} and outcome.out == whole_outcome.out:
                return Verdict("unaffected", outcome)
        if len(TOLD.findall(outcome.err)) > len(TOLD.findall(whole_outcome.err)):
            return Verdict("warned", outcome, differing)
        return Verdict("silent", outcome, differing)


def form(told: str, path: Path, file: str) -> str:
    """Return `one line` if the last line alone says what is wrong, and where."""
    lines = [line for line in told.splitlines() if TOLD.match(line)]
    if not lines or not lines[-1].startswith("error: ") or told.splitlines()[-1] != lines[-1]:
        return "many lines"
    parts = (path.name, path.parent.name, *(("adapter",) if "adapter" in file else ()))
    return "one line" if any(part in lines[-1] for part in parts) else "no name"


def results(root: Path) -> dict[str, str]:
    """Return digests of the files that commands write, without what differs between two runs of a command."""
    digests = {}
    for name in RESULTS:
        top = root / name
        for path in [top] if top.is_file() else sorted(top.rglob("*")):
            relative = path.relative_to(root).as_posix()
            if path.is_file() and os.access(path, os.R_OK) and not VOLATILE.search(relative):
                digests[relative] = hashlib.sha256(path.read_bytes()).hexdigest()
    return digests


VOLATILE = re.compile(
    r"(^|/)(run\.json|\.lock|\.generate\.json|provenance\.json|manifest\.json|recipe\.yaml|README\.md|croissant\.json|digests\.json|optimizer\.pt|rng_state\.pth|training_args\.bin|trainer_state\.json|report\.html)$|^(store|new)/.*metrics\.json|^site/"
)
"""Files with times."""

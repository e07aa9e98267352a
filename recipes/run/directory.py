"""The run directory: one object owns every path of a run, its lock, and the record of its stages.

A stage is a function of its inputs. `Run.stage` skips it when `run.json` says that it ended with the same inputs,
lets it resume when it was killed, and clears what it left behind when its inputs changed.
"""

import fcntl
import json
import os
import platform
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from paracosm.foundation.digests import file_digest, folder_digest
from paracosm.foundation.errors import RunError
from paracosm.foundation.files import write_text

STAGES = ("records", "finetune", "generate", "eval", "card")
SPLITS = ("train", "control", "test")
RECORDED_PACKAGES = (
    "paracosm",
    "torch",
    "transformers",
    "peft",
    "accelerate",
    "trl",
    "llguidance",
    "numpy",
    "pandas",
    "scikit-learn",
)


@dataclass(frozen=True)
class Run:
    """A run directory. Sensitive: created with mode 0700."""

    root: Path

    @property
    def journal(self) -> Path:
        return self.root / "run.json"

    @property
    def recipe(self) -> Path:
        return self.root / "recipe.yaml"

    @property
    def splits(self) -> Path:
        return self.root / "splits"

    def split(self, name: str) -> Path:
        return self.splits / f"{name}.parquet"

    @property
    def schema(self) -> Path:
        return self.splits / "schema.json"

    @property
    def pii_key(self) -> Path:
        """What invented names are drawn by; there where `data.pii` replaces, and read by nobody else (mode 0600)."""
        return self.root / ".pii-key"

    @property
    def adapter(self) -> Path:
        return self.root / "adapter"

    @property
    def codec(self) -> Path:
        return self.adapter / "codec.json"

    @property
    def checkpoints(self) -> Path:
        return self.root / "checkpoints"

    @property
    def history(self) -> Path:
        """Loss per evaluation, one JSON object a line."""
        return self.root / "history.jsonl"

    @property
    def synthetic(self) -> Path:
        return self.root / "synthetic"

    def shard(self, number: int, suffix: str = "parquet") -> Path:
        return self.synthetic / f"part-{number:05d}.{suffix}"

    @property
    def canaries(self) -> Path:
        """Random records, and which of them a coin put among the training records; absent unless `finetune.canaries` asks for some."""
        return self.root / "canaries.parquet"

    @property
    def attackers(self) -> Path:
        """Adapters that attacks train for themselves, and what was read off them; outlives an evaluation."""
        return self.root / "attackers"

    @property
    def evaluation(self) -> Path:
        return self.root / "eval"

    @property
    def further(self) -> Path:
        """Other sets of synthetic records, which only the evaluation looks at; gone when it has ended."""
        return self.evaluation / "further"

    @property
    def measurements(self) -> Path:
        """What was measured, without gates."""
        return self.evaluation / "measurements.json"

    @property
    def metrics(self) -> Path:
        return self.evaluation / "metrics.json"

    @property
    def report(self) -> Path:
        return self.evaluation / "report.html"

    @property
    def card_folder(self) -> Path:
        return self.root / "card"

    @property
    def card(self) -> Path:
        return self.card_folder / "README.md"

    @property
    def provenance(self) -> Path:
        return self.card_folder / "provenance.json"

    @property
    def dataset(self) -> Path:
        """The synthetic records as one file, with a card and a description of their own."""
        return self.card_folder / "dataset"

    @property
    def data_card(self) -> Path:
        return self.dataset / "README.md"

    @property
    def croissant(self) -> Path:
        return self.dataset / "croissant.json"

    def outputs(self, stage: str) -> tuple[Path, ...]:
        """What a finished stage leaves; a stage also clears these when its inputs changed."""
        return {
            "records": (self.splits,),
            "finetune": (self.adapter, self.history, self.canaries),
            "generate": (self.synthetic,),
            "measure": (self.measurements, self.further),
            "eval": (self.metrics, self.report),
            "card": (self.card_folder,),
        }[stage]

    @classmethod
    def create(cls, root: Path) -> "Run":
        """Make (or reuse) a run directory that only its owner can read.

        Raises:
            RunError: the path is a file, holds something else, or cannot be written.
        """
        try:
            if (
                root.exists()
                and any(root.iterdir())
                and not (root / "run.json").exists()
                and not (root / ".lock").exists()
            ):
                raise RunError(
                    f"{root}: is not empty and is no run directory (no run.json); choose another with --run"
                )
            root.mkdir(parents=True, exist_ok=True)
            root.chmod(0o700)
        except OSError as fault:
            raise RunError(f"{root}: cannot make the run directory: {fault.strerror or fault}") from fault
        return cls(root)

    @classmethod
    def open(cls, root: Path) -> "Run":
        """Open an existing run directory.

        Raises:
            RunError: there is none at `root`.
        """
        if not (root / "run.json").is_file():
            raise RunError(f"{root}: is no run directory (no run.json there)")
        return cls(root)

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the run for this process; the system lets go of it when the process dies.

        Raises:
            RunError: another process holds it.
        """
        try:
            handle = os.open(self.root / ".lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as fault:
            raise RunError(f"{self.root}: cannot lock the run: {fault.strerror}") from fault
        try:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as fault:
                holder = os.pread(handle, 32, 0).decode(errors="replace").strip() or "unknown"
                raise RunError(
                    f"{self.root}: another process (pid {holder}) is working in this run"
                ) from fault
            os.ftruncate(handle, 0)
            os.pwrite(handle, str(os.getpid()).encode(), 0)
            yield
        finally:
            os.close(handle)

    def read_journal(self) -> dict[str, Any]:
        """Return the content of `run.json`, or an empty journal."""
        try:
            return json.loads(self.journal.read_text(encoding="utf-8"))
        except FileNotFoundError:
            return {"stages": {}}
        except (OSError, ValueError) as fault:
            raise RunError(
                f"{self.journal}: cannot be read as JSON ({fault}); remove the run directory to start over"
            ) from fault

    def write_journal(self, journal: dict[str, Any]) -> None:
        """Replace `run.json` in one step."""
        write_text(self.journal, json.dumps(journal, indent=2, default=str) + "\n")

    def note(self, **facts: Any) -> None:
        """Add top-level facts to `run.json`."""
        self.write_journal(self.read_journal() | facts)

    def stage_record(self, stage: str) -> dict[str, Any]:
        """Return what `run.json` says of a stage (empty when it never ran)."""
        return self.read_journal()["stages"].get(stage, {})

    def is_done(self, stage: str, inputs: dict[str, Any]) -> bool:
        """Return whether `stage` ended with these inputs and its outputs are as it left them."""
        record = self.stage_record(stage)
        return (
            record.get("status") == "done"
            and record.get("inputs") == inputs
            and record.get("outputs") == self._output_digests(stage)
        )

    def stage(
        self,
        stage: str,
        inputs: dict[str, Any],
        work: Callable[[], dict[str, Any] | None],
        *,
        ahead: Callable[[], object] = lambda: None,
    ) -> bool:
        """Run `work` unless it is done already; return whether it ran.

        Args:
            stage: one of `STAGES`, or `measure`, the part of `eval` that does not depend on the release section.
            inputs: JSON-able values on which the stage depends (digests, recipe sections, seeds).
            work: does the stage; what it returns is kept under `facts` in `run.json`. The time of tries that were
                killed and whose work it goes on with counts in `wall_seconds`.
            ahead: what must succeed before anything that the stage left earlier is cleared.
        """
        if self.is_done(stage, inputs):
            return False
        began = time.monotonic()
        ahead()
        record = self.stage_record(stage)
        before = 0.0
        if record.get("inputs") != inputs or record.get("status") == "done":
            self._clear(stage)
        else:
            before = self._spent(stage, record)
        self._sweep(stage)
        self._record(
            stage, {"status": "started", "inputs": inputs, "began": time.time(), "seconds_before": before}
        )
        facts = work() or {}
        self._record(
            stage,
            {
                "status": "done",
                "inputs": inputs,
                "outputs": self._output_digests(stage),
                "wall_seconds": round(before + time.monotonic() - began, 2),
                "peak_memory_bytes": peak_memory(),
                "versions": versions(),
                "facts": facts,
            },
        )
        return True

    def _record(self, stage: str, record: dict[str, Any]) -> None:
        journal = self.read_journal()
        journal["stages"][stage] = record
        self.write_journal(journal)

    def _output_digests(self, stage: str) -> dict[str, str]:
        digests = {}
        for path in self.outputs(stage):
            if path.is_dir():
                digests[path.name] = folder_digest(path)
            elif path.is_file():
                digests[path.name] = file_digest(path)
        return digests

    def _spent(self, stage: str, record: dict[str, Any]) -> float:
        """Return the seconds of the tries that were cut short: of each until the last file that it wrote."""
        places = (*self.outputs(stage), *((self.checkpoints,) if stage == "finetune" else ()))
        files = [file for place in places for file in (place, *place.rglob("*")) if file.is_file()]
        last = max((file.stat().st_mtime for file in files), default=0.0)
        return record.get("seconds_before", 0.0) + max(0.0, last - record.get("began", last))

    def _sweep(self, stage: str) -> None:
        """Remove what writes that a kill cut short left beside and among the outputs of a stage."""
        for output in (*self.outputs(stage), self.checkpoints):
            for partial in (*output.parent.glob(f".{output.name}.*.partial"), *output.rglob(".*.partial")):
                if partial.is_dir():
                    shutil.rmtree(partial)
                else:
                    partial.unlink(missing_ok=True)

    def _clear(self, stage: str) -> None:
        extra = (self.checkpoints,) if stage == "finetune" else ()
        for path in (*self.outputs(stage), *extra):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)


def peak_memory() -> int:
    """Return the largest resident size of this process so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def versions() -> dict[str, str]:
    """Return the versions that shape a result: Python, platform and the packages of `RECORDED_PACKAGES`."""
    found = {"python": platform.python_version(), "platform": platform.platform()}
    for package in RECORDED_PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found

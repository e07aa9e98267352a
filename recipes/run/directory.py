"""The run directory: one object owns every path of a run."""

from dataclasses import dataclass
from pathlib import Path

from paracosm.foundation.errors import RunError
from paracosm.recipes.run.journal import Journal

STAGES = ("records", "finetune", "generate", "eval", "card")
"""Stages in order. `finetune` contains `adapt` and `eval` contains `measure`, with entries of their own in `run.json`: the training
on a corpus before the records, and what does not depend on the release section."""
SPLITS = ("train", "control", "test")


@dataclass(frozen=True)
class Run:
    """A run directory. Sensitive: created with mode 0700."""

    root: Path

    @property
    def journal(self) -> Journal:
        """The record of the run's stages, `run.json`."""
        return Journal(self.root / "run.json")

    @property
    def recipe_folder(self) -> Path:
        """The folder that relative paths of the recipe start from; the current one where the run does not know it."""
        return Path(self.journal.read().get("recipe_folder", ""))

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
    def real_values(self) -> Path:
        """Hashes under `pii_key` of the personal values that `data.pii` replaced, which generation never invents."""
        return self.splits / "real_values.json"

    @property
    def adapter(self) -> Path:
        return self.root / "adapter"

    @property
    def adaptation(self) -> Path:
        """What training on the corpus of `adapt` left: an adapter, or a whole model; absent without that section."""
        return self.root / "adaptation"

    @property
    def adaptation_work(self) -> Path:
        """Corpus and checkpoints of an adaptation that is not finished, which it resumes from."""
        return self.root / "adaptation-work"

    @property
    def statistics(self) -> Path:
        """What the strategy `statistical` fitted, instead of an adapter; `combined` keeps it in the adapter's folder."""
        return self.root / "statistics"

    @property
    def prepared(self) -> Path:
        """What the finetune stage left for generation: the statistics where there are some, else the adapter."""
        return self.statistics if self.statistics.is_dir() else self.adapter

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
    def tracking(self) -> Path:
        """What was sent to the recipe's tracker; absent without `track`."""
        return self.root / "tracking.json"

    @property
    def synthetic(self) -> Path:
        return self.root / "synthetic"

    def shard(self, number: int, file_format: str = "parquet") -> Path:
        """Return the path of a shard. Other formats than Parquet have their own folders.

        Readers of a folder of Parquet files skip names that begin with an underscore.
        """
        folder = self.synthetic if file_format == "parquet" else self.synthetic / f"_{file_format}"
        return folder / f"part-{number:05d}.{'jsonl' if file_format == 'messages' else file_format}"

    @property
    def questions(self) -> Path:
        """Questions and answers over the synthetic records; absent without `generate.questions`."""
        return self.synthetic / "_questions"

    @property
    def answers(self) -> Path:
        """What models answered, and their failed answers; absent where no model was asked."""
        return self.root / "answers"

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
    def measured(self) -> Path:
        """The measures that an evaluation under way has finished; gone when it has ended."""
        return self.evaluation / "measured"

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
            "adapt": (self.adaptation,),
            "finetune": (self.adapter, self.statistics, self.history, self.canaries),
            "generate": (self.synthetic,),
            "measure": (self.measurements, self.further, self.measured),
            "eval": (self.metrics, self.report),
            "card": (self.card_folder,),
        }[stage]

    def resumed_from(self, stage: str) -> tuple[Path, ...]:
        """What a stage that was killed resumes from; cleared with its outputs."""
        return {"adapt": (self.adaptation_work,), "finetune": (self.checkpoints,)}.get(stage, ())

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
                    f"{root}: is not empty and is not a run directory (no run.json); choose another with --run"
                )
            root.mkdir(parents=True, exist_ok=True)
            root.chmod(0o700)
        except OSError as error:
            raise RunError(f"{root}: cannot make the run directory: {error.strerror or error}") from error
        return cls(root)

    @classmethod
    def open(cls, root: Path) -> "Run":
        """Open an existing run directory.

        Raises:
            RunError: there is none at `root`.
        """
        if not (root / "run.json").is_file():
            raise RunError(f"{root}: is not a run directory (no run.json there)")
        return cls(root)

"""What a comparison takes from a finished run: its verdicts, its metrics, and what its stages cost."""

from dataclasses import dataclass
from typing import Any

from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.eval.results.gate_result import Verdict
from paracosm.eval.results.metric_entry import MeasuredMetric
from paracosm.eval.results.question_verdict import QuestionVerdict

PRIVACY = ("records", "adapter")
"""The questions on privacy."""


@dataclass(frozen=True)
class Cost:
    """What a strategy costs on the machine of the run.

    Attributes:
        preparation: seconds of training or fitting, the stage `finetune`.
        generation: seconds of the stage `generate`.
        records: number of records generated.
        peak_memory: largest resident size of the process in these two stages, in bytes.
    """

    preparation: float
    generation: float
    records: int
    peak_memory: int

    @property
    def seconds(self) -> float:
        """Seconds of preparation and generation."""
        return self.preparation + self.generation

    @property
    def seconds_per_1000(self) -> float | None:
        """Seconds of generation for 1,000 records; None where none were made."""
        return 1000 * self.generation / self.records if self.records else None


@dataclass(frozen=True)
class ComparedRun:
    """A finished run of one strategy.

    Attributes:
        strategy: its name in the comparison.
        verdict: on the release.
        questions: the verdict on each question.
        metrics: what was measured, by name.
        bits: control loss, in bits per held-out record; None where it was not measured.
        splits: SHA-256 of every split.
        cost: of the strategy's own stages.
    """

    strategy: str
    verdict: Verdict
    questions: tuple[QuestionVerdict, ...]
    metrics: dict[str, MeasuredMetric]
    bits: float | None
    splits: dict[str, str]
    cost: Cost

    @classmethod
    def of(cls, strategy: str, stages: dict[str, Any], evaluation: EvaluationFile) -> "ComparedRun":
        """Return what a comparison needs of a run.

        Args:
            strategy: its name in the comparison.
            stages: the records of the finished stages in `run.json`.
            evaluation: its `metrics.json`.
        """
        prepared, generated = stages["finetune"], stages["generate"]
        return cls(
            strategy=strategy,
            verdict=evaluation.verdict,
            questions=tuple(evaluation.verdicts),
            metrics=evaluation.measured,
            bits=prepared["facts"].get("best_control_bits"),
            splits=stages["records"]["facts"]["sha256"],
            cost=Cost(
                preparation=prepared["wall_seconds"],
                generation=generated["wall_seconds"],
                records=generated["facts"]["records"],
                peak_memory=max(prepared["peak_memory_bytes"], generated["peak_memory_bytes"]),
            ),
        )

    @property
    def fails_on_privacy(self) -> bool:
        """Whether a question on privacy that counts for the release has the verdict FAIL."""
        return any(
            each.state == "FAIL" and each.counts for each in self.questions if each.question in PRIVACY
        )
